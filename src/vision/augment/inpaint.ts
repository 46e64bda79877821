import type { Pixels } from '../photos/pixels.ts';
import { type Patch, patchesOf } from './mask.ts';

/** Pixels this near to a gap are what a filling must agree with. */
const RING = 3;
/** Places a filling may come from lie up to this many of the gap's lengths away. */
const SEARCH = 4;
/** Places tried along each axis. */
const TRIED = 13;
/** Ring pixels compared at most for each place. */
const COMPARED = 160;
const RELAXATIONS = 60;
/** Over-relaxation of the Gauss–Seidel sweeps. */
const OVERSHOOT = 1.6;

/**
 * Fills the masked pixels of a picture so that the texture goes on: each connected gap takes a piece of the
 * picture nearby whose surroundings look like its own, shifted in colour so that it meets the gap's edge
 * (Pérez et al., Poisson image editing, 2003: the difference at the edge is spread inside as a membrane).
 * A gap around which no whole piece is found is filled with the membrane alone.
 *
 * @param mask [height, width], 1 where pixels are to be replaced
 */
export function inpainted(pixels: Pixels, mask: Uint8Array): Pixels {
  const result = new Uint8Array(pixels.data);
  const masked = summedArea(mask, pixels.width, pixels.height);
  for (const gap of patchesOf(mask, pixels.width, pixels.height)) {
    const shift = bestSource(pixels, mask, masked, gap);
    fill(pixels, result, mask, gap, shift);
  }
  return { ...pixels, data: result };
}

/** [height + 1, width + 1] sums of the mask above and to the left. */
function summedArea(mask: Uint8Array, width: number, height: number): Int32Array {
  const sums = new Int32Array((width + 1) * (height + 1));
  for (let y = 0; y < height; y++) {
    let row = 0;
    for (let x = 0; x < width; x++) {
      row += mask[y * width + x] as number;
      sums[(y + 1) * (width + 1) + x + 1] = row + (sums[y * (width + 1) + x + 1] as number);
    }
  }
  return sums;
}

/** The shift (in places) to the piece that agrees best around the gap; undefined where no piece is whole. */
function bestSource(
  { width, height, data }: Pixels,
  mask: Uint8Array,
  masked: Int32Array,
  gap: Patch,
): number | undefined {
  const ring = ringOf(gap, mask, width, height);
  const step = Math.max(1, Math.ceil(ring.length / COMPARED));
  const box = {
    left: Math.max(0, gap.left - RING),
    top: Math.max(0, gap.top - RING),
    right: Math.min(width, gap.right + RING),
    bottom: Math.min(height, gap.bottom + RING),
  };
  let best: number | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const down of shifts(box.bottom - box.top)) {
    for (const right of shifts(box.right - box.left)) {
      const left = box.left + right;
      const top = box.top + down;
      const across = box.right - box.left;
      const along = box.bottom - box.top;
      if (left < 0 || top < 0 || left + across > width || top + along > height) continue;
      if (countIn(masked, width, left, top, left + across, top + along) > 0) continue;
      const shift = down * width + right;
      let difference = 0;
      for (let i = 0; i < ring.length && difference < least; i += step) {
        const here = (ring[i] as number) * 3;
        const there = here + shift * 3;
        for (let band = 0; band < 3; band++) {
          difference += ((data[here + band] as number) - (data[there + band] as number)) ** 2;
        }
      }
      if (difference < least) {
        least = difference;
        best = shift;
      }
    }
  }
  return best;
}

/** Shifts along one axis, evenly over the search range. */
function shifts(length: number): number[] {
  const reach = SEARCH * length;
  return Array.from({ length: TRIED }, (_, index) => Math.round(((2 * index) / (TRIED - 1) - 1) * reach));
}

function countIn(
  sums: Int32Array,
  width: number,
  left: number,
  top: number,
  right: number,
  bottom: number,
): number {
  const at = (x: number, y: number): number => sums[y * (width + 1) + x] as number;
  return at(right, bottom) - at(left, bottom) - at(right, top) + at(left, top);
}

