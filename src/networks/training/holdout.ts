import { UsageError } from '../../ground/errors.ts';
import type { RandomStream } from '../../ground/random.ts';
import { innerFolds, itemsWhere } from '../../learning/inner-folds.ts';
import { photoWeights } from '../../learning/session-weights.ts';
import { isComplete } from '../../pasture/partial.ts';
import type { Split, TrainingRows, TrainingSamples } from '../../samples/samples.ts';
import type { LabelledPhotos } from '../objectives/labels.ts';
import type { TeacherLabels } from '../objectives/teacher.ts';
import type { NetworkSettings } from '../settings/network.ts';

/**
 * Holds out whole sessions: part `part` of `parts`. Only measured samples validate.
 *
 * @returns places of the samples of each side
 * @throws UsageError with fewer than two sessions
 */
function holdOutSessions(
  training: Pick<TrainingRows, 'targets' | 'groups' | 'measured'>,
  parts: number,
  part: number,
  random: RandomStream,
): Record<'train' | 'validation', readonly number[]> {
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
export interface LabelledSamples<Labels extends LabelledPhotos = LabelledPhotos> {
  readonly samples: TrainingSamples;
  readonly labels: Labels;
}

/** What a member trains on, and what validates it. */
export interface MemberSplit {
  readonly train: LabelledSamples<LabelledPhotos & { readonly weights: readonly number[] }>;
  /** Null: there are none. */
  readonly validation: LabelledSamples | null;
  /** Its training samples' labels from a teacher; undefined: there is none. */
  readonly teacherLabels: TeacherLabels | undefined;
  /** Whether masses of photos of either side were not measured. */
  readonly hasGaps: boolean;
}

/**
 * The samples a member of a network trains on, and those its weights are validated on, as the settings choose.
 *
 * @param random of all members
 * @param teacherLabelsOf what a teacher says of samples, by their places in the training set
 * @throws UsageError when there are no such samples
 */
export function memberSplit(
  { train, validation }: Split,
  { checkpoint, sessionWeight }: Pick<NetworkSettings, 'checkpoint' | 'sessionWeight'>,
  random: RandomStream,
  member: number,
  teacherLabelsOf?: (items: readonly number[]) => TeacherLabels,
): MemberSplit {
  const all = photoWeights(train, sessionWeight);
  const labelled = (items: readonly number[]): MemberSplit['train'] => {
    const samples = train.take(items);
    const weights = items.map((item) => all[item] as number);
    return {
      samples,
      labels: { targets: samples.targets, observed: samples.observed, weights, attributes: samples.facts },
    };
  };
  const trained = (items: readonly number[]): Pick<MemberSplit, 'train' | 'teacherLabels'> => {
    const { samples, labels } = labelled(items);
    const teacherLabels = teacherLabelsOf?.(items);
    return {
      train: { samples, labels: teacherLabels ? { ...labels, teacherMasses: teacherLabels.masses } : labels },
      teacherLabels,
    };
  };
  const hasGaps = [train, validation].some((side) => side && !side.targets.every(isComplete));
  if (checkpoint.choice === 'best-inner') {
    const parts = holdOutSessions(train, checkpoint.innerFolds, member, random.fork('inner'));
    return { ...trained(parts.train), validation: labelled(parts.validation), hasGaps };
  }
  if (checkpoint.choice === 'best-fold' && !validation) {
    throw new UsageError('checkpoint.choice=best-fold needs a fold held out; use best-inner or last');
  }
  return {
    hasGaps,
    ...trained(train.facts.map((_, item) => item)),
    validation: validation && {
      samples: validation,
      labels: { targets: validation.targets, observed: validation.observed },
    },
  };
}
