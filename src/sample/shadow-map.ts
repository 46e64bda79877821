import type { View } from './camera.ts';

/**
 * Heights seen from the sun: for each place on the ground where a ray ends, the height (cm) of the topmost
 * thing that stops it. Half the photo's resolution, with a border for what stands outside.
 */
export interface ShadowMap {
  readonly width: number;
  readonly height: number;
  readonly border: number;
  readonly scale: number;
  readonly heights: Float32Array;
}

export function makeShadowMap(view: View): ShadowMap {
  const scale = 0.5;
  const border = Math.ceil(view.width * scale * 0.25);
  const width = Math.ceil(view.width * scale) + 2 * border;
  const height = Math.ceil(view.height * scale) + 2 * border;
  return { width, height, border, scale, heights: new Float32Array(width * height) };
}

/**
 * Draws a thick line, given in photo pixels at ground level, whose height runs from `heightA` to `heightB` cm.
 * Lines must come in order of height, lowest first.
 */
export function castSegment(
  map: ShadowMap,
  ax: number,
  ay: number,
  bx: number,
  by: number,
  halfWidth: number,
  heightA: number,
  heightB: number,
): void {
  const { scale, border, width, heights } = map;
  const x0 = ax * scale + border;
  const y0 = ay * scale + border;
  const dx = (bx - ax) * scale;
  const dy = (by - ay) * scale;
  const half = Math.max(0.35, halfWidth * scale);
  const steep = Math.abs(dy) > Math.abs(dx);
  const steps = Math.max(1, Math.ceil(steep ? Math.abs(dy) : Math.abs(dx)));
  const length = Math.hypot(dx, dy);
  // Cutting along an axis lengthens the cross-section of a slanted line.
  const reach = length > 0 ? (half * length) / Math.max(Math.abs(dx), Math.abs(dy)) : half;
  for (let step = 0; step <= steps; step++) {
    const x = x0 + (dx * step) / steps;
    const y = y0 + (dy * step) / steps;
    const heightCm = heightA + ((heightB - heightA) * step) / steps;
    const middle = steep ? x : y;
    const first = Math.max(0, Math.round(middle - reach));
    const last = Math.min((steep ? width : map.height) - 1, Math.round(middle + reach - 0.01));
    const other = Math.round(steep ? y : x);
    if (other < 0 || other >= (steep ? map.height : width)) continue;
    for (let across = first; across <= last; across++) {
      heights[steep ? other * width + across : across * width + other] = heightCm;
    }
  }
}

/**
 * Share of sun (0–1) that reaches height `z` cm at a place given in photo pixels at ground level, blended over
 * the four nearest cells so that shadows have soft edges.
 */
export function sunlitShare(map: ShadowMap, x: number, y: number, z: number): number {
  const fx = x * map.scale + map.border;
  const fy = y * map.scale + map.border;
  const column = Math.floor(fx);
  const row = Math.floor(fy);
  if (column < 0 || row < 0 || column >= map.width - 1 || row >= map.height - 1) return 1;
  const tx = fx - column;
  const ty = fy - row;
  const at = row * map.width + column;
  const heights = map.heights;
  const upper = passes((heights[at] as number) - z) * (1 - tx) + passes((heights[at + 1] as number) - z) * tx;
  const lower =
    passes((heights[at + map.width] as number) - z) * (1 - tx) +
    passes((heights[at + map.width + 1] as number) - z) * tx;
  return upper * (1 - ty) + lower * ty;
}

/** Sunlight that comes through a thin leaf, or past its edges. */
const THROUGH_LEAF = 0.14;

/** A gap below a third of a centimetre is the leaf itself or its neighbour and casts no shadow. */
function passes(heightAbove: number): number {
  if (heightAbove <= 0.3) return 1;
  return Math.max(THROUGH_LEAF, 1 - (heightAbove - 0.3) / 0.6);
}
