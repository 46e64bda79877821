import type { RandomStream } from '../../ground/random.ts';
import type { MetricLine } from '../../learning/estimator.ts';
import { weightedR2 } from '../../pasture/metric.ts';
import { trainEpochs, type Validation } from '../network/epochs.ts';
import { type LabelCodec, type LabelledPhotos, labelCodec, labelFeeds } from '../network/labels.ts';
import type { Weights } from '../network/loop-state.ts';
import { physicalMasses } from '../network/physical-masses.ts';
import type { NetworkSettings } from '../network/settings.ts';
import { type Statistics, setStatistics } from '../network/statistics.ts';
import { LOSS, MASSES, openStage, photosAtOnce } from './open-stage.ts';
import { IMAGES, type PhotoBackbone } from './photo-backbone.ts';
import { photoSource } from './photo-source.ts';
import { type PhotoMemory, PhotoViews } from './photo-views.ts';
import { StagedTraining } from './staged-training.ts';
import { partAt, trainedParts } from './unfreezing.ts';
import { viewBatches } from './view-batches.ts';

/** Photos with their labels. */
export interface LabelledFiles extends LabelledPhotos {
  readonly paths: readonly string[];
}

/** What a network is trained with on photos. */
export interface PhotoTraining {
  readonly net: PhotoBackbone;
  readonly memory: PhotoMemory;
  readonly settings: NetworkSettings;
  readonly learnt: LabelledFiles;
  /** Photos the weights are judged by after every epoch; absent: none. */
  readonly judging?: LabelledFiles;
  /** What the heads know of the training photos besides weights. */
  readonly statistics: Statistics;
  /** Heads that were trained before. */
  readonly start?: Weights;
  readonly random: RandomStream;
  readonly record: (line: MetricLine) => void;
  /** See `FitContext`. */
  readonly onProgress?: (share: number) => void;
  readonly checkpointFolder?: string;
}

/**
 * Trains heads and what the settings say of the backbone on augmented photos, the views of the next batch being
 * made while the network computes.
 *
 * @returns trained weights and statistics, those of the backbone under `backbone.`
 * @throws as `openStage` and `trainEpochs`
 */
export async function trainOnPhotos(spec: PhotoTraining): Promise<Weights> {
  const { net, settings, learnt, judging, statistics, start, random, onProgress, checkpointFolder } = spec;
  const { fineTune } = settings;
  const codec = labelCodec(learnt, settings);
  const parts = trainedParts(net.backbone, fineTune);
  const training = await StagedTraining.open({
    async open(index) {
      const part = parts[index] as (typeof parts)[number];
      const stage = await openStage({ net, settings, codec, part, random });
      setStatistics(stage.training.variables, stage.parameters, statistics);
      return stage;
    },
    partAt: (lines) =>
      partAt(lines.map(scoreOf(settings.checkpoint.choice)), parts.length, fineTune.unfreeze),
    ...(start && { start }),
  });
  const views = new PhotoViews(net, spec.memory, settings.augmentation);
  try {
    return await trainEpochs({
      training,
      get parameters() {
        return training.stage.parameters;
      },
      source: photoSource(views, learnt.paths, learnt, codec, settings, net),
      settings,
      random: random.fork('epochs'),
      record: spec.record,
      ...(onProgress && { onProgress }),
      ...(judging && { validate: () => judge(training, net, views, judging, codec, settings) }),
      ...(checkpointFolder !== undefined && { checkpointFolder }),
    });
  } finally {
    await views.close();
    await training.dispose();
  }
}

/**
 * How good an epoch was, higher being better: by the photos that the checkpoint is chosen by, else by the loss, for
 * photos that only score the fold must decide nothing.
 */
const scoreOf =
  (choice: NetworkSettings['checkpoint']['choice']) =>
  (line: MetricLine): number =>
    (choice === 'last' ? undefined : line['validation weighted R²']) ?? -(line['training loss'] ?? 0);

/** Weighted R² and mean loss of photos as they are, with the weights as they would be kept. */
async function judge(
  { stage, averages }: StagedTraining,
  net: PhotoBackbone,
  views: PhotoViews,
  photos: LabelledFiles,
  codec: LabelCodec,
  { architecture }: NetworkSettings,
): Promise<Validation> {
  const batch = photosAtOnce(net);
  const count = photos.paths.length;
  const free = new Float32Array(count * 5);
  const wanted = photos.paths.map((path) => ({ path }));
  let lossSum = 0;
  for await (const { items, images } of viewBatches(views, wanted, batch)) {
    const feeds = { [IMAGES]: images, ...labelFeeds(photos, items, batch, codec) };
    const result = await stage.inference.run(feeds, { substitute: averages });
    const masses = result[MASSES]?.values.subarray(0, items.length * 5) as Float32Array;
    free.set(masses, (items[0] as number) * 5);
    lossSum += Number(result[LOSS]?.values[0]) * items.length;
  }
  return {
    score: weightedR2(photos.targets, physicalMasses(free, architecture)),
    loss: lossSum / count,
  };
}
