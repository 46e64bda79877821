import { join } from 'node:path';
import { UsageError } from '../ground/errors.ts';
import { featureSetsOf, type Matrix } from '../ground/matrix.ts';
import { randomStream } from '../ground/random.ts';
import type { Estimator, FitContext, FittedModel, MetricLine } from '../learning/estimator.ts';
import type { Samples, Split } from '../samples/samples.ts';
import type { SafetensorsFile } from '../tensor/index.ts';
import type { FeaturePlan } from '../vision/features/index.ts';
import type { ResolvedWeights } from '../vision/weights/index.ts';
import { covariateStatistics } from './heads/covariates.ts';
import { columnsOf, type NetworkShape } from './heads/features.ts';
import { massStatistics, type Statistics, trainingStatistics } from './heads/statistics.ts';
import { FEWEST_ROWS, setWeights, type Weights } from './inputs/input.ts';
import { type PhotoMemory, PhotoViews, photoMemory } from './inputs/photo-views.ts';
import {
  BACKBONE,
  ofBackbone,
  openPhotoBackbone,
  type PhotoBackbone,
  photoGraph,
  photoInput,
  photoShape,
  photosAtOnce,
  providerOptions,
} from './inputs/photos.ts';
import { countedOn, rowNetwork, trainOnRows } from './network.ts';
import type { LabelledPhotos } from './objectives/labels.ts';
import { massObjective } from './objectives/masses.ts';
import { besideTeacher, predictTrainingPhotos } from './objectives/teacher.ts';
import { fittedNetwork } from './prediction/fitted.ts';
import { massesGraph, viewFeaturesGraph } from './prediction/graph.ts';
import {
  asStored,
  copyTrainedBackbone,
  forStorage,
  inSingle,
  type NetworkModel,
  openTrainedBackbone,
  readNetwork,
  writeNetwork,
  writeTrainedBackbone,
} from './prediction/model-files.ts';
import type { OpenInput } from './prediction/program.ts';
import type { NetworkSettings } from './settings/network.ts';
import { requireSuitedData } from './suited-data.ts';
import { type LabelledSamples, memberSplit } from './training/holdout.ts';
import { type LabelledExamples, train } from './training/train.ts';
import { requireTrainable, trainedParts } from './training/unfreezing.ts';

/** What photos are read with. */
export interface PhotoNetworkSource {
  /** Of the backbone that is trained, or whose photos are augmented; found when they are first needed. */
  readonly weights: () => Promise<ResolvedWeights>;
  readonly plan: FeaturePlan;
  /** Whether samples have further sets of features, made before, which the heads read beside the backbone's. */
  readonly hasFurther?: boolean;
}

/** What all models of a recipe have in common. */
interface PhotoReading {
  readonly net: PhotoBackbone;
  readonly memory: PhotoMemory;
  readonly settings: NetworkSettings;
}

/** That of a backbone that suits the settings, and how features of its photos are arranged, without any further ones. */
interface SuitedReading extends PhotoReading {
  readonly shape: NetworkShape;
}

/**
 * A network with its backbone in one graph, trained on photos. With `headEpochs` the heads are trained on features of
 * the untouched backbone first. Of the backbone only what was trained is kept; where that is nothing, the model is one
 * over features, and all folds share one backbone.
 *
 * @throws UsageError when settings, labels and backbone do not suit each other
 */
