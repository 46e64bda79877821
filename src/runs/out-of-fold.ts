import { join, resolve } from 'node:path';
import { readCsv, rowName, writeCsv } from '../formats/csv.ts';
import { sampleId, splitSampleId } from '../data/sample-id.ts';
import { InputError } from '../ground/errors.ts';
import { scoreTargets } from '../pasture/metric.ts';
import { TARGET_NAMES, targetsFromArray, targetsToArray } from '../pasture/targets.ts';
import type { OutOfFoldRow, RunResults } from './results.ts';
import type { TrainingSource } from './training-data.ts';

const OUT_OF_FOLD = 'oof.csv';
const COLUMNS = [
  'sample_id',
  'target',
  'observed',
  'fold',
  'Sampling_Date',
  'State',
  'Species',
  'image_path',
] as const;

/** Writes `oof.csv`: predicted (`target`) and observed mass of every photo and target, in grams. */
export async function writeOutOfFold(
  run: string,
  rows: readonly OutOfFoldRow[],
  imagePaths: readonly (string | null)[],
): Promise<void> {
  const lines = rows.flatMap((row, index) => {
    const predicted = targetsToArray(row.predicted);
    const observed = targetsToArray(row.observed);
    return TARGET_NAMES.map((target, column) => [
      sampleId(row.imageId, target),
      predicted[column] ?? Number.NaN,
      observed[column] ?? Number.NaN,
      row.fold,
      row.date ?? '',
      row.state ?? '',
      row.species ?? '',
      imagePaths[index] ?? '',
    ]);
  });
  await writeCsv(join(run, OUT_OF_FOLD), COLUMNS, lines);
}

/**
 * Reads `oof.csv` of a run.
 *
 * @param source where the run's data were, relative to the run: photos are looked for there
 * @throws InputError when it is missing or damaged
 */
export async function readOutOfFold(run: string, source: TrainingSource): Promise<OutOfFoldRow[]> {
  const path = join(run, OUT_OF_FOLD);
  const table = await readCsv(path, COLUMNS);
  const photos = new Map<
    string,
    { base: Omit<OutOfFoldRow, 'observed' | 'predicted'>; masses: Map<string, number[]> }
  >();
  for (const { line, cells } of table.rows) {
    const id = splitSampleId(cells.sample_id ?? '');
    const numbers = [cells.target, cells.observed, cells.fold].map((text) =>
      text ? Number(text) : Number.NaN,
    );
    if (!id || !numbers.every(Number.isFinite)) {
      throw new InputError(rowName(path, line), 'is damaged', 'train the run again');
    }
    const imagePath = cells.image_path ?? '';
    const photo = photos.get(id.imageId) ?? {
      base: {
        imageId: id.imageId,
        photoPath: source.kind === 'folder' && imagePath ? resolve(run, source.folder, imagePath) : null,
        fold: numbers[2] ?? 0,
        date: cells.Sampling_Date || null,
        state: cells.State || null,
        species: cells.Species || null,
      },
      masses: new Map<string, number[]>(),
    };
    photo.masses.set(id.target, numbers);
    photos.set(id.imageId, photo);
  }
  return [...photos.values()].map(({ base, masses }) => {
    const column = (index: number): number[] =>
      TARGET_NAMES.map((target) => {
        const value = masses.get(target)?.[index];
        if (value !== undefined) return value;
        throw new InputError(path, `${base.imageId} lacks ${target}`, 'train the run again');
      });
    return { ...base, predicted: targetsFromArray(column(0)), observed: targetsFromArray(column(1)) };
  });
}

/** Score of all rows pooled. */
export function scoreRows(rows: readonly OutOfFoldRow[]): RunResults['outOfFold'] {
  return scoreTargets(
    rows.map((row) => row.observed),
    rows.map((row) => row.predicted),
  );
}

/** Score of each fold's rows, by fold number. */
export function scoreFolds(rows: readonly OutOfFoldRow[]): RunResults['perFold'] {
  const folds = [...new Set(rows.map((row) => row.fold))].sort((a, b) => a - b);
  return folds.map((fold) => ({ fold, score: scoreRows(rows.filter((row) => row.fold === fold)) }));
}
