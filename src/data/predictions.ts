import { csvLines, readCsv, rowName, writeCsv } from '../formats/csv.ts';
import { InputError } from '../ground/errors.ts';
import {
  TARGET_NAMES,
  type TargetName,
  type Targets,
  targetsFromArray,
  targetsToArray,
} from '../pasture/targets.ts';
import { knownDecimals } from './decimals.ts';
import { isMissing } from './missing.ts';
import { readNumber } from './numbers.ts';
import type { Complain } from './problems.ts';
import { newSampleId, sampleId } from './sample-id.ts';
import { isUsualMass } from './usual-sizes.ts';

/** The order of a photo's rows in Kaggle's files. */
export const KAGGLE_ORDER: readonly TargetName[] = [...TARGET_NAMES].sort((a, b) => (a < b ? -1 : 1));

/** Masses of one photo, observed or predicted. */
export interface PhotoMasses {
  readonly imageId: string;
  readonly targets: Targets;
}

/** A further column of a file of predictions; an empty cell where there is no value. */
export interface PredictionColumn<Photo> {
  readonly name: string;
  readonly valueOf: (photo: Photo, target: TargetName) => number | string | null;
}

/**
 * Writes masses in the long format `sample_id,target` (grams), with further columns after them: the rows asked for,
 * or all five of every photo in Kaggle's order. A mass that is not known (NaN) is an empty cell.
 *
 * @throws RangeError when a row asks for a photo that is not among `masses`
 */
export async function writePredictions<Photo extends PhotoMasses>(
  path: string,
  masses: readonly Photo[],
  rows?: readonly { readonly imageId: string; readonly target: TargetName }[],
  columns: readonly PredictionColumn<Photo>[] = [],
): Promise<void> {
  const byId = new Map(masses.map((photo) => [photo.imageId, photo]));
  const lines = rows
    ? rows.map(({ imageId, target }) => {
        const photo = byId.get(imageId);
        if (photo === undefined) throw new RangeError(`no prediction for ${imageId}`);
        return rowOf(photo, target, columns);
      })
    : allRows(masses, columns);
  await writeCsv(path, headOf(columns), lines);
}

/** The text of {@link writePredictions} bit by bit: the header, then rows of photos as they come. */
export function predictionText<Photo extends PhotoMasses>(
  columns: readonly PredictionColumn<Photo>[],
): {
  readonly head: string;
  rows(masses: readonly Photo[]): string;
} {
  return { head: csvLines([headOf(columns)]), rows: (masses) => csvLines(allRows(masses, columns)) };
}

/** A mass, or a word, as a cell of a table: empty where it is not known. */
export const cellOf = (value: number | string | null | undefined): number | string =>
  value === null || value === undefined || Number.isNaN(value) ? '' : value;

const headOf = (columns: readonly { readonly name: string }[]): string[] => [
  'sample_id',
  'target',
  ...columns.map(({ name }) => name),
];

function allRows<Photo extends PhotoMasses>(
  masses: readonly Photo[],
  columns: readonly PredictionColumn<Photo>[],
): (string | number)[][] {
  return masses.flatMap((photo) => KAGGLE_ORDER.map((target) => rowOf(photo, target, columns)));
}

function rowOf<Photo extends PhotoMasses>(
  photo: Photo,
  target: TargetName,
  columns: readonly PredictionColumn<Photo>[],
): (string | number)[] {
  const mass = targetsToArray(photo.targets)[TARGET_NAMES.indexOf(target)] ?? Number.NaN;
  const further = columns.map((column) => cellOf(column.valueOf(photo, target)));
  return [sampleId(photo.imageId, target), cellOf(mass), ...further];
}

/**
 * Reads masses in the long format; further columns (as in `train.csv`) are ignored.
 *
 * @param options `mayLack`: whether masses may be lacking, as rows or as empty cells; they are NaN then
 * @throws InputError for a malformed id, an unknown or repeated target, a mass that is no number, or a photo
 *   that lacks a target
 */
export async function readPredictions(
  path: string,
  { mayLack = false }: { readonly mayLack?: boolean } = {},
): Promise<PhotoMasses[]> {
  const table = await readCsv(path, ['sample_id', 'target']);
  const cells = table.rows.map((row) => row.cells.target ?? '');
  const { signs } = knownDecimals(
    [{ header: 'target', cells, isUsual: (value) => isUsualMass(value) }],
    (item) => rowName(path, table.rows[item]?.line ?? 1),
    table,
  );
  const photos = new Map<string, { line: number; masses: Map<TargetName, number> }>();
  const seen = new Set<string>();
  for (const { line, cells } of table.rows) {
    const refuse: Complain = (_, what, remedy) => {
      throw new InputError(rowName(path, line), what, remedy);
    };
    const id = newSampleId(cells.sample_id ?? '', seen, refuse);
    if (!id) continue;
    const isLacking = isMissing(cells.target);
    const mass = isLacking ? Number.NaN : readNumber(cells.target ?? '', signs[0]);
    if (!Number.isFinite(mass) && !(mayLack && isLacking))
      refuse('not-a-number', `target "${cells.target ?? ''}" is not a number`, 'give grams');
    const photo = photos.get(id.imageId) ?? { line, masses: new Map<TargetName, number>() };
    photos.set(id.imageId, photo);
    photo.masses.set(id.target, mass);
  }
  return [...photos].map(([imageId, { line, masses }]) => {
    const missing = TARGET_NAMES.filter((target) => !masses.has(target));
    if (missing.length > 0 && !mayLack) {
      const what = `${imageId} lacks ${missing.join(', ')}`;
      throw new InputError(rowName(path, line), what, 'add the missing rows');
    }
    return {
      imageId,
      targets: targetsFromArray(TARGET_NAMES.map((target) => masses.get(target) ?? Number.NaN)),
    };
  });
}