export function photoNetwork(settings: NetworkSettings, source: PhotoNetworkSource): Estimator {
  const { standardise, fineTune } = settings;
  const { mode, photoCache, trunkCache, headEpochs } = fineTune;
  const memory = photoMemory(photoCache, trunkCache);
  const further = async (samples: Samples): Promise<Matrix | null> =>
    source.hasFurther ? samples.features(1) : null;
  let opened: Promise<PhotoReading> | undefined;
  const reading = (): Promise<PhotoReading> => {
    opened ??= source
      .weights()
      .then((weights) => openPhotoBackbone(weights, source.plan))
      .then((net) => ({ net, memory, settings }));
    return opened;
  };
  let known: Promise<SuitedReading> | undefined;
  const suited = (): Promise<SuitedReading> => {
    known ??= reading().then((own) => {
      requireSuited(own.net, settings);
      return { ...own, shape: photoShape(own.net) };
    });
    return known;
  };
  return {
    predictsFrom: mode === 'none' ? 'features' : 'photos',
    passesGaps: true,
    requireData: (train, sets) => requireSuitedData(settings, train, sets, false),
    async prepare(samples) {
      await suited();
      memory.threads.hold();
      // Made here they are remembered, and somebody sees how far they are.
      if (standardise || headEpochs > 0 || mode === 'none') await samples.features();
      else await further(samples);
    },
    async fit(split, context) {
      const own = await suited();
      const shape = {
        ...own.shape,
        extra: (await further(split.train))?.columns ?? 0,
        ...(split.train.shown.length > 0 && { covariates: split.train.shown.length }),
      };
      const weights = await fit(own, shape, split, context, further);
      const heads = Object.fromEntries(
        Object.entries(weights).filter(([name]) => !name.startsWith(BACKBONE)),
      );
      const model: NetworkModel = {
        architecture: settings.architecture.kind,
        shape,
        columns: columnsOf(shape),
        concepts: null,
        members: [asStored(heads, settings.storage)],
      };
      // Kept as they will be stored, so that what predicts now predicts the same when it is read back.
      const trained = forStorage(ofBackbone(weights), settings.storage);
      return mode === 'none' ? rowNetwork(model, settings) : trainedNetwork(own, model, trained, further);
    },
    async release() {
      await memory.threads.release();
      await memory.sessions.release();
    },
    async read(folder) {
      const model = await readNetwork(folder, settings.architecture.kind);
      if (mode === 'none') return rowNetwork(model, settings);
      const own = await reading();
      return trainedNetwork(own, model, await openTrainedBackbone(folder, settings), further);
    },
  };
}

/** @throws UsageError for settings that mean nothing together, or not with this backbone */
export function requireSuited(net: PhotoBackbone, settings: NetworkSettings): void {
  const { precision } = net.plan;
  const { fineTune, members, concepts, layout } = settings;
  providerOptions(fineTune);
  if (members > 1) {
    throw new UsageError('training on photos makes one network a fold; set estimator.members=1');
  }
  if (concepts !== null) {
    throw new UsageError('training on photos knows no concepts; leave estimator.concepts empty');
  }
  if (layout.extra > 0) {
    throw new UsageError(
      'training on photos takes further features from further backbones (extra=NAME); leave estimator.layout.extra at 0',
    );
  }
  if (precision !== 'fp32') {
    throw new UsageError(`a backbone in ${precision} cannot be trained with; set input.precision=fp32`);
  }
  requireTrainable(net, fineTune);
}

/** Reads the features by the backbone itself, the first set, which were made in `prepare`. */
async function backboneRows(samples: Samples): Promise<(item: number) => Float32Array> {
  const features = await samples.features();
  const { data, columns } = features;
  const width = featureSetsOf(features)[0]?.columns ?? columns;
  return (item) => Float32Array.from(data.subarray(item * columns, item * columns + width));
}

type FurtherFeatures = (samples: Samples) => Promise<Matrix | null>;

