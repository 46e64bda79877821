import { basename, dirname } from 'node:path';
import type { OwnTable } from '../../data/own-table/read.ts';
import { type PhotoMasses, readPredictions } from '../../data/predictions.ts';
import { splitSampleId } from '../../data/sample-id.ts';
import { readCsv } from '../../formats/csv.ts';
import { readGrid } from '../../formats/spreadsheet.ts';
import { InputError } from '../../ground/errors.ts';
import { type Score, scoreTargets, weightedR2 } from '../../pasture/metric.ts';
import { completedTargets, isKnown, meanOfKnown } from '../../pasture/partial.ts';
import { MASS_NAMES, type MassName, TARGET_NAMES } from '../../pasture/targets.ts';
import { requireFrameArea } from '../../pasture/units.ts';
import { meanAnswerScore } from '../../runs/mean-answer.ts';
import { readLabelledPhotos } from '../../runs/training-data.ts';
import { comparedFrames, readAnswers } from './frames.ts';

/** A score, and the photos of the predictions that the truth does not name. */
export interface FileScore {
  readonly score: Score;
  readonly unknownIds: readonly string[];
  /** Masses that are predicted of all these photos and measured of none. */
  readonly unmeasured: readonly MassName[];
  /**
   * Weighted R² of answering the mean: that of the other folds, where the predictions say their folds (`oof.csv` of a
   * run), else that of all photos scored.
   */
  readonly meanAnswer: { readonly weightedR2: number; readonly of: 'training parts' | 'these photos' };
}

/**
 * Scores a file of predictions against a file of measured masses, both long (`sample_id,target`), joined by
 * id. `truth` may have further columns, so `train.csv` serves. What was not measured may be lacking in it, as a row or as
 * an empty cell, and has no part in the score; predictions may lack what was measured of no photo. `truth` may
 * also be a table of one's own, whose frame is that of the run that the predictions lie in, unless another area is given.
 * Predictions of a run on another frame are scored on that of the measured masses ({@link comparedFrames}).
 *
 * @param table how a table of one's own is read; photos lie beside it by default
 * @throws InputError when either cannot be read or a photo of the truth has no prediction
 */
export async function scoreFiles(
  truth: string,
  predictions: string,
  table: Partial<OwnTable> = {},
): Promise<FileScore> {
  requireFrameArea(table.areaSquareMetres);
  await requireInOrder(truth, predictions, table);
  const { rows } = await readGrid(truth, table.sheet);
  const header = rows[0]?.cells ?? [];
  const isLong = rows.length === 0 || (header.includes('sample_id') && header.includes('target'));
  const frames = await comparedFrames(truth, predictions, table.areaSquareMetres, !isLong);
  const observed = await (isLong
    ? readMeasured(truth)
    : readLabelledPhotos({
        kind: 'table',
        photos: dirname(truth),
        ...table,
        table: truth,
        areaSquareMetres: frames.measured,
      }));
  const answers = await readAnswers(predictions, frames);
  const predicted = new Map(answers.map((photo) => [photo.imageId, photo]));
  const missing = observed.filter(({ imageId }) => !predicted.has(imageId));
  const first = missing[0];
  if (first) {
    throw new InputError(
      predictions,
      `lacks ${missing.length} of the ${observed.length} photos of ${truth}, ${first.imageId} for one`,
      'predict all photos, or score against the labels of those predicted',
    );
  }
  if (observed.length === 0) throw new InputError(truth, 'has no row', 'give measured masses');
  const pairs = observed.map((photo) => [photo, predicted.get(photo.imageId) as PhotoMasses] as const);
  for (const [photo, guess] of pairs) requireAnswers(predictions, photo, guess);
  const folds = await foldsOf(predictions);
  const knownFolds = observed.flatMap(({ imageId }) => folds.get(imageId) ?? []);
  const known = new Set(observed.map(({ imageId }) => imageId));
  return {
    score: scoreTargets(
      pairs.map(([photo]) => photo.targets),
      pairs.map(([, guess]) => guess.targets),
    ),
    meanAnswer:
      knownFolds.length === observed.length
        ? {
            weightedR2: meanAnswerScore(
              observed.map(({ targets }, photo) => ({
                fold: knownFolds[photo] as number,
                observed: targets,
              })),
            ),
            of: 'training parts',
          }
        : { weightedR2: ownMeanScore(observed), of: 'these photos' },
    unmeasured: MASS_NAMES.filter((mass) =>
      pairs.every(([photo, guess]) => !isKnown(photo.targets, mass) && isKnown(guess.targets, mass)),
    ),
    unknownIds: [...predicted.keys()].filter((imageId) => !known.has(imageId)),
  };
}

