import { UsageError } from '../../ground/errors.ts';
import type { RandomStream } from '../../ground/random.ts';
import type { MetricLine } from '../../learning/estimator.ts';
import type { Weights } from '../inputs/input.ts';
import { PhotoViews, photoMemory } from '../inputs/photo-views.ts';
import { ofBackbone, type PhotoBackbone, photoInput, providerOptions } from '../inputs/photos.ts';
import { type LinearTask, linearObjective } from '../objectives/linear-head.ts';
import { fineTuning, type PretrainSettings } from '../settings/pretrain.ts';
import { type LabelledExamples, type TrainingSettings, train } from '../training/train.ts';
import { requireTrainable, trainedParts } from '../training/unfreezing.ts';

/** What a backbone is trained further with. */
export interface Pretraining {
  readonly net: PhotoBackbone;
  readonly settings: PretrainSettings;
  /** Paths of the photos that the task knows by their places. */
  readonly paths: readonly string[];
  readonly task: LinearTask;
  /** Places of the photos to train on, and of those that only validate, which may be none. */
  readonly train: readonly number[];
  readonly validation: readonly number[];
  readonly random: RandomStream;
  /** Receives one line an epoch; those of the time before a kill come again at once. */
  readonly record: (line: MetricLine) => void;
  /** Told what share of all epochs is done, from 0 to 1. */
  readonly onProgress?: (share: number) => void;
  /** Folder of its own for states to resume from. */
  readonly checkpointFolder?: string;
}

/**
 * Makes sure that a backbone can be trained as the settings say.
 *
 * @throws UsageError when it cannot
 */
export function requirePretrainable(net: PhotoBackbone, settings: PretrainSettings): void {
  const fineTune = fineTuning(settings);
  providerOptions(fineTune);
  requireTrainable(net, fineTune);
  const { checkpoint } = settings.estimator;
  if (checkpoint.choice === 'best' && settings.holdout.share === 0) {
    throw new UsageError('estimator.checkpoint.choice=best needs held-out photos; set holdout.share above 0');
  }
}

/**
 * Trains a backbone with a linear head on augmented whole photos. The head is left behind.
 *
 * @returns what was trained of the backbone, under the checkpoint's names
 * @throws as `train`
 */
export async function pretrain(spec: Pretraining): Promise<Weights> {
  const { net, settings, paths, task, random, record, onProgress, checkpointFolder } = spec;
  const { estimator } = settings;
  const fineTune = fineTuning(settings);
  const memory = photoMemory(fineTune.photoCache, fineTune.trunkCache);
  const { augmentation } = estimator;
  const views = new PhotoViews(net, memory, { augmentation, draws: fineTune.draws });
  const labelled = (places: readonly number[]): LabelledExamples<readonly number[]> => ({
    examples: views.examples({ photos: places.map((place) => paths[place] as string) }),
    labels: places,
  });
  try {
    const weights = await train({
      objective: linearObjective(task, estimator.dropout),
      input: photoInput(net, fineTune, undefined, { trunk: views.trunk }),
      settings: trainingSettings(settings),
      parts: trainedParts(net.backbone, fineTune),
      unfreeze: fineTune.unfreeze,
      train: labelled(spec.train),
      validation: spec.validation.length > 0 ? labelled(spec.validation) : null,
      random,
      record,
      onProgress,
      checkpointFolder,
    });
    return ofBackbone(weights);
  } finally {
    await views.close();
  }
}

/** Photos that validate are held out once and for all, as a fold's are. */
function trainingSettings({ estimator }: PretrainSettings): TrainingSettings {
  const { choice, by, patience } = estimator.checkpoint;
  return {
    ...estimator,
    checkpoint: { choice: choice === 'best' ? 'best-fold' : 'last', by, patience, innerFolds: 2 },
  };
}
