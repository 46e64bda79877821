import type { Frame } from '../descriptors/frame.ts';
import { findStamps, type Rectangle } from '../descriptors/stamp.ts';
import type { Pixels } from '../photos/pixels.ts';
import { inpainted } from './inpaint.ts';
import { grown, type Patch, paintEllipse, patchesOf } from './mask.ts';

/** Soft edges of printed figures reach this far, as a share of the picture's shorter side. */
const FIGURE_EDGE = 5 / 608;

/** Corners of half a photo: this share of its width. */
const HALF_PHOTO_CORNER = 0.5;
/** Figures stand in a line at most this high and at least this long, in heights of the picture. */
const LINE_HEIGHT = 0.11;
const LINE_LENGTH = 0.09;
/** Share of a corner's orange that is measured; the outermost may be litter. */
const LINE_SHARE = 0.85;

/** Light spots: red at least this bright, with green and blue at most these shares of it. */
const DOT_RED = 140;
const DOT_GREEN_SHARE = 0.55;
const DOT_BLUE_SHARE = 0.62;
/** Fragments of a spot lie within this share of the shorter side of one another. */
const DOT_CLOSING = 0.008;
/** Diameter of a spot as a share of the shorter side, at least and at most. */
const DOT_DIAMETERS = [0.025, 0.35] as const;
/** A spot fills this much of its bounding box, and is not longer than this many times its width. */
const DOT_FILLING = 0.45;
/** Share of a spot's pixels that glow; orange soil and litter are flecked far more thinly. */
const DOT_GLOW = 0.3;
const DOT_ELONGATION = 2.6;
/** The skirt of a spot reaches this many of its radii beyond its edge. */
const DOT_SKIRT = 0.7;

/**
 * The picture without orange date stamps: where a corner holds a peculiar amount of glowing orange, those pixels
 * and their soft edges are filled with texture from nearby. A picture without a stamp is returned as it is.
 */
export function withoutDateStamp(pixels: Pixels): Pixels {
  const { width, height } = pixels;
  // In half a photo the same figures go twice as far across.
  const across = width < 1.5 * height ? HALF_PHOTO_CORNER : undefined;
  const { orange, corners } = findStamps(frameOf(pixels), across);
  const printed = corners.filter((corner) => isLine(orange, width, corner, height));
  if (printed.length === 0) return pixels;
  const figures = new Uint8Array(orange.length);
  for (const corner of printed) {
    // A long line of figures goes beyond the corner it was noticed in.
    for (let y = corner.top; y < corner.top + corner.height; y++) {
      figures.set(orange.subarray(y * width, (y + 1) * width), y * width);
    }
  }
  const edge = Math.max(2, Math.ceil(FIGURE_EDGE * Math.min(width, height)));
  return inpainted(pixels, grown(figures, width, height, edge));
}

/**
 * The picture without red light spots (a reflectance sensor's diodes): compact glowing red patches and the red
 * shine around them are filled with texture from nearby. A picture without spots is returned as it is.
 */
export function withoutRedDots(pixels: Pixels): Pixels {
  const { width, height } = pixels;
  const shorter = Math.min(width, height);
  const closing = Math.max(1, Math.round(DOT_CLOSING * shorter));
  const glow = redMask(pixels);
  const closed = grown(glow, width, height, closing);
  const spots = patchesOf(closed, width, height).filter((patch) => {
    const glowing = patch.places.reduce((sum, place) => sum + (glow[place] as number), 0);
    return glowing >= DOT_GLOW * patch.places.length && isSpot(patch, width, height, closing);
  });
  if (spots.length === 0) return pixels;
  const mask = new Uint8Array(width * height);
  for (const { left, top, right, bottom } of spots) {
    const skirt = (DOT_SKIRT * Math.max(right - left, bottom - top)) / 2;
    const box = { left: left - skirt, top: top - skirt, right: right + skirt, bottom: bottom + skirt };
    paintEllipse(mask, width, height, box);
  }
  return inpainted(pixels, mask);
}

function isSpot(patch: Patch, width: number, height: number, closing: number): boolean {
  const { left, top, right, bottom, places } = patch;
  const shorter = Math.min(width, height);
  const across = right - left;
  const down = bottom - top;
  const diameter = Math.max(across, down) - 2 * closing;
  if (diameter < DOT_DIAMETERS[0] * shorter || diameter > DOT_DIAMETERS[1] * shorter) return false;
  const isCut = left === 0 || top === 0 || right === width || bottom === height;
  const elongation = Math.max(across, down) / Math.min(across, down);
  return places.length >= DOT_FILLING * across * down && (isCut || elongation <= DOT_ELONGATION);
}

/** Whether a corner's orange lies in a level line of some length, as print does and litter does not. */
function isLine(orange: Uint8Array, width: number, corner: Rectangle, height: number): boolean {
  const rows = new Int32Array(corner.height);
  const columns = new Int32Array(corner.width);
  for (let y = 0; y < corner.height; y++) {
    for (let x = 0; x < corner.width; x++) {
      if (orange[(corner.top + y) * width + corner.left + x] === 0) continue;
      rows[y] = (rows[y] as number) + 1;
      columns[x] = (columns[x] as number) + 1;
    }
  }
  return (
    middleSpan(rows, LINE_SHARE) <= LINE_HEIGHT * height &&
    middleSpan(columns, LINE_SHARE) >= LINE_LENGTH * height
  );
}

/** How many places hold the middle `share` of the counts. */
function middleSpan(counts: Int32Array, share: number): number {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const rest = ((1 - share) / 2) * total;
  const placeOf = (wanted: number): number => {
    let sum = 0;
    return counts.findIndex((count) => {
      sum += count;
      return sum > wanted;
    });
  };
  return placeOf(total - rest - 1) - placeOf(rest) + 1;
}

function frameOf({ width, height, data }: Pixels): Frame {
  const planes = [0, 1, 2].map((band) => {
    const plane = new Float32Array(width * height);
    for (let i = 0; i < plane.length; i++) plane[i] = (data[i * 3 + band] as number) / 255;
    return plane;
  });
  const [red, green, blue] = planes as [Float32Array, Float32Array, Float32Array];
  return { width, height, red, green, blue };
}

function redMask({ data }: Pixels): Uint8Array {
  const mask = new Uint8Array(data.length / 3);
  for (let i = 0; i < mask.length; i++) {
    const red = data[i * 3] as number;
    const isRed =
      red >= DOT_RED &&
      (data[i * 3 + 1] as number) <= DOT_GREEN_SHARE * red &&
      (data[i * 3 + 2] as number) <= DOT_BLUE_SHARE * red;
    if (isRed) mask[i] = 1;
  }
  return mask;
}
