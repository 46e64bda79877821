import type { Pixels } from '../photos/pixels.ts';
import { CHANNELS, resampleByPasses } from './passes.ts';
import { resampleBySimd } from './resample-simd.ts';
import { type Interpolation, tapsOf } from './taps.ts';

/** A part of a picture, in pixels from the top left; `right` and `bottom` are outside. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
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
  const [width, height] = [right - left, bottom - top];
  const taps = {
    across: tapsOf(width, size.width, interpolation),
    down: tapsOf(height, size.height, interpolation),
    columnsFirst: isColumnsFirst(width, height, size),
  };
  const part = {
    data: pixels.data,
    start: (top * pixels.width + left) * CHANNELS,
    stride: pixels.width * CHANNELS,
    width,
    height,
  };
  const data = resampleBySimd(part, taps) ?? resampleByPasses(part, taps);
  return { width: size.width, height: size.height, data };
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
