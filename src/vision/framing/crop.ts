import { z } from 'zod';
import { UsageError } from '../../ground/errors.ts';
import { orderedCorners, type Point, type Quadrilateral, sideLengths } from '../photos/quadrilateral.ts';

/** What of photos counts: the inside of the frame that is found, or a part given by numbers as {@link cornersOf} reads them. */
export const cropSchema = z.union([
  z.literal('auto'),
  z.array(z.number().min(0)).refine(({ length }) => length === 4 || length === 8, 'takes 4 or 8 numbers'),
]);
export type Crop = z.output<typeof cropSchema>;

/** How a part of photos is written. */
export const CROP_FORMS = 'auto, x,y,w,h, or four corners x1,y1,…,x4,y4';

/**
 * Reads what a person wrote.
 *
 * @returns null of `none`: whole photos
 * @throws UsageError for anything but `none` and {@link CROP_FORMS}
 */
export function parseCrop(text: string): Crop | null {
  if (text === 'none') return null;
  const numbers = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  const parsed = cropSchema.safeParse(text === 'auto' ? text : numbers);
  if (parsed.success) return parsed.data;
  throw new UsageError(
    `--crop ${text}: give none, ${CROP_FORMS}; pixels of the upright photo, or shares of its width and height up to 1`,
  );
}

/** The smallest part that is taken, pixels a side. */
const LEAST_SIDE = 16;
/** Shares that were rounded may end a little outside. */
const ROUNDING = 0.002;

/**
 * The corners that numbers stand for: left, top, width and height, or x and y of four corners in any order; pixels of the
 * upright photo, or where none is above 1 shares of its width and height.
 *
 * @throws UsageError with the photo's size where they are no part of it
 */
export function cornersOf(
  numbers: readonly number[],
  { name, width, height }: { readonly name: string; readonly width: number; readonly height: number },
): Quadrilateral {
  const areShares = numbers.every((number) => number <= 1);
  const [across, down] = areShares ? [width, height] : [1, 1];
  const scaled = numbers.map((number, index) => number * (index % 2 === 0 ? across : down));
  const slack = areShares ? ROUNDING * Math.max(width, height) : 0.5;
  const refused = (what: string): UsageError =>
    new UsageError(
      `--crop ${numbers.join(',')}: ${what} in ${name}, which is ${width}×${height} pixels upright; give x,y,w,h or ` +
        'four corners inside it, or shares of it up to 1',
    );
  const points = scaled.length === 4 ? rectangle(scaled, areShares) : pairs(scaled);
  const isInside = points.every(({ x, y }) => x <= width + slack && y <= height + slack);
  if (!isInside) throw refused('reaches out of the picture');
  const inner = points.map(({ x, y }) => ({ x: Math.min(width, x), y: Math.min(height, y) }));
  const corners = orderedCorners(inner);
  if (!corners) throw refused('encloses nothing with four corners');
  if (Math.min(...sideLengths(corners)) < LEAST_SIDE)
    throw refused(`is less than ${LEAST_SIDE} pixels a side`);
  return corners;
}

/** Corners of a rectangle; of shares along whole pixels, which are then copied. */
function rectangle(numbers: readonly number[], areShares: boolean): Point[] {
  const [x = 0, y = 0, w = 0, h = 0] = numbers;
  const [left, top, right, bottom] = [x, y, x + w, y + h].map((value) =>
    areShares ? Math.round(value) : value,
  ) as [number, number, number, number];
  return [
    { x: left, y: top },
    { x: right, y: top },
    { x: right, y: bottom },
    { x: left, y: bottom },
  ];
}

const pairs = (numbers: readonly number[]): Point[] =>
  [0, 2, 4, 6].map((at) => ({ x: numbers[at] as number, y: numbers[at + 1] as number }));
