import { FRAME_CM } from './scene.ts';

/** Leaf area over each patch of ground, for the dimming of skylight within the canopy. */
export interface CanopyShade {
  /** One-sided leaf area above a patch, all heights, in cm² a cm². */
  readonly total: Float32Array;
  /** The part of it already drawn, that is, higher than what is drawn next. */
  readonly above: Float32Array;
}

const PATCH_CM = 2.5;
const COLUMNS = Math.ceil((FRAME_CM.width + 2 * FRAME_CM.margin) / PATCH_CM);
const ROWS = Math.ceil((FRAME_CM.height + 2 * FRAME_CM.margin) / PATCH_CM);
/** Skylight comes from all sides, so it fades slower than a straight beam's 0.5 a unit of leaf area. */
const EXTINCTION = 0.42;
const DARKEST = 0.07;

export function makeCanopyShade(): CanopyShade {
  return { total: new Float32Array(COLUMNS * ROWS), above: new Float32Array(COLUMNS * ROWS) };
}

/** The patch that a point in cm belongs to. */
export function patchAt(x: number, y: number): number {
  const column = Math.min(COLUMNS - 1, Math.max(0, Math.floor((x + FRAME_CM.margin) / PATCH_CM)));
  const row = Math.min(ROWS - 1, Math.max(0, Math.floor((y + FRAME_CM.margin) / PATCH_CM)));
  return row * COLUMNS + column;
}

/** Adds an element to one of the two fields of a {@link CanopyShade}. */
export function addLeafArea(field: Float32Array, patch: number, areaSquareCentimetres: number): void {
  field[patch] = (field[patch] as number) + areaSquareCentimetres / PATCH_CM ** 2;
}

/**
 * The share of skylight (0–1) that comes through the leaf area of a field at a point in cm, smoothly from patch
 * to patch, so that a long blade shows no steps.
 */
export function skyShareAt(field: Float32Array, x: number, y: number): number {
  const fx = Math.min(COLUMNS - 1.001, Math.max(0, (x + FRAME_CM.margin) / PATCH_CM - 0.5));
  const fy = Math.min(ROWS - 1.001, Math.max(0, (y + FRAME_CM.margin) / PATCH_CM - 0.5));
  const column = Math.floor(fx);
  const row = Math.floor(fy);
  const tx = fx - column;
  const ty = fy - row;
  const at = row * COLUMNS + column;
  const leafArea =
    (field[at] as number) * (1 - tx) * (1 - ty) +
    (field[at + 1] as number) * tx * (1 - ty) +
    (field[at + COLUMNS] as number) * (1 - tx) * ty +
    (field[at + COLUMNS + 1] as number) * tx * ty;
  return DARKEST + (1 - DARKEST) * Math.exp(-EXTINCTION * leafArea);
}
