import { join } from 'node:path';
import { featureSetsOf, type Matrix } from '../../ground/matrix.ts';
import {
  type Estimator,
  type FitContext,
  type FittedModel,
  fittedModel,
  type MetricLine,
  rowEstimator,
} from '../../learning/estimator.ts';
import { photoWeights } from '../../learning/session-weights.ts';
import { changedSplit, type Split } from '../../samples/samples.ts';
import { readConcepts, withConceptScores } from './concepts.ts';
import { hasDropout } from './dropout.ts';
import { memberSplit } from './holdout.ts';
import type { Weights } from './loop-state.ts';
import { predictMaps } from './maps.ts';
import { trainMember } from './member.ts';
import { asStored, type NetworkModel, readNetwork, writeNetwork } from './model-files.ts';
import { networkGraph } from './network-graph.ts';
import { predictMasses, sampleMasses } from './predictor.ts';
import type { NetworkSettings } from './settings.ts';
import { type NetworkShape, networkShape, pooledParts } from './shape.ts';
import { besideTeacher, lessonsOf } from './teacher.ts';

/**
 * Neural networks over rows of frozen features: `members` networks of different initial weights, trained one after
 * another and averaged. With `checkpoint.choice=best-inner` each member holds out another part of the sessions. A
 * teacher that sees more, where the settings have one, is forgotten after training.
 *
 * @throws UsageError when settings, labels and features do not suit each other
 */
export function network(settings: NetworkSettings): Estimator {
  return rowEstimator({
    async fit(split, context) {
      const concepts = settings.concepts === null ? null : await readConcepts(settings.concepts);
      const given = await split.train.features();
      const extra = furtherColumns(given) || settings.layout.extra;
      const shown = concepts
        ? changedSplit(split, (samples) =>
            samples.withFeatures((features) => withConceptScores(features, extra, concepts)),
          )
        : split;
      const inputs = await shown.train.features();
      const shape = networkShape(inputs.columns, {
        ...settings.layout,
        extra: concepts ? concepts.rows : extra,
      });
      const lessons =
        settings.teacher &&
        lessonsOf({
          training: split.train,
          features: settings.teacher.features ? pooledParts(inputs, shape) : null,
          settings: settings.teacher,
          random: context.random.fork('teacher'),
        });
      const members: Weights[] = [];
      for (let member = 0; member < settings.members; member++) {
        const weights = await fitMember(shown, shape, settings, context, member, lessons);
        members.push(asStored(weights, settings.storage));
      }
      return fittedNetwork(
        { architecture: settings.architecture.kind, shape, columns: given.columns, concepts, members },
        settings,
      );
    },
    read: async (folder) => fittedNetwork(await readNetwork(folder, settings.architecture.kind), settings),
  });
}

/** Columns of all feature sets but the first, which are the further embedding. */
function furtherColumns(inputs: Matrix): number {
  const [first] = featureSetsOf(inputs);
  return inputs.columns - (first?.columns ?? inputs.columns);
}

/** A trained network over rows of features. */
export function fittedNetwork(model: NetworkModel, settings: NetworkSettings): FittedModel {
  return fittedModel({
    predict: async (samples) => predictMasses(model, await samples.features(), settings),
    ...(hasDropout(settings) && {
      sampleDropout: async (samples, draws, random) =>
        sampleMasses(model, await samples.features(), settings, draws, random),
    }),
    graph: () => ({ masses: (features) => networkGraph(model, settings, features), viewFeatures: null }),
    ...(settings.architecture.kind === 'density' && {
      maps: async (samples) => predictMaps(model, await samples.features(), settings),
    }),
    write: (folder) => writeNetwork(folder, model, settings.storage),
  });
}

async function fitMember(
  split: Split,
  shape: NetworkShape,
  settings: NetworkSettings,
  context: FitContext,
  member: number,
  lessons: ReturnType<typeof lessonsOf> | undefined,
): Promise<Weights> {
  const all = photoWeights(split.train, settings.sessionWeight);
  const { items, train, weights, validation } = memberSplit(split, all, settings, context, member);
  const lesson = lessons?.(items);
  const { checkpointFolder, onProgress } = context;
  return trainMember({
    shape,
    settings,
    train: {
      inputs: await train.samples.features(),
      ...train.labels,
      weights,
      ...(lesson && { taught: lesson.taught }),
    },
    ...(validation && {
      validation: { inputs: await validation.samples.features(), ...validation.labels },
    }),
    random: context.random.fork(`member ${member}`),
    record: (line) => context.record(besideTeacher(countedOn(line, member, settings), lesson)),
    ...(onProgress && { onProgress: (share) => onProgress((member + share) / settings.members) }),
    ...(checkpointFolder !== undefined && { checkpointFolder: join(checkpointFolder, `member-${member}`) }),
  });
}

/** Epochs of later members count on from those of the first, so that a fold has one curve. */
function countedOn(line: MetricLine, member: number, { epochs }: NetworkSettings): MetricLine {
  return { ...line, epoch: (line.epoch as number) + member * epochs };
}
