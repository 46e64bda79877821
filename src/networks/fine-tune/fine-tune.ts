import { join } from 'node:path';
import { UsageError } from '../../ground/errors.ts';
import type { Estimator, FitContext, MetricLine } from '../../learning/estimator.ts';
import { photoWeights } from '../../learning/session-weights.ts';
import type { Split } from '../../samples/samples.ts';
import type { FeaturePlan } from '../../vision/features/index.ts';
import type { ResolvedWeights } from '../../vision/weights/index.ts';
import { memberSplit } from '../network/holdout.ts';
import type { Weights } from '../network/loop-state.ts';
import { trainMember } from '../network/member.ts';
import { asStored, type NetworkModel, readNetwork } from '../network/model-files.ts';
import { fittedNetwork } from '../network/network.ts';
import type { NetworkSettings } from '../network/settings.ts';
import { columnsOf, type NetworkShape } from '../network/shape.ts';
import { massStatistics, type Statistics, trainingStatistics } from '../network/statistics.ts';
import { besideTeacher, teachTrainingPhotos } from '../network/teacher.ts';
import { compileOptions } from './open-stage.ts';
import {
  BACKBONE,
  openPhotoBackbone,
  type PhotoBackbone,
  photoShape,
  requireTrainable,
} from './photo-backbone.ts';
import { type LookingAtPhotos, readPhotoModel, trainedPhotoModel } from './photo-model.ts';
import { photoMemory } from './photo-views.ts';
import { trainOnPhotos } from './train-on-photos.ts';

/** Where photos are looked at with. */
export interface PhotoNetworkSource {
  /** Found when they are first needed. */
  readonly weights: () => Promise<ResolvedWeights>;
  readonly plan: FeaturePlan;
}

/**
 * A network with its backbone in one graph, trained on photos. With `headEpochs` the heads learn from features of the
 * untouched backbone first. Of the backbone only what was trained is kept; where that is nothing, the model is one
 * over features, and all folds share one backbone.
 *
 * @throws UsageError when settings, labels and backbone do not suit each other
 */
export function fineTunedNetwork(settings: NetworkSettings, source: PhotoNetworkSource): Estimator {
  const { standardise, fineTune } = settings;
  const { mode, photoCache } = fineTune;
  const memory = photoMemory(photoCache);
  let opened: Promise<LookingAtPhotos> | undefined;
  const looking = (): Promise<LookingAtPhotos> => {
    opened ??= source
      .weights()
      .then((weights) => openPhotoBackbone(weights, source.plan))
      .then((net) => ({ net, memory, settings }));
    return opened;
  };
  return {
    predictsFrom: mode === 'none' ? 'features' : 'photos',
    async prepare(samples) {
      requireSuited((await looking()).net, settings);
      // Made here they are remembered, and somebody sees how far they are.
      if (standardise || fineTune.headEpochs > 0 || mode === 'none') await samples.features();
    },
    async fit(split, context) {
      const own = await looking();
      requireSuited(own.net, settings);
      const shape = photoShape(own.net);
      const weights = await fit(own, shape, split, context);
      const heads = Object.fromEntries(
        Object.entries(weights).filter(([name]) => !name.startsWith(BACKBONE)),
      );
      const network: NetworkModel = {
        architecture: settings.architecture.kind,
        shape,
        columns: columnsOf(shape),
        concepts: null,
        members: [asStored(heads, settings.storage)],
      };
      return mode === 'none' ? fittedNetwork(network, settings) : trainedPhotoModel(own, network, weights);
    },
    async read(folder) {
      return mode === 'none'
        ? fittedNetwork(await readNetwork(folder, settings.architecture.kind), settings)
        : readPhotoModel(await looking(), folder);
    },
  };
}

/** @throws UsageError for settings that mean nothing together, or not with this backbone */
export function requireSuited(net: PhotoBackbone, settings: NetworkSettings): void {
  const { precision } = net.plan;
  const { fineTune, members, concepts, layout } = settings;
  compileOptions(settings);
  if (members > 1) {
    throw new UsageError('training on photos makes one network a fold; set estimator.members=1');
  }
  if (concepts !== null) {
    throw new UsageError('training on photos knows no concepts; leave estimator.concepts empty');
  }
  if (layout.extra > 0) {
    throw new UsageError('training on photos takes one backbone; leave out its further features');
  }
  if (precision !== 'fp32') {
    throw new UsageError(`a backbone in ${precision} cannot be trained with; set input.precision=fp32`);
  }
  requireTrainable(net, fineTune);
}

async function fit(
  looking: LookingAtPhotos,
  shape: NetworkShape,
  split: Split,
  context: FitContext,
): Promise<Weights> {
  const { settings } = looking;
  const all = photoWeights(split.train, settings.sessionWeight);
  const { items, train, weights, validation } = memberSplit(split, all, settings, context, 0);
  const lesson =
    settings.teacher &&
    teachTrainingPhotos(
      {
        training: split.train,
        features: null,
        settings: settings.teacher,
        random: context.random.fork('teacher'),
      },
      items,
    );
  const labels = { ...train.labels, weights, ...(lesson && { taught: lesson.taught }) };
  const { headEpochs } = settings.fineTune;
  // What the untouched backbone says of the photos, where something is to be learnt from it.
  const frozen = settings.standardise || headEpochs > 0;
  const rows = frozen ? await train.samples.features() : null;
  const statistics: Statistics =
    rows && settings.standardise
      ? trainingStatistics(rows, shape, labels.targets, weights)
      : massStatistics(labels.targets, weights);
  const { random, onProgress, checkpointFolder } = context;
  const record = (line: MetricLine): void => context.record(besideTeacher(line, lesson));
  const inside = (name: string): { checkpointFolder?: string } =>
    checkpointFolder === undefined ? {} : { checkpointFolder: join(checkpointFolder, name) };
  const start =
    rows && headEpochs > 0
      ? await trainMember({
          shape,
          settings: headSettings(settings),
          train: { inputs: rows, ...labels },
          ...(validation && {
            validation: { inputs: await validation.samples.features(), ...validation.labels },
          }),
          random: random.fork('heads'),
          record,
          ...inside('heads'),
        })
      : undefined;
  return trainOnPhotos({
    ...looking,
    learnt: { paths: train.samples.photos, ...labels },
    ...(validation && { judging: { paths: validation.samples.photos, ...validation.labels } }),
    statistics,
    ...(start && { start }),
    random: random.fork('photos'),
    record: (line) => record(countedOn(line, headEpochs)),
    // What the heads learn before, from features, takes next to no time beside the backbone.
    ...(onProgress && { onProgress }),
    ...inside('photos'),
  });
}

/** How heads are trained before photos are. */
function headSettings(settings: NetworkSettings): NetworkSettings {
  const { optimizer, checkpoint, fineTune } = settings;
  return {
    ...settings,
    epochs: fineTune.headEpochs,
    optimizer: { ...optimizer, rate: fineTune.headRate ?? optimizer.rate },
    checkpoint: { ...checkpoint, patience: null },
  };
}

/** Epochs on photos count on from those of the heads, so that a fold has one curve. */
const countedOn = (line: MetricLine, before: number): MetricLine => ({
  ...line,
  epoch: (line.epoch ?? 0) + before,
});