/** Unmasked pixels around a gap. */
function ringOf(gap: Patch, mask: Uint8Array, width: number, height: number): number[] {
  const ring = new Set<number>();
  for (const place of gap.places) {
    const x = place % width;
    const y = (place - x) / width;
    // Only the edge of a gap has unmasked pixels beside it.
    if (isInside(mask, place, x, y, width, height)) continue;
    for (let ny = Math.max(0, y - RING); ny <= Math.min(height - 1, y + RING); ny++) {
      for (let nx = Math.max(0, x - RING); nx <= Math.min(width - 1, x + RING); nx++) {
        if (mask[ny * width + nx] === 0) ring.add(ny * width + nx);
      }
    }
  }
  return [...ring];
}

function isInside(
  mask: Uint8Array,
  place: number,
  x: number,
  y: number,
  width: number,
  height: number,
): boolean {
  const open = (beside: number): boolean => mask[beside] === 0;
  return !(
    (x > 0 && open(place - 1)) ||
    (x < width - 1 && open(place + 1)) ||
    (y > 0 && open(place - width)) ||
    (y < height - 1 && open(place + width))
  );
}

/** Writes the piece and the membrane that fits it to the gap's edge. */
function fill(from: Pixels, to: Uint8Array, mask: Uint8Array, gap: Patch, shift: number | undefined): void {
  const { width, height, data } = from;
  // A margin of one all round, also beyond the picture, so that every inner place has four neighbours.
  const left = gap.left - 1;
  const top = gap.top - 1;
  const across = gap.right + 1 - left;
  const down = gap.bottom + 1 - top;
  const inner = Int32Array.from(gap.places, (place) => {
    const x = place % width;
    return ((place - x) / width - top) * across + x - left;
  });
  const counts = new Uint8Array(across * down);
  for (const place of inner) counts[place] = 1;
  const edge: { readonly local: number; readonly place: number }[] = [];
  for (let y = Math.max(0, top); y < Math.min(height, top + down); y++) {
    for (let x = Math.max(0, left); x < Math.min(width, left + across); x++) {
      const place = y * width + x;
      const moved = place + (shift ?? 0);
      if (mask[place] === 1 || moved < 0 || moved >= width * height) continue;
      const local = (y - top) * across + x - left;
      counts[local] = 1;
      edge.push({ local, place });
    }
  }
  for (let band = 0; band < 3; band++) {
    const source = (place: number): number =>
      shift === undefined ? 0 : (data[(place + shift) * 3 + band] as number);
    const membrane = new Float32Array(across * down);
    let sum = 0;
    for (const { local, place } of edge) {
      const difference = (data[place * 3 + band] as number) - source(place);
      membrane[local] = difference;
      sum += difference;
    }
    for (const place of inner) membrane[place] = edge.length === 0 ? 0 : sum / edge.length;
    relax(membrane, counts, inner, across);
    gap.places.forEach((place, index) => {
      const value = source(place) + (membrane[inner[index] as number] as number);
      to[place * 3 + band] = Math.max(0, Math.min(255, Math.round(value)));
    });
  }
}

/** Brings inner places near the mean of those neighbours that count; the others hold 0. */
function relax(membrane: Float32Array, counts: Uint8Array, inner: Int32Array, width: number): void {
  for (let sweep = 0; sweep < RELAXATIONS; sweep++) {
    for (let i = 0; i < inner.length; i++) {
      const place = inner[i] as number;
      const neighbours =
        (counts[place - 1] as number) +
        (counts[place + 1] as number) +
        (counts[place - width] as number) +
        (counts[place + width] as number);
      if (neighbours === 0) continue;
      const sum =
        (membrane[place - 1] as number) +
        (membrane[place + 1] as number) +
        (membrane[place - width] as number) +
        (membrane[place + width] as number);
      const before = membrane[place] as number;
      membrane[place] = before + OVERSHOOT * (sum / neighbours - before);
    }
  }
}
