import { ShapeError } from '../../ground/errors.ts';
import type { Box } from '../preprocess/resample.ts';
import { viewBoxes } from '../preprocess/views.ts';

/** Where in a photo the mass is: masses of the patches a network saw. */
export interface MassMap {
  /** 2: left half before right half; 1: the whole photo. */
  readonly halves: number;
  /** Patches of a half. */
  readonly rows: number;
  readonly columns: number;
  /** [halves, rows, columns, 3]: green, dead and clover of every patch, grams. */
  readonly grams: ArrayLike<number>;
}

/** The masses a panel can show. */
export const MAPPED_MASSES = ['total', 'gdm', 'green', 'dead', 'clover'] as const;
export type MappedMass = (typeof MAPPED_MASSES)[number];

/** @throws ShapeError when a map has not as many values as patches, or neither one nor two halves */
export function requireMap({ halves, rows, columns, grams }: MassMap): void {
  const isSound = (halves === 1 || halves === 2) && rows > 0 && columns > 0;
  if (isSound && grams.length === halves * rows * columns * 3) return;
  throw new ShapeError(
    `${grams.length} values are not green, dead and clover of ${halves} × ${rows} × ${columns} patches`,
  );
}

/** The parts of a photo that a map's halves cover. */
export function halfBoxes({ halves }: MassMap, width: number, height: number): Box[] {
  return viewBoxes(halves === 1 ? 'whole' : 'halves', width, height);
}

/** Mass of patch number `patch`, counted through all halves, in grams. */
export function patchMass({ grams }: MassMap, mass: MappedMass, patch: number): number {
  const green = grams[patch * 3] as number;
  const dead = grams[patch * 3 + 1] as number;
  const clover = grams[patch * 3 + 2] as number;
  if (mass === 'gdm') return green + clover;
  if (mass === 'total') return green + clover + dead;
  return { green, dead, clover }[mass];
}

/** Masses of all patches, half after half, row by row, in grams. */
export function patchMasses(map: MassMap, mass: MappedMass): number[] {
  return Array.from({ length: map.halves * map.rows * map.columns }, (_, patch) =>
    patchMass(map, mass, patch),
  );
}
