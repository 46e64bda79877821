import type { Pixels } from '../photos/pixels.ts';

/** Interpolations the backbones' preprocessing uses. */
export const INTERPOLATIONS = ['bilinear', 'bicubic', 'lanczos'] as const;
export type Interpolation = (typeof INTERPOLATIONS)[number];

/** A part of a picture, in pixels from the top left; `right` and `bottom` are outside. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** Fractional bits of Pillow's 8-bit fixed-point weights. */
const PRECISION_BITS = 22;
const HALF = 2 ** (PRECISION_BITS - 1);
const ONE = 2 ** PRECISION_BITS;
const CHANNELS = 3;

interface Filter {
  /** Half width, in source pixels at scale 1. */
  readonly support: number;
  readonly weight: (distance: number) => number;
}

/** Catmull–Rom's a, as Pillow and ONNX `cubic_coeff_a=-0.5` have it. */
const CUBIC_A = -0.5;

const FILTERS: Readonly<Record<Interpolation, Filter>> = {
  bilinear: { support: 1, weight: (x) => Math.max(0, 1 - Math.abs(x)) },
  bicubic: {
    support: 2,
    weight: (x) => {
      const d = Math.abs(x);
      if (d < 1) return ((CUBIC_A + 2) * d - (CUBIC_A + 3)) * d * d + 1;
      return d < 2 ? (((d - 5) * d + 8) * d - 4) * CUBIC_A : 0;
    },
  },
  lanczos: { support: 3, weight: (x) => (Math.abs(x) < 3 ? sinc(x) * sinc(x / 3) : 0) },
};

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

/** For each output pixel, the first source pixel and the fixed-point weights from there on. */
interface Taps {
  readonly first: Int32Array;
  readonly count: Int32Array;
  /** [output, widest] */
  readonly weights: Int32Array;
  readonly widest: number;
}

/**
 * Resizes a part of a picture as `Image.resize` of Pillow 13 does for 8-bit RGB, digit for digit: a separable
 * filter widened by the shrinking factor (antialias), with 22-bit weights and 8-bit intermediate pixels, along rows
 * first or along columns (Pillow, `src/libImaging/Resample.c`). Pixels outside the box do not bleed in.
 *
 * @param pixels [height, width, 3]
 * @returns [size.height, size.width, 3]
 * @throws RangeError when the box is empty or leaves the picture, or the size is not positive
 */
export function resample(
  pixels: Pixels,
  box: Box,
  size: { readonly width: number; readonly height: number },
  interpolation: Interpolation,
): Pixels {
  requireBox(pixels, box);
  if (!(size.width >= 1 && size.height >= 1))
    throw new RangeError(`cannot resize to ${size.width}×${size.height}`);
  const { left, top, right, bottom } = box;
  // What the first pass makes holds the box alone, so the second counts from its corner.
  const [width, height] = [right - left, bottom - top];
  if (isColumnsFirst(width, height, size)) {
    const low = filterColumns(pixels, box, tapsOf(top, bottom, size.height, interpolation), size.height);
    const across = tapsOf(0, width, size.width, interpolation);
    return filterRows(low, { left: 0, top: 0, right: width, bottom: size.height }, across, size.width);
  }
  const narrow = filterRows(pixels, box, tapsOf(left, right, size.width, interpolation), size.width);
  const down = tapsOf(0, height, size.height, interpolation);
  return filterColumns(narrow, { left: 0, top: 0, right: size.width, bottom: height }, down, size.height);
}

/** Whether the height loses more than twice the pixels that the width does: then Pillow has fewer to filter, since 13. */
function isColumnsFirst(
  width: number,
  height: number,
  size: { readonly width: number; readonly height: number },
): boolean {
  const lost = height - size.height;
  return lost > 0 && lost > 2 * (width - size.width);
}

function requireBox({ width, height }: Pixels, { left, top, right, bottom }: Box): void {
  const whole = [left, top, right, bottom].every(Number.isInteger);
  if (whole && left >= 0 && top >= 0 && right > left && bottom > top && right <= width && bottom <= height)
    return;
  throw new RangeError(`box ${left},${top},${right},${bottom} does not lie in a ${width}×${height} picture`);
}

function tapsOf(start: number, end: number, outputs: number, interpolation: Interpolation): Taps {
  const { support, weight } = FILTERS[interpolation];
  const length = end - start;
  const scale = length / outputs;
  const stretch = Math.max(1, scale);
  const reach = support * stretch;
  const widest = Math.ceil(reach) * 2 + 1;
  const first = new Int32Array(outputs);
  const count = new Int32Array(outputs);
  const weights = new Int32Array(outputs * widest);
  for (let output = 0; output < outputs; output++) {
    const centre = (output + 0.5) * scale;
    const low = Math.max(0, Math.trunc(centre - reach + 0.5));
    const high = Math.min(length, Math.trunc(centre + reach + 0.5));
    const exact = Array.from({ length: high - low }, (_, tap) =>
      weight((tap + low - centre + 0.5) / stretch),
    );
    const total = exact.reduce((sum, value) => sum + value, 0);
    first[output] = start + low;
    count[output] = high - low;
    exact.forEach((value, tap) => {
      const share = (value / total) * ONE;
      weights[output * widest + tap] = Math.trunc(share < 0 ? share - 0.5 : share + 0.5);
    });
  }
  return { first, count, weights, widest };
}

/** Filters along rows, for the rows of the box only. */
function filterRows(pixels: Pixels, box: Box, taps: Taps, width: number): Pixels {
  const height = box.bottom - box.top;
  const data = new Uint8Array(width * height * CHANNELS);
  for (let row = 0; row < height; row++) {
    const source = (row + box.top) * pixels.width;
    for (let column = 0; column < width; column++) {
      const first = (source + (taps.first[column] as number)) * CHANNELS;
      filterPixel(pixels.data, first, CHANNELS, taps, column, data, (row * width + column) * CHANNELS);
    }
  }
  return { width, height, data };
}

/** Filters along columns, for the columns of the box only. */
function filterColumns(pixels: Pixels, box: Box, taps: Taps, height: number): Pixels {
  const width = box.right - box.left;
  const stride = pixels.width * CHANNELS;
  const data = new Uint8Array(width * height * CHANNELS);
  for (let row = 0; row < height; row++) {
    const first = (taps.first[row] as number) * stride + box.left * CHANNELS;
    for (let column = 0; column < width; column++) {
      const at = column * CHANNELS;
      filterPixel(pixels.data, first + at, stride, taps, row, data, row * width * CHANNELS + at);
    }
  }
  return { width, height, data };
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