async function fit(
  { net, memory, settings }: PhotoReading,
  shape: NetworkShape,
  split: Split,
  context: FitContext,
  further: FurtherFeatures,
): Promise<Weights> {
  const { standardise, fineTune, augmentation, teacher } = settings;
  const { headEpochs, headRate } = fineTune;
  const { random, onProgress, checkpointFolder } = context;
  const view = { training: split.train, features: null, random: random.fork('teacher') };
  const own = memberSplit(
    split,
    settings,
    random,
    0,
    teacher && ((items) => predictTrainingPhotos({ ...view, settings: teacher }, items)),
  );
  const { labels, samples } = own.train;
  const record = (line: MetricLine): void => context.record(besideTeacher(line, own.teacherLabels));
  const inside = (name: string): string | undefined => checkpointFolder && join(checkpointFolder, name);
  const start =
    headEpochs > 0
      ? await trainOnRows({
          shape,
          settings: {
            ...settings,
            epochs: headEpochs,
            optimizer: { ...settings.optimizer, rate: headRate ?? settings.optimizer.rate },
            checkpoint: { ...settings.checkpoint, patience: null },
          },
          split: own,
          random: random.fork('heads'),
          record,
          checkpointFolder: inside('heads'),
        })
      : undefined;
  const statistics: Statistics = {
    ...(standardise
      ? trainingStatistics(await samples.features(), shape, samples.targets, labels.weights)
      : massStatistics(samples.targets, labels.weights)),
    ...covariateStatistics(samples.covariates, labels.weights),
  };
  const views = new PhotoViews(net, memory, { augmentation, draws: fineTune.draws });
  const labelled = async (set: LabelledSamples): Promise<LabelledExamples<LabelledPhotos>> => ({
    examples: views.examples({
      photos: set.samples.photos,
      ...(fineTune.mode === 'none' && { made: await backboneRows(set.samples) }),
      extra: await further(set.samples),
      covariates: set.samples.covariates,
    }),
    labels: set.labels,
  });
  const parts = trainedParts(net.backbone, fineTune);
  try {
    if (fineTune.photoCache > 0) {
      await views.begin(
        // Without a trained backbone their features are there.
        fineTune.mode === 'none' ? [] : (own.validation?.samples.photos ?? []),
        own.train.samples.photos,
      );
    }
    return await train({
      objective: massObjective(labels, settings, own.hasGaps),
      input: photoInput(net, fineTune, shape, {
        trunk: views.trunk,
        // A backbone that is trained part by part has too many programs to keep them all.
        sessions: parts.length === 1 ? memory.sessions : undefined,
      }),
      settings,
      parts,
      unfreeze: fineTune.unfreeze,
      statistics,
      train: await labelled(own.train),
      validation: own.validation && (await labelled(own.validation)),
      start,
      random: random.fork('photos'),
      record: (line) => record(countedOn(line, headEpochs)),
      // The heads' epochs before take next to no time beside the backbone's.
      onProgress,
      checkpointFolder: inside('photos'),
    });
  } finally {
    await views.close();
  }
}

/**
 * A trained network with a backbone of its own.
 *
 * @param trained what of the backbone was trained, as it is stored, under the checkpoint's names: in a file, which is
 *   used where it lies, or in memory as long as it is not written
 */
function trainedNetwork(
  { net, memory, settings }: PhotoReading,
  model: NetworkModel,
  trained: SafetensorsFile | Weights,
  further: FurtherFeatures,
): FittedModel {
  const { fineTune, storage } = settings;
  const file = isFile(trained) ? trained : null;
  const names = new Set(isFile(trained) ? trained.tensors.keys() : Object.keys(trained));
  const open = (): OpenInput => {
    const views = new PhotoViews(net, memory);
    const options = {
      random: randomStream(0),
      part: { trains: (name: string) => names.has(name), rate: 0 },
      variable: file === null,
      ...(file && { trained: file }),
    };
    const graph = photoGraph(net, fineTune, model.shape, options, views.trunk);
    return {
      graph,
      setWeights(variables) {
        if (graph.scope && !isFile(trained)) setWeights(variables, graph.scope, inSingle(trained), BACKBONE);
      },
      examples: async (samples) =>
        views.examples({
          photos: samples.photos,
          turn: samples.turn,
          extra: await further(samples),
          covariates: samples.covariates,
        }),
      close: () => views.close(),
    };
  };
  const atOnce = photosAtOnce(net);
  const rows = Math.min(FEWEST_ROWS, atOnce);
  // One by one, what does not fill half a batch leaves no place of a backbone's empty.
  const few = { examples: 1, rows, upTo: Math.max(rows, Math.floor(atOnce / 2)) };
  return fittedNetwork(
    model,
    settings,
    { atOnce, few, open },
    {
      async write(folder) {
        await writeNetwork(folder, model, storage);
        if (isFile(trained)) await copyTrainedBackbone(trained, folder);
        else await writeTrainedBackbone(folder, trained, settings);
      },
      ...(file && {
        graph: (under = '') => ({
          masses: (features, covariates) => massesGraph(model, settings, under, features, covariates),
          viewFeatures: (views) => viewFeaturesGraph(net, settings, file, views),
        }),
      }),
    },
  );
}

const isFile = (trained: SafetensorsFile | Weights): trained is SafetensorsFile =>
  'tensors' in trained && trained.tensors instanceof Map;
