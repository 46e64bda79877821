import { type Lettering, lettering } from '../lettering.ts';
import { viridis } from './colour-map.ts';

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
