import { stratifiedGroupKFold } from '../data/folds/index.ts';
import type { RandomStream } from '../ground/random.ts';
import type { Targets } from '../pasture/targets.ts';
import type { TrainingRows, TrainingSamples } from '../samples/samples.ts';
import type { Estimator, FitContext } from './estimator.ts';
import { progressWithin } from './fit-progress.ts';
import { measuredItems } from './session-weights.ts';

/** Predictions, inside a training set, of samples by models that have not seen their session. */
export interface InnerPredictions {
  /** Samples predicted, as positions in the training set; those that were not measured are not. */
  readonly photos: readonly number[];
  /** Grams, one a photo of `photos`. */
  readonly predicted: readonly Targets[];
}

/**
 * Folds of whole groups within a training set; −1 for samples that are never held out because their masses were
 * not measured. Null with fewer than two groups, for then nothing can be held out.
 */
export function innerFolds(
  training: Pick<TrainingRows, 'groups' | 'targets' | 'measured'>,
  count: number,
  random: RandomStream,
): number[] | null {
  const photos = measuredItems(training.measured);
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
  estimator: Estimator,
  train: TrainingSamples,
  folds: readonly number[],
  { random, ...told }: Pick<FitContext, 'random' | 'onProgress'>,
): Promise<InnerPredictions> {
  const predicted = new Map<number, Targets>();
  const held = [...new Set(folds.filter((value) => value >= 0))];
  for (const [index, fold] of held.entries()) {
    const model = await estimator.fit(
      { train: train.take(itemsWhere(folds, (other) => other !== fold)), validation: null },
      {
        random: random.fork(`inner fold ${fold}`),
        record: () => {},
        ...progressWithin(told, index / held.length, (index + 1) / held.length),
      },
    );
    const own = itemsWhere(folds, (other) => other === fold);
    const masses = await model.predict(train.take(own));
    await model.release();
    own.forEach((photo, row) => {
      predicted.set(photo, masses[row] as Targets);
    });
  }
  const photos = itemsWhere(folds, (fold) => fold >= 0);
  return { photos, predicted: photos.map((photo) => predicted.get(photo) as Targets) };
}

/** The places of a list of folds that are wanted. */
export function itemsWhere(folds: readonly number[], wanted: (fold: number) => boolean): number[] {
  return folds.flatMap((fold, item) => (wanted(fold) ? [item] : []));
}