/** Columns that only files of predictions have, and that only tables of what was measured have. */
const PREDICTED = ['observed', 'low', 'high', 'fold_spread', 'out_of_domain', 'trained_on', 'fold'];
const MEASURED = ['Sampling_Date', 'State', 'Species', 'Pre_GSHH_NDVI', 'Height_Ave_cm'];

/** @throws InputError where the two files are evidently given the wrong way round */
async function requireInOrder(
  truth: string,
  predictions: string,
  { sheet }: Partial<OwnTable>,
): Promise<void> {
  if (/^sample_submission\.csv$/i.test(basename(truth))) {
    throw new InputError(truth, 'is a form to be filled, no measured masses', TRUTH_FIRST);
  }
  const [own = [], other = []] = [await readGrid(truth, sheet), await readGrid(predictions)].map(
    ({ rows }) => rows[0]?.cells,
  );
  const isLong = own.includes('sample_id') && own.includes('target');
  const hasFacts = own.some((name) => MEASURED.includes(name));
  // Own tables may have such columns, people write predictions into a copy of train.csv, and a run's oof.csv has both.
  const predicted =
    isLong && (!hasFacts || own.includes('observed')) ? own.filter((name) => PREDICTED.includes(name)) : [];
  const isPredicted = other.some((name) => PREDICTED.includes(name));
  const measured = hasFacts || isPredicted ? [] : other.filter((name) => MEASURED.includes(name));
  if (predicted.length > 0) {
    throw new InputError(truth, `is a file of predictions (it has ${predicted.join(', ')})`, TRUTH_FIRST);
  }
  if (measured.length > 0) {
    throw new InputError(
      predictions,
      `is a table of measured masses (it has ${measured.join(', ')})`,
      TRUTH_FIRST,
    );
  }
}

const TRUTH_FIRST = 'give the measured masses first, then the predictions';

/** Photos of which something was measured, with what follows from it. */
async function readMeasured(truth: string): Promise<PhotoMasses[]> {
  const photos = await readPredictions(truth, { mayLack: true });
  return photos
    .map(({ imageId, targets }) => ({ imageId, targets: completedTargets(targets) }))
    .filter(({ targets }) => MASS_NAMES.some((mass) => isKnown(targets, mass)));
}

/** @throws InputError where a photo has no prediction of a mass that was measured */
function requireAnswers(predictions: string, { imageId, targets }: PhotoMasses, guess: PhotoMasses): void {
  const lacking = MASS_NAMES.findIndex((mass) => isKnown(targets, mass) && !isKnown(guess.targets, mass));
  if (lacking < 0) return;
  const what = `has no ${TARGET_NAMES[lacking]} of ${imageId}, which was measured`;
  throw new InputError(
    predictions,
    what,
    'predict all that was measured, or leave it out of the measured masses',
  );
}

/** The fold of each photo, where a file of predictions says it. */
async function foldsOf(path: string): Promise<ReadonlyMap<string, number>> {
  const { rows } = await readCsv(path, ['sample_id']);
  return new Map(
    rows.flatMap(({ cells }) => {
      const id = splitSampleId(cells.sample_id ?? '')?.imageId;
      return id !== undefined && cells.fold ? [[id, Number(cells.fold)] as const] : [];
    }),
  );
}

function ownMeanScore(observed: readonly PhotoMasses[]): number {
  const mean = meanOfKnown(observed.map(({ targets }) => targets));
  return weightedR2(
    observed.map(({ targets }) => targets),
    observed.map(() => mean),
  );
}
