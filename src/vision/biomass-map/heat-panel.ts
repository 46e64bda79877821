import type { Pixels } from '../photos/decode.ts';
import { viridis } from './colour-map.ts';
import { halfBoxes, type MassMap } from './mass-map.ts';

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
