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
const MAPPED_MASSES = ['total', 'gdm', 'green', 'dead', 'clover'] as const;
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
function patchMass({ grams }: MassMap, mass: MappedMass, patch: number): number {
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

/** A photo of this size would have edges at whole thousandths; any size gives the same shares. */
const UNIT = 1000;

/**
 * The patches of a map as CSV, one row a patch: its edges as shares of the photo's width and height from the top
 * left, and its masses in grams.
 */
export function patchTable(map: MassMap): string {
  const { rows, columns } = map;
  const lines = halfBoxes(map, UNIT, UNIT).flatMap((box, half) =>
    Array.from({ length: rows * columns }, (_, patch) => {
      const row = Math.floor(patch / columns);
      const column = patch % columns;
      const x = (at: number): number => (box.left + ((box.right - box.left) * at) / columns) / UNIT;
      const y = (at: number): number => (box.top + ((box.bottom - box.top) * at) / rows) / UNIT;
      const edges = [x(column), y(row), x(column + 1), y(row + 1)].map((edge) => edge.toFixed(5));
      const masses = MAPPED_MASSES.map((mass) =>
        Number(patchMass(map, mass, half * rows * columns + patch).toPrecision(6)),
      );
      return [half, row, column, ...edges, ...masses].join(',');
    }),
  );
  const names = MAPPED_MASSES.map((mass) => `${mass}_g`).join(',');
  return `${[`half,row,column,left,top,right,bottom,${names}`, ...lines].join('\n')}\n`;
}

/** Share of cells with any mass that the top of a scale may cut off, so that one odd cell does not darken the rest. */
const CUT_OFF = 0.01;

/**
 * A round top for a scale: the smallest of 1, 2, 2.5, 5 times a power of ten that is not below all but one in a
 * hundred of the values above zero; 1 where there are none.
 */
export function scaleTop(values: readonly number[]): number {
  const sorted = values.filter((value) => value > 0).sort((a, b) => a - b);
  const high = sorted[Math.ceil((1 - CUT_OFF) * sorted.length) - 1] ?? 0;
  if (high === 0) return 1;
  const power = 10 ** Math.floor(Math.log10(high));
  // Rounding errors must not push 1000 to 2000.
  const step = [1, 2, 2.5, 5].find((factor) => factor * power >= high * (1 - 1e-9));
  return (step ?? 10) * power;
}
