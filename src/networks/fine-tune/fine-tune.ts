import { join } from 'node:path';
import { UsageError } from '../../ground/errors.ts';
import { type Matrix, takeRows } from '../../ground/matrix.ts';
import type {
  Estimator,
  FitContext,
  FittedModel,
  MetricLine,
  TrainingSet,
} from '../../learning/estimator.ts';
import { photoWeights } from '../../learning/session-weights.ts';
import { type PhotoSet, takePhotos } from '../../samples/photo-set.ts';
import { extractFeatures, type FeaturePlan } from '../../vision/features/index.ts';
import type { ResolvedWeights } from '../../vision/weights/index.ts';
import { judgedPhotos, type LabelledInputs } from '../network/holdout.ts';
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
  readonly weights: ResolvedWeights;
  readonly plan: FeaturePlan;
}

/**
 * A network with its backbone in one graph, trained on photos. With `headEpochs` the heads learn from features of the
 * untouched backbone first. Of the backbone only what was trained is kept; where that is nothing, the model is one
 * over features, and all folds share one backbone.
 *
 * @throws UsageError when settings, labels and backbone do not suit each other
 */
export function fineTunedNetwork(settings: NetworkSettings, source: PhotoNetworkSource): Estimator<PhotoSet> {
  const { mode, photoCache } = settings.fineTune;
  const memory = photoMemory(photoCache);
  const looking = async (): Promise<LookingAtPhotos> => ({
    net: await openPhotoBackbone(source.weights, source.plan),
    memory,
    settings,
  });
  return {
    async fit(training, context) {
      const own = await looking();
      requireSuited(own.net, settings);
      const shape = photoShape(own.net);
      const weights = await fit(own, shape, source, training, context);
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
      return mode === 'none'
        ? onFeatures(fittedNetwork(network, settings), source)
        : trainedPhotoModel(own, network, weights);
    },
    async read(folder) {
      if (mode === 'none') {
        const network = await readNetwork(folder, settings.architecture.kind);
        return onFeatures(fittedNetwork(network, settings), source);
      }
      return readPhotoModel(await looking(), folder);
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
  source: PhotoNetworkSource,
  training: TrainingSet<PhotoSet>,
  context: FitContext,
): Promise<Weights> {
  const { settings } = looking;
  const weights = photoWeights(training, settings.sessionWeight);
  const chosen = judgedPhotos(training, weights, takePhotos, settings, context, 0);
  const lesson =
    settings.teacher &&
    teachTrainingPhotos(
      { training, features: null, settings: settings.teacher, random: context.random.fork('teacher') },
      chosen.photos,
    );
  const learnt = {
    ...chosen.learnt,
    ...(lesson && { taught: lesson.taught }),
  };
  const { judging } = chosen;
  const { headEpochs } = settings.fineTune;
  const rows = await frozenRows(settings, source, learnt, judging);
  const statistics: Statistics =
    rows && settings.standardise
      ? trainingStatistics(rows.learnt, shape, learnt.targets, learnt.weights)
      : massStatistics(learnt.targets, learnt.weights);
  const { random, reached, checkpointFolder } = context;
  const record = (line: MetricLine): void => context.record(besideTeacher(line, lesson));
  const inside = (name: string): { checkpointFolder?: string } =>
    checkpointFolder === undefined ? {} : { checkpointFolder: join(checkpointFolder, name) };
  const start =
    rows && headEpochs > 0
      ? await trainMember({
          shape,
          settings: headSettings(settings),
          learnt: { ...learnt, inputs: rows.learnt },
          ...(judging && rows.judging && { judging: { ...judging, inputs: rows.judging } }),
          random: random.fork('heads'),
          record,
          ...inside('heads'),
        })
      : undefined;
  return trainOnPhotos({
    ...looking,
    learnt: { ...learnt, paths: learnt.inputs.paths },
    ...(judging && { judging: { ...judging, paths: judging.inputs.paths } }),
    statistics,
    ...(start && { start }),
    random: random.fork('photos'),
    record: (line) => record(countedOn(line, headEpochs)),
    // What the heads learn before, from features, takes next to no time beside the backbone.
    ...(reached && { reached }),
    ...inside('photos'),
  });
}

/** Features of the untouched backbone, where something is to be learnt from them. */
async function frozenRows(
  { standardise, fineTune }: NetworkSettings,
  { weights, plan }: PhotoNetworkSource,
  learnt: LabelledInputs<PhotoSet>,
  judging: LabelledInputs<PhotoSet> | undefined,
): Promise<{ readonly learnt: Matrix; readonly judging?: Matrix } | null> {
  if (!standardise && fineTune.headEpochs === 0) return null;
  const paths = [...learnt.inputs.paths, ...(judging?.inputs.paths ?? [])];
  const all = await extractFeatures(paths, weights, plan);
  const rows = paths.map((_, row) => row);
  const count = learnt.inputs.paths.length;
  return {
    learnt: takeRows(all, rows.slice(0, count)),
    ...(judging && { judging: takeRows(all, rows.slice(count)) }),
  };
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

/** A network over features as one over photos. */
function onFeatures(
  model: FittedModel<Matrix>,
  { weights, plan }: PhotoNetworkSource,
): FittedModel<PhotoSet> {
  const rowsOf = ({ paths, turn = 0 }: PhotoSet): Promise<Matrix> =>
    extractFeatures(paths, weights, plan, { turn });
  const { predictSamples } = model;
  return {
    predict: async (photos) => model.predict(await rowsOf(photos)),
    ...(predictSamples && {
      predictSamples: async (photos, samples, random) =>
        predictSamples(await rowsOf(photos), samples, random),
    }),
    write: (folder) => model.write(folder),
  };
}
