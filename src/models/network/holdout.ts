import { UsageError } from '../../ground/errors.ts';
import type { RandomStream } from '../../ground/random.ts';
import type { FitContext, TrainingSet } from '../estimator.ts';
import { innerFolds } from '../inner-folds.ts';
import type { LabelledPhotos } from './labels.ts';
import type { NetworkSettings } from './settings.ts';

/** Which photos of a training set are learnt from, and which judge. */
export interface Holdout {
  readonly learnt: readonly number[];
  readonly judging: readonly number[];
}

/**
 * Holds out whole sessions: part `part` of `parts`. Only measured photos judge.
 *
 * @throws UsageError with fewer than two sessions
 */
export function holdOutSessions(
  training: Pick<TrainingSet<unknown>, 'targets' | 'groups' | 'weights'>,
  parts: number,
  part: number,
  random: RandomStream,
): Holdout {
  const folds = innerFolds(training, parts, random);
  if (!folds) {
    throw new UsageError(
      'checkpoint.choice=best-inner holds out sessions, but there is only one; use choice=last',
    );
  }
  const photos = folds.map((_, photo) => photo);
  const judged = [...new Set(folds.filter((fold) => fold >= 0))].sort((x, y) => x - y);
  const held = judged[part % judged.length];
  return {
    learnt: photos.filter((photo) => folds[photo] !== held),
    judging: photos.filter((photo) => folds[photo] === held),
  };
}

/** Photos with their labels, whatever kind their inputs are of. */
export interface LabelledInputs<Input> extends LabelledPhotos {
  readonly inputs: Input;
}

/**
 * The photos a member of a network learns from, and those its weights are judged by, as the settings choose.
 *
 * @param take the inputs of some photos
 * @throws UsageError when there are no such photos
 */
export function judgedPhotos<Input>(
  training: TrainingSet<Input>,
  take: (inputs: Input, photos: readonly number[]) => Input,
  { checkpoint }: Pick<NetworkSettings, 'checkpoint'>,
  { random }: Pick<FitContext, 'random'>,
  member: number,
): { readonly learnt: LabelledInputs<Input>; readonly judging?: LabelledInputs<Input> } {
  if (checkpoint.choice === 'best-inner') {
    const parts = holdOutSessions(training, checkpoint.innerFolds, member, random.fork('inner'));
    return {
      learnt: takeLabelled(training, take, parts.learnt),
      judging: takeLabelled(training, take, parts.judging),
    };
  }
  if (checkpoint.choice === 'best-fold' && !training.validation) {
    throw new UsageError('checkpoint.choice=best-fold needs a fold held out; use best-inner or last');
  }
  return { learnt: training, ...(training.validation && { judging: training.validation }) };
}

function takeLabelled<Input>(
  training: TrainingSet<Input>,
  take: (inputs: Input, photos: readonly number[]) => Input,
  photos: readonly number[],
): LabelledInputs<Input> {
  const pick = <T>(values: readonly T[]): T[] => photos.map((photo) => values[photo] as T);
  return {
    inputs: take(training.inputs, photos),
    targets: pick(training.targets),
    ...(training.weights && { weights: pick(training.weights) }),
    ...(training.attributes && { attributes: pick(training.attributes) }),
  };
}
