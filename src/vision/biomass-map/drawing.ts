import { type Lettering, lettering } from '../lettering.ts';
import type { Pixels } from '../photos/pixels.ts';
import { halfBoxes, type MassMap } from './mass-map.ts';

/** Where and how a line of text stands; lengths in pixels. */
export interface TextPlace {
  /** Left end, middle or right end, as `align` says. */
  readonly x: number;
  /** Baseline. */
  readonly y: number;
  /** Height of a capital. */
  readonly size: number;
  readonly align?: 'left' | 'middle' | 'right';
  readonly colour?: string;
  /** Pen width as a share of `size`; default 0.13. */
  readonly weight?: number;
}

/** Colours of writing on the map. */
export const INK = '#1b1f1c';
export const QUIET_INK = '#5a625c';

/**
 * A line of text as an SVG path: drawn, not set, because a machine without fonts shows no text at all.
 */
export function textPath(text: string, place: TextPlace): string {
  const { y, size, align = 'left', colour = INK, weight = 0.13 } = place;
  const drawn = lettering(text);
  const x = place.x - drawn.width * size * LEFT_OF[align];
  return `<path d="${pathOf(drawn, x, y - size, size)}" fill="none" stroke="${colour}" stroke-width="${(weight * size).toFixed(2)}" stroke-linecap="round" stroke-linejoin="round"/>`;
}

/** Share of a line's width that lies to the left of its place. */
const LEFT_OF = { left: 0, middle: 0.5, right: 1 } as const;

function pathOf({ letters }: Lettering, left: number, top: number, size: number): string {
  return letters
    .flat()
    .map((stroke) =>
      stroke
        .map(([x, y], index) => {
          const place = `${(left + x * size).toFixed(1)} ${(top + y * size).toFixed(1)}`;
          return `${index === 0 ? 'M' : 'L'}${place}`;
        })
        .join(''),
    )
    .join('');
}

const LEGEND_TICKS = 4;

/**
 * A level bar of the colour map with its numbers below, as SVG.
 *
 * @param top value at the right end; what is above it is shown in the last colour
 * @param isCut whether some values are above the top
 */
export function legend(
  left: number,
  y: number,
  width: number,
  height: number,
  top: number,
  isCut: boolean,
): string {
  const cells = Array.from({ length: Math.round(width / 2) }, (_, index) => {
    const [r, g, b] = viridis((index + 0.5) / Math.round(width / 2)).map(Math.round);
    return `<rect x="${left + index * 2}" y="${y}" width="2.5" height="${height}" fill="rgb(${r},${g},${b})"/>`;
  });
  const ticks = Array.from({ length: LEGEND_TICKS + 1 }, (_, index) => {
    const isLast = index === LEGEND_TICKS;
    const number = legendNumber((top * index) / LEGEND_TICKS, top);
    return textPath(isCut && isLast ? `≥ ${number}` : number, {
      x: left + (width * index) / LEGEND_TICKS,
      y: y + height * 2.1,
      size: height * 0.62,
      align: index === 0 ? 'left' : isLast ? 'right' : 'middle',
      colour: QUIET_INK,
    });
  });
  return [...cells, ...ticks].join('');
}

function legendNumber(value: number, top: number): string {
  const digits = top >= 40 ? 0 : top >= 4 ? 1 : 2;
  return grouped(value.toFixed(value === 0 ? 0 : digits));
}

/** A decimal number with its thousands parted by commas. */
export function grouped(number: string): string {
  const [whole = '', ...decimals] = number.split('.');
  return [whole.replace(/\B(?=(\d{3})+$)/g, ','), ...decimals].join('.');
}

/**
 * Viridis at eleven even steps, sRGB (Smith & van der Walt, matplotlib 2015; public domain): equal steps of mass
 * look like equal steps, also in grey and to colour-blind eyes.
 */
const VIRIDIS: readonly (readonly [number, number, number])[] = [
  [68, 1, 84],
  [72, 36, 117],
  [65, 68, 135],
  [53, 95, 141],
  [42, 120, 142],
  [33, 145, 140],
  [34, 168, 132],
  [68, 191, 112],
  [122, 209, 81],
  [189, 223, 38],
  [253, 231, 37],
];

/** Colour of a share of the scale, 0 to 1 (clipped), as sRGB grey levels. */
export function viridis(share: number): [red: number, green: number, blue: number] {
  const last = VIRIDIS.length - 1;
  const place = Math.max(0, Math.min(1, share)) * last;
  const below = Math.min(last - 1, Math.floor(place));
  const rest = place - below;
  const [low, high] = [VIRIDIS[below], VIRIDIS[below + 1]];
  const channel = (band: 0 | 1 | 2): number => (low?.[band] ?? 0) * (1 - rest) + (high?.[band] ?? 0) * rest;
  return [channel(0), channel(1), channel(2)];
}

/** Share of the colour map in a pixel; the rest is the photo in grey. */
const HEAT = 0.62;
/** The photo under the heat is darkened, so that light spots do not look like mass. */
const PHOTO_LIGHT = 0.85;

/**
 * A photo in grey under a heat map. Values are interpolated between the middles of patches, within each half.
 *
 * @param shares of the scale, 0 to 1, one a patch, half after half, row by row
 */
export function heatPanel(photo: Pixels, map: MassMap, shares: ArrayLike<number>): Pixels {
  const { rows, columns } = map;
  const data = new Uint8Array(photo.data.length);
  halfBoxes(map, photo.width, photo.height).forEach((box, half) => {
    const at = (row: number, column: number): number =>
      shares[(half * rows + row) * columns + column] as number;
    for (let y = box.top; y < box.bottom; y++) {
      const down = between(((y + 0.5 - box.top) / (box.bottom - box.top)) * rows - 0.5, rows);
      for (let x = box.left; x < box.right; x++) {
        const across = between(((x + 0.5 - box.left) / (box.right - box.left)) * columns - 0.5, columns);
        const upper = at(down.low, across.low) * (1 - across.rest) + at(down.low, across.high) * across.rest;
        const lower =
          at(down.high, across.low) * (1 - across.rest) + at(down.high, across.high) * across.rest;
        paint(data, photo, y * photo.width + x, upper * (1 - down.rest) + lower * down.rest);
      }
    }
  });
  return { width: photo.width, height: photo.height, data };
}

interface Between {
  readonly low: number;
  readonly high: number;
  readonly rest: number;
}

function between(place: number, count: number): Between {
  const clipped = Math.max(0, Math.min(count - 1, place));
  const low = Math.floor(clipped);
  return { low, high: Math.min(count - 1, low + 1), rest: clipped - low };
}

function paint(data: Uint8Array, photo: Pixels, pixel: number, share: number): void {
  const from = pixel * 3;
  const luma =
    0.299 * (photo.data[from] as number) +
    0.587 * (photo.data[from + 1] as number) +
    0.114 * (photo.data[from + 2] as number);
  viridis(share).forEach((value, band) => {
    data[from + band] = Math.round(HEAT * value + (1 - HEAT) * PHOTO_LIGHT * luma);
  });
}
