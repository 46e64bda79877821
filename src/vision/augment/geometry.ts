import type { Pixels } from '../photos/pixels.ts';
import { resample } from '../preprocess/resample.ts';

/** The picture seen in a mirror: left and right change places. */
export function horizontalFlip(pixels: Pixels): Pixels {
  const { width, height } = pixels;
  return rearranged(pixels, width, height, (x, y) => y * width + width - 1 - x);
}

/** Top and bottom change places. */
export function verticalFlip(pixels: Pixels): Pixels {
  const { width, height } = pixels;
  return rearranged(pixels, width, height, (x, y) => (height - 1 - y) * width + x);
}

/** The picture turned clockwise by `turns` quarters; width and height change places for odd numbers. */
export function quarterTurned(pixels: Pixels, turns: number): Pixels {
  const { width, height } = pixels;
  const quarters = ((turns % 4) + 4) % 4;
  if (quarters === 0) return { ...pixels, data: new Uint8Array(pixels.data) };
  if (quarters === 2) return horizontalFlip(verticalFlip(pixels));
  return quarters === 1
    ? rearranged(pixels, height, width, (x, y) => (height - 1 - x) * width + y)
    : rearranged(pixels, height, width, (x, y) => x * width + width - 1 - y);
}

/** A picture of the given size whose pixels are at the places that `from` tells in the picture given. */
function rearranged(
  { data }: Pixels,
  width: number,
  height: number,
  from: (x: number, y: number) => number,
): Pixels {
  const result = new Uint8Array(data.length);
  let to = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const start = from(x, y) * 3;
      result[to++] = data[start] as number;
      result[to++] = data[start + 1] as number;
      result[to++] = data[start + 2] as number;
    }
  }
  return { width, height, data: result };
}

/** A similarity about the middle of the picture. */
export interface Placement {
  /** Pixels to the right. */
  readonly right: number;
  /** Pixels down. */
  readonly down: number;
  /** Above 1 enlarges. */
  readonly scale: number;
  /** Clockwise. */
  readonly degrees: number;
}

/** The bits behind the point of a bilinear weight: enough for 8-bit pixels. */
const WEIGHT_BITS = 8;
const WEIGHT_ONE = 1 << WEIGHT_BITS;

/**
 * The picture rotated and scaled about its middle, then shifted, in a frame of the same size. Bilinear; beyond
 * the border the picture continues mirrored (edge pixels not repeated).
 */
export function placed(pixels: Pixels, { right, down, scale, degrees }: Placement): Pixels {
  const { width, height, data } = pixels;
  const result = new Uint8Array(data.length);
  const angle = (degrees * Math.PI) / 180;
  const cosine = Math.cos(angle) / scale;
  const sine = Math.sin(angle) / scale;
  const middleX = (width - 1) / 2;
  const middleY = (height - 1) / 2;
  const columns = reflections(width);
  const rows = reflections(height);
  let to = 0;
  for (let y = 0; y < height; y++) {
    const dy = y - middleY - down;
    for (let x = 0; x < width; x++) {
      const dx = x - middleX - right;
      const sourceX = middleX + cosine * dx + sine * dy;
      const sourceY = middleY - sine * dx + cosine * dy;
      const left = Math.floor(sourceX);
      const top = Math.floor(sourceY);
      const across = Math.round((sourceX - left) * WEIGHT_ONE);
      const along = Math.round((sourceY - top) * WEIGHT_ONE);
      const row0 = reflected(rows, top, height) * width;
      const row1 = reflected(rows, top + 1, height) * width;
      const column0 = reflected(columns, left, width);
      const column1 = reflected(columns, left + 1, width);
      const a = (row0 + column0) * 3;
      const b = (row0 + column1) * 3;
      const c = (row1 + column0) * 3;
      const d = (row1 + column1) * 3;
      const wd = across * along;
      const wb = across * WEIGHT_ONE - wd;
      const wc = along * WEIGHT_ONE - wd;
      const wa = WEIGHT_ONE * WEIGHT_ONE - wb - wc - wd;
      for (let band = 0; band < 3; band++) {
        const sum =
          wa * (data[a + band] as number) +
          wb * (data[b + band] as number) +
          wc * (data[c + band] as number) +
          wd * (data[d + band] as number);
        result[to++] = (sum + (1 << (2 * WEIGHT_BITS - 1))) >> (2 * WEIGHT_BITS);
      }
    }
  }
  return { width, height, data: result };
}

/** Mirrored places for one period of the continuation: 0 1 … n−1 n−2 … 1. */
function reflections(length: number): Int32Array {
  const period = Math.max(1, 2 * (length - 1));
  return Int32Array.from({ length: period }, (_, place) => (place < length ? place : period - place));
}

function reflected(table: Int32Array, place: number, length: number): number {
  if (place >= 0 && place < length) return place;
  const period = table.length;
  const within = place % period;
  return table[within < 0 ? within + period : within] as number;
}

/**
 * The picture shrunk by `factor` (at most 1; bilinear, antialiased) on a black canvas of the same size.
 *
 * @param place where it lies: 0 at the left or top, 1 at the right or bottom
 */
export function shrunkOnCanvas(
  pixels: Pixels,
  factor: number,
  place: { readonly across: number; readonly down: number },
): Pixels {
  const { width, height } = pixels;
  const size = {
    width: Math.max(1, Math.round(width * factor)),
    height: Math.max(1, Math.round(height * factor)),
  };
  const small = resample(pixels, { left: 0, top: 0, right: width, bottom: height }, size, 'bilinear');
  const left = Math.round((width - size.width) * place.across);
  const top = Math.round((height - size.height) * place.down);
  const result = new Uint8Array(pixels.data.length);
  for (let y = 0; y < size.height; y++) {
    const row = small.data.subarray(y * size.width * 3, (y + 1) * size.width * 3);
    result.set(row, ((top + y) * width + left) * 3);
  }
  return { width, height, data: result };
}
