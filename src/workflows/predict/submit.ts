import { join } from 'node:path';
import { readCovariates } from '../../data/covariates/read.ts';
import { readTest, type TestPhoto } from '../../data/folder.ts';
import { writePredictions } from '../../data/predictions.ts';
import { problemLine } from '../../data/problems.ts';
import { UsageError } from '../../ground/errors.ts';
import { setWords } from '../../pasture/covariates.ts';
import { massesIn, massWords } from '../../pasture/partial.ts';
import { MASS_NAMES } from '../../pasture/targets.ts';
import { QUADRAT_AREA_SQUARE_METRES, requireFrameArea } from '../../pasture/units.ts';
import type { CovariateSource } from '../../runs/covariates.ts';
import { openRun } from '../../runs/open-run.ts';
import { onFrame } from '../../runs/prediction.ts';
import type { PredictOptions, Run } from '../../runs/run.ts';
import { photoSamples } from '../../samples/samples.ts';
import { measuredSamples, type ReadSamples } from './asked-readings.ts';
import { requireFree } from './prediction-files.ts';

/** How photos are answered. */
export interface SubmitOptions extends Pick<PredictOptions, 'progress' | 'tta' | 'states'> {
  /** How the heights of `test.csv` were measured, where it does not say it, and what converts them. */
  readonly heights?: Omit<CovariateSource, 'table'>;
  /** Area of the frame that the data folder's masses stand on, m²; default that of the competition. */
  readonly areaSquareMetres?: number;
  /** Whether a file may be replaced that sward did not write; default not. */
  readonly overwrite?: boolean;
}

/** How many photos and rows were answered. */
export interface SubmitOutcome {
  readonly photos: number;
  readonly rows: number;
  /** The covariates that some photo was answered by; empty of a run that reads none. */
  readonly covariates: readonly string[];
  /** Those that the run reads and no photo was answered by. */
  readonly lacking: readonly string[];
  /** What a person is told of readings, a line each. */
  readonly remarks: readonly string[];
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
  const { areaSquareMetres = QUADRAT_AREA_SQUARE_METRES } = options;
  requireFrameArea(areaSquareMetres);
  await requireFree(out, options.overwrite);
  const { photos, rows } = await readTest(folder);
  await using opened = await openRun(run, { keepLoaded: false });
  const { masses: taught, predictsFrom } = await opened.capabilities();
  if (predictsFrom !== null && !MASS_NAMES.every((mass) => taught[mass])) {
    throw new UsageError(
      `${run} was taught ${massWords(massesIn(taught))} alone, and a submission needs all five masses; train on photos ` +
        'of which the others were measured too',
    );
  }
  const { samples, remarks } = await ofTestTable(opened, folder, photos, options.heights);
  const predictions = await opened.predict(samples, { ...options, outOfDomain: false });
  const own = opened.areaSquareMetres;
  const scale = areaSquareMetres / own;
  await writePredictions(
    out,
    predictions.map((prediction) => onFrame(prediction, scale)),
    rows,
  );
  const used = new Set(predictions.flatMap(({ covariates = [] }) => covariates));
  const names = opened.covariates.map(({ name }) => name);
  return {
    photos: photos.length,
    rows: rows.length,
    covariates: names.filter((name) => used.has(name)),
    lacking: names.filter((name) => !used.has(name)),
    remarks: [
      ...(scale === 1
        ? []
        : [
            `note: the run was taught grams on ${own} m²; they are said on the ${areaSquareMetres} m² of the data folder`,
          ]),
      ...remarks,
    ],
  };
}

/** The photos of a test table, with the run's covariates as far as that table has them. */
async function ofTestTable(
  run: Run,
  folder: string,
  photos: readonly TestPhoto[],
  { method, pairs }: SubmitOptions['heights'] = {},
): Promise<Omit<ReadSamples, 'refused'>> {
  const samples = photoSamples(photos);
  const names = run.covariates.map(({ name }) => name);
  if (names.length === 0) return { samples, remarks: [] };
  const table = await readCovariates(
    join(folder, 'test.csv'),
    names,
    photos.map(({ path }) => path),
    { method },
  );
  const lacking = names.filter((name) => table.photos.every((readings) => !readings?.has(name)));
  const read = await measuredSamples(
    run,
    samples,
    table.photos.map((readings) => readings ?? new Map()),
    { pairs },
  );
  return {
    samples: read.samples,
    remarks: [
      ...table.problems.map((problem) => `warning: ${problemLine(problem)}`),
      ...read.remarks,
      ...(lacking.length === 0
        ? []
        : [
            `note: test.csv has no ${setWords(lacking)}: photos are answered without, as the run scores without`,
          ]),
    ],
  };
}
