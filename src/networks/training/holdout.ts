import { UsageError } from '../../ground/errors.ts';
import type { RandomStream } from '../../ground/random.ts';
import type { FitContext } from '../../learning/estimator.ts';
import { innerFolds, itemsWhere } from '../../learning/inner-folds.ts';
import type { Split, TrainingRows, TrainingSamples } from '../../samples/samples.ts';
import type { LabelledPhotos } from '../objectives/labels.ts';
import type { NetworkSettings } from '../settings/network.ts';

/** Which samples of a training set are trained on, and which validate. */
export interface Holdout {
  readonly train: readonly number[];
  readonly validation: readonly number[];
}

/**
 * Holds out whole sessions: part `part` of `parts`. Only measured samples validate.
 *
 * @throws UsageError with fewer than two sessions
 */
export function holdOutSessions(
  training: Pick<TrainingRows, 'targets' | 'groups' | 'measured'>,
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
  const drawn = [...new Set(folds.filter((fold) => fold >= 0))].sort((x, y) => x - y);
  const held = drawn[part % drawn.length];
  return {
    train: itemsWhere(folds, (fold) => fold !== held),
    validation: itemsWhere(folds, (fold) => fold === held),
  };
}

/** Samples with what a network is told of them. */
export interface LabelledSamples {
  readonly samples: TrainingSamples;
  readonly labels: LabelledPhotos;
}

/** What a member trains on, and what validates it. */
export interface MemberSplit {
  /** Those trained on, as positions in the training set. */
  readonly items: readonly number[];
  readonly train: LabelledSamples;
  /** How much each counts. */
  readonly weights: readonly number[];
  /** Null: there are none. */
  readonly validation: LabelledSamples | null;
}

/**
 * The samples a member of a network trains on, and those its weights are validated on, as the settings choose.
 *
 * @param weights how much each training sample counts
 * @throws UsageError when there are no such samples
 */
export function memberSplit(
  { train, validation }: Split,
  weights: readonly number[],
  { checkpoint }: Pick<NetworkSettings, 'checkpoint'>,
  { random }: Pick<FitContext, 'random'>,
  member: number,
): MemberSplit {
  const labelled = (items: readonly number[]): LabelledSamples => {
    const samples = train.take(items);
    const own = items.map((item) => weights[item] as number);
    return { samples, labels: { targets: samples.targets, weights: own, attributes: samples.facts } };
  };
  if (checkpoint.choice === 'best-inner') {
    const parts = holdOutSessions(train, checkpoint.innerFolds, member, random.fork('inner'));
    return {
      items: parts.train,
      train: labelled(parts.train),
      weights: parts.train.map((item) => weights[item] as number),
      validation: labelled(parts.validation),
    };
  }
  if (checkpoint.choice === 'best-fold' && !validation) {
    throw new UsageError('checkpoint.choice=best-fold needs a fold held out; use best-inner or last');
  }
  const items = train.facts.map((_, item) => item);
  return {
    items,
    train: labelled(items),
    weights,
    validation: validation && { samples: validation, labels: { targets: validation.targets } },
  };
}
