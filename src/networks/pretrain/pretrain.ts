import { UsageError } from '../../ground/errors.ts';
import type { RandomStream } from '../../ground/random.ts';
import type { MetricLine } from '../../learning/estimator.ts';
import { compileOptions, LOSS, photosAtOnce } from '../fine-tune/open-stage.ts';
import { IMAGES, type PhotoBackbone, requireTrainable } from '../fine-tune/photo-backbone.ts';
import { ofBackbone } from '../fine-tune/photo-model.ts';
import { augmentedBatch } from '../fine-tune/photo-source.ts';
import { PhotoViews, photoMemory } from '../fine-tune/photo-views.ts';
import { StagedTraining } from '../fine-tune/staged-training.ts';
import { partAt, trainedParts } from '../fine-tune/unfreezing.ts';
import { viewBatches } from '../fine-tune/view-batches.ts';
import { type BatchSource, type EpochSettings, trainEpochs, type Validation } from '../network/epochs.ts';
import type { Weights } from '../network/loop-state.ts';
import { type Objective, objectiveFeeds } from './objective.ts';
import { OUTPUTS, openPretrainStage } from './pretrain-stage.ts';
import { fineTuning, type PretrainSettings } from './settings.ts';

/** What a backbone is trained further with. */
export interface Pretraining {
  readonly net: PhotoBackbone;
  readonly settings: PretrainSettings;
  /** Paths of the photos that the objective knows by their places. */
  readonly paths: readonly string[];
  readonly objective: Objective;
  /** Photos to learn from, and those that only judge, which may be none. */
  readonly learnt: readonly number[];
  readonly judging: readonly number[];
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
  compileOptions({ fineTune });
  requireTrainable(net, fineTune);
  const { checkpoint } = settings.estimator;
  if (checkpoint.choice === 'last' && checkpoint.patience !== null) {
    throw new UsageError(
      'estimator.checkpoint.patience needs weights chosen by held-out photos; set choice=best',
    );
  }
  if (checkpoint.choice === 'best' && settings.holdout.share === 0) {
    throw new UsageError('estimator.checkpoint.choice=best needs held-out photos; set holdout.share above 0');
  }
}

/**
 * Trains a backbone with a linear head on augmented whole photos, the views of the next batch being made while the
 * network computes. The head is left behind.
 *
 * @returns what was trained of the backbone, under the checkpoint's names
 * @throws InputError when a photo cannot be used
 * @throws as `trainEpochs`
 */
export async function pretrain(spec: Pretraining): Promise<Weights> {
  const { net, settings, objective, learnt, judging, random } = spec;
  const { augmentation, batch, fineTune, checkpoint } = settings.estimator;
  const parts = trainedParts(net.backbone, fineTuning(settings));
  const training = await StagedTraining.open({
    open: (index) => {
      const part = parts[index] as (typeof parts)[number];
      return openPretrainStage({ net, settings, objective, part, random });
    },
    partAt: (lines) => partAt(lines.map(scoreOf(checkpoint.choice)), parts.length, fineTune.unfreeze),
  });
  const views = new PhotoViews(net, photoMemory(fineTune.photoCache), augmentation);
  const paths = learnt.map((item) => spec.paths[item] as string);
  const source: BatchSource = {
    count: learnt.length,
    async batch(items, stream) {
      const { images, mix } = await augmentedBatch(views, paths, items, { batch, augmentation }, net, stream);
      const photos = items.map((item) => learnt[item] as number);
      return { [IMAGES]: images, ...objectiveFeeds(objective.labels(photos, batch, mix)) };
    },
  };
  try {
    const weights = await trainEpochs({
      training,
      get parameters() {
        return training.stage.parameters;
      },
      source,
      settings: epochSettings(settings),
      random: random.fork('epochs'),
      record: spec.record,
      ...(spec.onProgress && { onProgress: spec.onProgress }),
      ...(judging.length > 0 && { validate: () => judge(training, views, spec) }),
      ...(spec.checkpointFolder !== undefined && { checkpointFolder: spec.checkpointFolder }),
    });
    return ofBackbone(weights);
  } finally {
    await views.close();
    await training.dispose();
  }
}

/** Photos that judge are held out once and for all, as a fold's are. */
function epochSettings({ estimator }: PretrainSettings): EpochSettings {
  const { choice, by, patience } = estimator.checkpoint;
  return {
    ...estimator,
    checkpoint: { choice: choice === 'best' ? 'best-fold' : 'last', by, patience, innerFolds: 2 },
  };
}

/** How good an epoch was, higher being better; held-out photos count where the weights are chosen by them. */
const scoreOf =
  (choice: PretrainSettings['estimator']['checkpoint']['choice']) =>
  (line: MetricLine): number =>
    -((choice === 'best' ? line['validation loss'] : undefined) ?? line['training loss'] ?? 0);

/** The objective's judgement of photos as they are, with the weights as they would be kept. */
async function judge(
  { stage, averages }: StagedTraining,
  views: PhotoViews,
  { net, paths, objective, judging }: Pretraining,
): Promise<Validation> {
  const batch = photosAtOnce(net);
  const outputs = new Float32Array(judging.length * objective.width);
  let lossSum = 0;
  let counted = 0;
  const wanted = judging.map((item) => ({ path: paths[item] as string }));
  for await (const { items, images } of viewBatches(views, wanted, batch)) {
    const photos = items.map((item) => judging[item] as number);
    const feeds = { [IMAGES]: images, ...objectiveFeeds(objective.labels(photos, batch)) };
    const result = await stage.inference.run(feeds, { substitute: averages });
    const values = result[OUTPUTS]?.values.subarray(0, items.length * objective.width) as Float32Array;
    outputs.set(values, (items[0] as number) * objective.width);
    const count = objective.counted(photos);
    lossSum += Number(result[LOSS]?.values[0]) * count;
    counted += count;
  }
  return objective.judge(outputs, judging, lossSum / counted);
}
