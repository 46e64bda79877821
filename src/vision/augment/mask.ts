/** Masked pixels that touch, also by a corner; `right` and `bottom` are outside. */
export interface Patch {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
  /** Places `y * width + x`, ascending. */
  readonly places: readonly number[];
}

/** The connected patches of a mask ([height, width], 1 where set), in order of their first pixel. */
export function patchesOf(mask: Uint8Array, width: number, height: number): Patch[] {
  const seen = new Uint8Array(mask.length);
  const patches: Patch[] = [];
  for (let start = 0; start < mask.length; start++) {
    if (mask[start] === 0 || seen[start] === 1) continue;
    const places = [start];
    seen[start] = 1;
    let left = width;
    let right = 0;
    for (let next = 0; next < places.length; next++) {
      const place = places[next] as number;
      const x = place % width;
      const y = (place - x) / width;
      left = Math.min(left, x);
      right = Math.max(right, x);
      for (let ny = Math.max(0, y - 1); ny <= Math.min(height - 1, y + 1); ny++) {
        for (let nx = Math.max(0, x - 1); nx <= Math.min(width - 1, x + 1); nx++) {
          const neighbour = ny * width + nx;
          if (mask[neighbour] === 0 || seen[neighbour] === 1) continue;
          seen[neighbour] = 1;
          places.push(neighbour);
        }
      }
    }
    places.sort((a, b) => a - b);
    const bottom = Math.floor((places.at(-1) as number) / width) + 1;
    patches.push({ left, top: Math.floor(start / width), right: right + 1, bottom, places });
  }
  return patches;
}

/** The mask with everything set that lies within `reach` pixels of a set pixel, in a square. */
export function grown(mask: Uint8Array, width: number, height: number, reach: number): Uint8Array {
  const across = new Uint8Array(mask.length);
  for (let y = 0; y < height; y++) growLine(mask, across, y * width, 1, width, reach);
  const result = new Uint8Array(mask.length);
  for (let x = 0; x < width; x++) growLine(across, result, x, width, height, reach);
  return result;
}

function growLine(
  from: Uint8Array,
  to: Uint8Array,
  start: number,
  step: number,
  length: number,
  reach: number,
): void {
  let last = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < length + reach; i++) {
    if (i < length && from[start + i * step] === 1) last = i;
    const behind = i - reach;
    // `last` is the latest set pixel up to `reach` ahead of the one that is decided.
    if (behind >= 0 && last >= behind - reach) to[start + behind * step] = 1;
  }
}

/** Sets the pixels of the ellipse in a box. */
export function paintEllipse(
  mask: Uint8Array,
  width: number,
  height: number,
  box: Omit<Patch, 'places'>,
): void {
  const middleX = (box.left + box.right - 1) / 2;
  const middleY = (box.top + box.bottom - 1) / 2;
  const radiusX = (box.right - box.left) / 2;
  const radiusY = (box.bottom - box.top) / 2;
  const lastY = Math.min(height - 1, Math.ceil(box.bottom) - 1);
  const lastX = Math.min(width - 1, Math.ceil(box.right) - 1);
  for (let y = Math.max(0, Math.floor(box.top)); y <= lastY; y++) {
    for (let x = Math.max(0, Math.floor(box.left)); x <= lastX; x++) {
      const square = ((x - middleX) / radiusX) ** 2 + ((y - middleY) / radiusY) ** 2;
      if (square <= 1) mask[y * width + x] = 1;
    }
  }
}
