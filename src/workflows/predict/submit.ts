import { readTest } from '../../data/folder.ts';
import { writePredictions } from '../../data/predictions.ts';
import { UsageError } from '../../ground/errors.ts';
import { massesIn, massWords } from '../../pasture/partial.ts';
import { MASS_NAMES } from '../../pasture/targets.ts';
import { openRun } from '../../runs/open-run.ts';
import type { PredictOptions } from '../../runs/run.ts';
import { photoSamples } from '../../samples/samples.ts';
import { requireFree } from './prediction-files.ts';

/** How photos are answered. */
export type SubmitOptions = Pick<PredictOptions, 'progress' | 'tta' | 'states'>;

/** How many photos and rows were answered. */
export interface SubmitOutcome {
  readonly photos: number;
  readonly rows: number;
}

/**
 * Answers every row of a data folder's `test.csv` with a run and writes the competition's submission, row by
 * row in the same order.
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
  const masses = await opened.predict(photoSamples(photos), { ...options, outOfDomain: false });
  await writePredictions(out, masses, rows);
  return { photos: photos.length, rows: rows.length };
}
