import type { Frame } from './frame.ts';

/** Cameras print the date in a corner: within this share of the width and of the height. */
const CORNER_ACROSS = 0.4;
const CORNER_DOWN = 0.2;
/** A smaller share of the picture is no digits, a larger share of the corner is ground or litter. */
const SMALLEST_SHARE = 250 / (1408 * 608);
const LARGEST_SHARE = 0.12;
/** A stamp's orange is this many times as dense in its corner as in the picture without its corners. */
const PECULIARITY = 12;
/** Digits have soft edges: pixels this far from an orange one go with it. */
const REACH = 5;

/**
 * Takes an orange date stamp out of a picture: where a corner has a peculiar amount of glowing orange, those
 * pixels and their surroundings are replaced by what lies further in, so that colours and textures of the
 * sward continue. A picture without a stamp is returned as it is.
 */
export function withoutStamp(frame: Frame): Frame {
  const { orange, corners } = findStamps(frame);
  if (corners.length === 0) return frame;
  const result = {
    ...frame,
    red: frame.red.slice(),
    green: frame.green.slice(),
    blue: frame.blue.slice(),
  };
  for (const corner of corners) patch(frame, result, orange, corner);
  return result;
}

/** Where a picture carries orange date stamps. */
export interface StampSearch {
  /** [height, width], 1 where a pixel glows orange, in a stamp or not. */
  readonly orange: Uint8Array;
  /** Corners of the picture that hold a stamp; none in most pictures. */
  readonly corners: readonly Rectangle[];
}

/**
 * Looks for orange date stamps in the corners of a picture of any size.
 *
 * @param across width of a corner as a share of the picture's, at most a half
 */
export function findStamps(frame: Frame, across = CORNER_ACROSS): StampSearch {
  const { orange, total } = orangeMask(frame);
  const corners = cornersOf(frame, across);
  const inCorners = corners.map((corner) => countIn(orange, frame.width, corner));
  const outside = total - inCorners.reduce((sum, count) => sum + count, 0);
  const cornerArea = areaOf(corners[0] as Rectangle);
  const background = outside / (orange.length - corners.length * cornerArea);
  const stamped = corners.filter((_, index) => {
    const count = inCorners[index] as number;
    const density = count / cornerArea;
    const enough = count >= Math.round(SMALLEST_SHARE * orange.length);
    return enough && density <= LARGEST_SHARE && density > PECULIARITY * background;
  });
  return { orange, corners: stamped };
}

/** A part of a picture, in pixels. */
export interface Rectangle {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

function areaOf({ width, height }: Rectangle): number {
  return width * height;
}

function cornersOf({ width, height }: Frame, share: number): Rectangle[] {
  const across = Math.min(Math.round(width * share), width >> 1);
  const down = Math.round(height * CORNER_DOWN);
  return [0, width - across].flatMap((left) =>
    [0, height - down].map((top) => ({ left, top, width: across, height: down })),
  );
}

/** 1 where a pixel glows orange (hue about 10° to 40°, bright and saturated), which straw and soil do not; and how many do. */
function orangeMask({ red, green, blue }: Frame): { readonly orange: Uint8Array; readonly total: number } {
  const orange = new Uint8Array(red.length);
  let total = 0;
  for (let i = 0; i < orange.length; i++) {
    const r = red[i] as number;
    // Few pixels are as bright, so that the others are looked at for their red only.
    if (r <= 0.8) continue;
    const g = green[i] as number;
    const b = blue[i] as number;
    const chroma = r - b;
    if (chroma > 0.5 && g - b > 0.12 * chroma && g - b < 0.68 * chroma) {
      orange[i] = 1;
      total++;
    }
  }
  return { orange, total };
}

function countIn(mask: Uint8Array, width: number, { left, top, ...size }: Rectangle): number {
  let count = 0;
  for (let y = top; y < top + size.height; y++) {
    for (let x = left; x < left + size.width; x++) count += mask[y * width + x] as number;
  }
  return count;
}

/** Copies, for every pixel near an orange one, the pixel a corner's height further in. */
function patch(from: Frame, to: Frame, orange: Uint8Array, corner: Rectangle): void {
  const inward = corner.top === 0 ? corner.height + REACH : -corner.height - REACH;
  const { width } = from;
  const right = corner.left + corner.width;
  const bottom = corner.top + corner.height;
  for (let y = corner.top; y < bottom; y++) {
    for (let x = corner.left; x < right; x++) {
      if (orange[y * width + x] === 0) continue;
      for (let ny = Math.max(0, y - REACH); ny <= Math.min(from.height - 1, y + REACH); ny++) {
        for (let nx = Math.max(0, x - REACH); nx <= Math.min(width - 1, x + REACH); nx++) {
          const target = ny * width + nx;
          const source = (ny + inward) * width + nx;
          to.red[target] = from.red[source] as number;
          to.green[target] = from.green[source] as number;
          to.blue[target] = from.blue[source] as number;
        }
      }
    }
  }
}
