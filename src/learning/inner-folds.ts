import { stratifiedGroupKFold } from '../data/folds/index.ts';
import { type Matrix, takeRows } from '../ground/matrix.ts';
import type { RandomStream } from '../ground/random.ts';
import type { Targets } from '../pasture/targets.ts';
import type { Estimator, FitContext, TrainingSet } from './estimator.ts';
import { reachedWithin } from './fit-progress.ts';
import { judgingPhotos } from './session-weights.ts';

/** Predictions, inside a training set, of photos by models that have not seen their session. */
export interface InnerPredictions {
  /** Photos predicted, as positions in the training set; those that only count less are not. */
  readonly photos: readonly number[];
  /** Grams, one a photo of `photos`. */
  readonly predicted: readonly Targets[];
}

/**
 * Folds of whole sessions within a training set; −1 for photos that are never held out because their masses were
 * not measured. Null with fewer than two sessions, for then nothing can be held out.
 */
export function innerFolds(
  training: Pick<TrainingSet<unknown>, 'groups' | 'targets' | 'weights'>,
  count: number,
  random: RandomStream,
): number[] | null {
  const photos = judgingPhotos(training);
  const groups = photos.map((photo) => training.groups[photo] as string);
  const sessions = new Set(groups).size;
  if (sessions < 2) return null;
  const strata = photos.map((photo) => {
    const { clover, dead } = training.targets[photo] as Targets;
    return (clover > 0 ? 2 : 0) + (dead > 0 ? 1 : 0);
  });
  const drawn = stratifiedGroupKFold(groups, strata, Math.min(count, sessions), random);
  const folds = training.groups.map(() => -1);
  photos.forEach((photo, index) => {
    folds[photo] = drawn[index] as number;
  });
  return folds;
}

/** Trains on all but each fold in turn and predicts that fold. What is recorded on the way is dropped. */
export async function innerPredictions(
  estimator: Estimator<Matrix>,
  training: TrainingSet<Matrix>,
  folds: readonly number[],
  { random, ...told }: Pick<FitContext, 'random' | 'reached'>,
): Promise<InnerPredictions> {
  const predicted = new Map<number, Targets>();
  const held = [...new Set(folds.filter((value) => value >= 0))];
  for (const [index, fold] of held.entries()) {
    const model = await estimator.fit(
      takeTraining(
        training,
        photosWhere(folds, (other) => other !== fold),
      ),
      {
        random: random.fork(`inner fold ${fold}`),
        record: () => {},
        ...reachedWithin(told, index / held.length, (index + 1) / held.length),
      },
    );
    const own = photosWhere(folds, (other) => other === fold);
    const masses = await model.predict(takeRows(training.inputs, own));
    own.forEach((photo, row) => {
      predicted.set(photo, masses[row] as Targets);
    });
  }
  const photos = photosWhere(folds, (fold) => fold >= 0);
  return { photos, predicted: photos.map((photo) => predicted.get(photo) as Targets) };
}

/** Some photos of a training set. What is held out of the outer fold stays out. */
function takeTraining(training: TrainingSet<Matrix>, photos: readonly number[]): TrainingSet<Matrix> {
  const pick = <T>(values: readonly T[]): T[] => photos.map((photo) => values[photo] as T);
  return {
    inputs: takeRows(training.inputs, photos),
    targets: pick(training.targets),
    groups: pick(training.groups),
    ...(training.weights && { weights: pick(training.weights) }),
    ...(training.attributes && { attributes: pick(training.attributes) }),
  };
}

function photosWhere(folds: readonly number[], wanted: (fold: number) => boolean): number[] {
  return folds.map((_, photo) => photo).filter((photo) => wanted(folds[photo] as number));
}
