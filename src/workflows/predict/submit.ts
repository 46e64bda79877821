import { join } from 'node:path';
import { readCovariates } from '../../data/covariates/read.ts';
import { readTest, type TestPhoto } from '../../data/folder.ts';
import { writePredictions } from '../../data/predictions.ts';
import { UsageError } from '../../ground/errors.ts';
import { massesIn, massWords } from '../../pasture/partial.ts';
import { MASS_NAMES } from '../../pasture/targets.ts';
import { openRun } from '../../runs/open-run.ts';
import type { PredictOptions, Run } from '../../runs/run.ts';
import { photoSamples, type Samples } from '../../samples/samples.ts';
import { withAskedReadings } from './asked-readings.ts';
import { requireFree } from './prediction-files.ts';

/** How photos are answered. */
export type SubmitOptions = Pick<PredictOptions, 'progress' | 'tta' | 'states'>;

/** How many photos and rows were answered. */
export interface SubmitOutcome {
  readonly photos: number;
  readonly rows: number;
  /** The covariates that `test.csv` has and the run reads; others were not used. */
  readonly covariates: readonly string[];
  /** Those that the run reads and `test.csv` lacks: photos were answered without. */
  readonly lacking: readonly string[];
}

/**
 * Answers every row of a data folder's `test.csv` with a run and writes the competition's submission, row by
 * row in the same order. Covariates are those that `test.csv` itself has: what a competition does not give is not used.
 *
 * @param run folder of a finished run
 * @param folder data folder
 * @param out CSV to write
 * @throws as `openRun` and its `predict`, and InputError for a `test.csv` that cannot be used
 */
export async function submitRun(
  run: string,
  folder: string,
  out: string,
  options: SubmitOptions = {},
): Promise<SubmitOutcome> {
  await requireFree(out);
  const { photos, rows } = await readTest(folder);
  await using opened = await openRun(run, { keepLoaded: false });
  const { masses: taught, predictsFrom } = await opened.capabilities();
  if (predictsFrom !== null && !MASS_NAMES.every((mass) => taught[mass])) {
    throw new UsageError(
      `${run} was taught ${massWords(massesIn(taught))} alone, and a submission needs all five masses; train on photos ` +
        'of which the others were measured too',
    );
  }
  const { samples, names } = await ofTestTable(opened, folder, photos);
  const masses = await opened.predict(samples, { ...options, outOfDomain: false });
  await writePredictions(out, masses, rows);
  const lacking = opened.covariates.map(({ name }) => name).filter((name) => !names.includes(name));
  return { photos: photos.length, rows: rows.length, covariates: names, lacking };
}

/** The photos of a test table, with the run's covariates as far as that table has them. */
async function ofTestTable(
  run: Run,
  folder: string,
  photos: readonly TestPhoto[],
): Promise<{ readonly samples: Samples; readonly names: readonly string[] }> {
  const samples = photoSamples(photos);
  const wanted = run.covariates.map(({ name }) => name);
  if (wanted.length === 0) return { samples, names: [] };
  const table = join(folder, 'test.csv');
  const { names } = await readCovariates(
    table,
    wanted,
    photos.map(({ path }) => path),
  );
  return names.length === 0
    ? { samples, names }
    : { ...(await withAskedReadings(run, samples, { table })), names };
}
