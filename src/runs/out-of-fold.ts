import { join, resolve } from 'node:path';
import { sessionOf } from '../data/folds/index.ts';
import { cellOf } from '../data/predictions.ts';
import { sampleId, splitSampleId } from '../data/sample-id.ts';
import { readCsv, rowName, writeCsv } from '../formats/csv.ts';
import { InputError } from '../ground/errors.ts';
import { setName } from '../pasture/covariates.ts';
import { TARGET_NAMES, targetsFromArray, targetsToArray } from '../pasture/targets.ts';
import type { OutOfFoldRow } from './results.ts';
import { photoFolder, type TrainingSource } from './training-data.ts';

export const OUT_OF_FOLD = 'oof.csv';
export const FOLDS = 'folds.csv';
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

/** The column of runs with covariates. */
const COVARIATES = 'covariates';

/**
 * Writes `oof.csv`: predicted (`target`) and observed mass of every photo and target, in grams; empty where the run was
 * not taught the target, or it was not measured. A run with covariates says of each photo which it read.
 *
 * @param imagePaths of the photos by their id, as the data's table has them
 * @param file another name in the run's folder
 */
export async function writeOutOfFold(
  run: string,
  rows: readonly OutOfFoldRow[],
  imagePaths: ReadonlyMap<string, string | null>,
  file = OUT_OF_FOLD,
): Promise<void> {
  const hasCovariates = rows.some(({ covariates }) => covariates !== undefined);
  const lines = rows.flatMap((row) => {
    const predicted = targetsToArray(row.predicted);
    const observed = targetsToArray(row.observed);
    return TARGET_NAMES.map((target, column) => [
      sampleId(row.imageId, target),
      cellOf(predicted[column]),
      cellOf(observed[column]),
      row.fold,
      row.date ?? '',
      row.state ?? '',
      row.species ?? '',
      imagePaths.get(row.imageId) ?? '',
      ...(hasCovariates ? [setName(row.covariates ?? [])] : []),
    ]);
  });
  await writeCsv(join(run, file), [...COLUMNS, ...(hasCovariates ? [COVARIATES] : [])], lines);
}

/**
 * Reads `oof.csv` of a run. A photo's session is its group of `folds.csv`; of photos that were not grouped their date
 * and State.
 *
 * @param source where the run's data were, relative to the run: photos are looked for there
 * @param file another name in the run's folder
 * @throws InputError when it is missing or damaged
 */
export async function readOutOfFold(
  run: string,
  source: TrainingSource,
  file = OUT_OF_FOLD,
): Promise<OutOfFoldRow[]> {
  const path = join(run, file);
  const table = await readCsv(path, COLUMNS);
  const hasCovariates = table.columns.includes(COVARIATES);
  const groups = await readGroups(run);
  const folder = photoFolder(source);
  const photos = new Map<
    string,
    { base: Omit<OutOfFoldRow, 'observed' | 'predicted' | 'session'>; masses: Map<string, number[]> }
  >();
  for (const { line, cells } of table.rows) {
    const id = splitSampleId(cells.sample_id ?? '');
    const texts = [cells.target, cells.observed, cells.fold];
    const numbers = texts.map((text) => (text ? Number(text) : Number.NaN));
    const isSound = numbers.every((number, at) => Number.isFinite(number) || (at < 2 && texts[at] === ''));
    if (!id || !isSound) {
      throw new InputError(rowName(path, line), 'is damaged', 'train the run again');
    }
    const imagePath = cells.image_path ?? '';
    const photo = photos.get(id.imageId) ?? {
      base: {
        imageId: id.imageId,
        photoPath: folder !== null && imagePath ? resolve(run, folder, imagePath) : null,
        fold: numbers[2] ?? 0,
        date: cells.Sampling_Date || null,
        state: cells.State || null,
        species: cells.Species || null,
        ...(hasCovariates && { covariates: (cells[COVARIATES] ?? '').split('+').filter(Boolean) }),
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
    return {
      ...base,
      session: sessionOf(base, groups.get(base.imageId)),
      predicted: targetsFromArray(column(0)),
      observed: targetsFromArray(column(1)),
    };
  });
}

/** The group of each photo in `folds.csv`. */
async function readGroups(run: string): Promise<ReadonlyMap<string, string>> {
  const { rows } = await readCsv(join(run, FOLDS), ['image_id', 'group']);
  return new Map(rows.map(({ cells }) => [cells.image_id ?? '', cells.group ?? '']));
}
