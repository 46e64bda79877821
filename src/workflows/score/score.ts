import { type PhotoMasses, readPredictions } from '../../data/predictions.ts';
import { InputError } from '../../ground/errors.ts';
import { type Score, scoreTargets } from '../../pasture/metric.ts';

/** A score, and the photos of the predictions that the truth does not name. */
export interface FileScore {
  readonly score: Score;
  readonly unknownIds: readonly string[];
}

/**
 * Scores a file of predictions against a file of measured masses, both long (`sample_id,target`), joined by
 * id. `truth` may have further columns, so `train.csv` serves.
 *
 * @throws InputError when either cannot be read or a photo of the truth has no prediction
 */
export async function scoreFiles(truth: string, predictions: string): Promise<FileScore> {
  const observed = await readPredictions(truth);
  const predicted = new Map((await readPredictions(predictions)).map((photo) => [photo.imageId, photo]));
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
  const known = new Set(observed.map(({ imageId }) => imageId));
  return {
    score: scoreTargets(
      pairs.map(([photo]) => photo.targets),
      pairs.map(([, guess]) => guess.targets),
    ),
    unknownIds: [...predicted.keys()].filter((imageId) => !known.has(imageId)),
  };
}
