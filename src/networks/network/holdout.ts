import { UsageError } from '../../ground/errors.ts';
import type { RandomStream } from '../../ground/random.ts';
import type { FitContext, TrainingSet } from '../../learning/estimator.ts';
import { innerFolds } from '../../learning/inner-folds.ts';
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

type Weighted<Input> = LabelledInputs<Input> & Required<Pick<LabelledPhotos, 'weights'>>;

/** What a member learns from, and what judges it. */
export interface JudgedPhotos<Input> {
  /** Those learnt from, as positions in the training set. */
  readonly photos: readonly number[];
  readonly learnt: Weighted<Input>;
  /** Absent: there are none. */
  readonly judging?: LabelledInputs<Input>;
}

/**
 * The photos a member of a network learns from, and those its weights are judged by, as the settings choose.
 *
 * @param training with photos' own weights, which tell measured from pseudo-labelled ones
 * @param weights how much each photo counts in learning
 * @param take the inputs of some photos
 * @throws UsageError when there are no such photos
 */
export function judgedPhotos<Input>(
  training: TrainingSet<Input>,
  weights: readonly number[],
  take: (inputs: Input, photos: readonly number[]) => Input,
  { checkpoint }: Pick<NetworkSettings, 'checkpoint'>,
  { random }: Pick<FitContext, 'random'>,
  member: number,
): JudgedPhotos<Input> {
  const weighted = { ...training, weights };
  if (checkpoint.choice === 'best-inner') {
    const parts = holdOutSessions(training, checkpoint.innerFolds, member, random.fork('inner'));
    return {
      photos: parts.learnt,
      learnt: takeLabelled(weighted, take, parts.learnt),
      judging: takeLabelled(weighted, take, parts.judging),
    };
  }
  if (checkpoint.choice === 'best-fold' && !training.validation) {
    throw new UsageError('checkpoint.choice=best-fold needs a fold held out; use best-inner or last');
  }
  const photos = training.targets.map((_, photo) => photo);
  return { photos, learnt: weighted, ...(training.validation && { judging: training.validation }) };
}

function takeLabelled<Input>(
  training: TrainingSet<Input> & { readonly weights: readonly number[] },
  take: (inputs: Input, photos: readonly number[]) => Input,
  photos: readonly number[],
): Weighted<Input> {
  const pick = <T>(values: readonly T[]): T[] => photos.map((photo) => values[photo] as T);
  return {
    inputs: take(training.inputs, photos),
    targets: pick(training.targets),
    weights: pick(training.weights),
    ...(training.attributes && { attributes: pick(training.attributes) }),
  };
}
