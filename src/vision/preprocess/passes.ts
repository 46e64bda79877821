import { PRECISION_BITS, type Taps } from './taps.ts';

const HALF = 2 ** (PRECISION_BITS - 1);
const ONE = 2 ** PRECISION_BITS;
export const CHANNELS = 3;

/** A part of a picture of three bytes a pixel. */
export interface PicturePart {
  readonly data: Uint8Array;
  /** Where its first pixel lies. */
  readonly start: number;
  /** Bytes from row to row. */
  readonly stride: number;
  /** Pixels. */
  readonly width: number;
  readonly height: number;
}

/** What is summed along both axes. */
export interface Passes {
  /** Along rows. */
  readonly across: Taps;
  /** Along columns. */
  readonly down: Taps;
  /** Whether columns are filtered before rows. */
  readonly columnsFirst: boolean;
}

/**
 * Filters a part of a picture along one axis after the other.
 *
 * @returns [outputs of `down`, outputs of `across`, 3]
 */
export function resampleByPasses(
  part: PicturePart,
  { across, down, columnsFirst }: Passes,
): Uint8Array<ArrayBuffer> {
  if (columnsFirst) return filterRows(whole(filterColumns(part, down), part.width), across);
  return filterColumns(whole(filterRows(part, across), across.first.length), down);
}

/** Filters along rows. */
function filterRows({ data, start, stride, height }: PicturePart, taps: Taps): Uint8Array<ArrayBuffer> {
  const width = taps.first.length;
  const filtered = new Uint8Array(width * height * CHANNELS);
  for (let row = 0; row < height; row++) {
    const source = start + row * stride;
    for (let column = 0; column < width; column++) {
      const first = source + (taps.first[column] as number) * CHANNELS;
      filterPixel(data, first, CHANNELS, taps, column, filtered, (row * width + column) * CHANNELS);
    }
  }
  return filtered;
}

/** Filters along columns. */
function filterColumns({ data, start, stride, width }: PicturePart, taps: Taps): Uint8Array<ArrayBuffer> {
  const height = taps.first.length;
  const filtered = new Uint8Array(width * height * CHANNELS);
  for (let row = 0; row < height; row++) {
    const first = start + (taps.first[row] as number) * stride;
    for (let column = 0; column < width; column++) {
      const at = column * CHANNELS;
      filterPixel(data, first + at, stride, taps, row, filtered, row * width * CHANNELS + at);
    }
  }
  return filtered;
}

/** One output pixel: taps from `from` on, `step` bytes apart. */
function filterPixel(
  source: Uint8Array,
  from: number,
  step: number,
  taps: Taps,
  output: number,
  target: Uint8Array,
  to: number,
): void {
  const { weights, widest } = taps;
  const taken = taps.count[output] as number;
  let red = HALF;
  let green = HALF;
  let blue = HALF;
  let at = from;
  for (let tap = output * widest, end = tap + taken; tap < end; tap++, at += step) {
    const weight = weights[tap] as number;
    red += (source[at] as number) * weight;
    green += (source[at + 1] as number) * weight;
    blue += (source[at + 2] as number) * weight;
  }
  target[to] = clippedByte(red);
  target[to + 1] = clippedByte(green);
  target[to + 2] = clippedByte(blue);
}

function clippedByte(fixed: number): number {
  return Math.max(0, Math.min(255, Math.floor(fixed / ONE)));
}

const whole = (data: Uint8Array, width: number): PicturePart => {
  const stride = width * CHANNELS;
  return { data, start: 0, stride, width, height: data.length / stride };
};
