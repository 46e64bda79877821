import { join } from 'node:path';
import { featureSetsOf, type Matrix, takeRows } from '../../ground/matrix.ts';
import type { RandomStream } from '../../ground/random.ts';
import type {
  Estimator,
  FitContext,
  FittedModel,
  MetricLine,
  TrainingSet,
} from '../../learning/estimator.ts';
import { photoWeights } from '../../learning/session-weights.ts';
import { readConcepts, withConceptScores } from './concepts.ts';
import { hasDropout } from './dropout.ts';
import { judgedPhotos } from './holdout.ts';
import type { Weights } from './loop-state.ts';
import { type MapPredictor, predictMaps } from './maps.ts';
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
export function network(settings: NetworkSettings): Estimator<Matrix> {
  return {
    async fit(training, context) {
      const concepts = settings.concepts === null ? null : await readConcepts(settings.concepts);
      const extra = furtherColumns(training.inputs) || settings.layout.extra;
      const scored = (inputs: Matrix): Matrix =>
        concepts ? withConceptScores(inputs, extra, concepts) : inputs;
      const inputs = scored(training.inputs);
      const shape = networkShape(inputs.columns, {
        ...settings.layout,
        extra: concepts ? concepts.rows : extra,
      });
      const prepared = {
        ...training,
        inputs,
        ...(training.validation && {
          validation: { ...training.validation, inputs: scored(training.validation.inputs) },
        }),
      };
      const lessons =
        settings.teacher &&
        lessonsOf({
          training,
          features: settings.teacher.features ? pooledParts(inputs, shape) : null,
          settings: settings.teacher,
          random: context.random.fork('teacher'),
        });
      const members: Weights[] = [];
      for (let member = 0; member < settings.members; member++) {
        const weights = await fitMember(prepared, shape, settings, context, member, lessons);
        members.push(asStored(weights, settings.storage));
      }
      return fittedNetwork(
        {
          architecture: settings.architecture.kind,
          shape,
          columns: training.inputs.columns,
          concepts,
          members,
        },
        settings,
      );
    },
    read: async (folder) => fittedNetwork(await readNetwork(folder, settings.architecture.kind), settings),
  };
}

/** Columns of all feature sets but the first, which are the further embedding. */
function furtherColumns(inputs: Matrix): number {
  const [first] = featureSetsOf(inputs);
  return inputs.columns - (first?.columns ?? inputs.columns);
}

/** A trained network over rows of features. */
export function fittedNetwork(
  model: NetworkModel,
  settings: NetworkSettings,
): FittedModel<Matrix> & Partial<MapPredictor<Matrix>> {
  return {
    predict: (inputs) => predictMasses(model, inputs, settings),
    ...(hasDropout(settings) && {
      predictSamples: (inputs: Matrix, samples: number, random: RandomStream) =>
        sampleMasses(model, inputs, settings, samples, random),
    }),
    graph: (features) => networkGraph(model, settings, features),
    write: (folder) => writeNetwork(folder, model, settings.storage),
    ...(settings.architecture.kind === 'density' && {
      predictMaps: (inputs: Matrix) => predictMaps(model, inputs, settings),
    }),
  };
}

function fitMember(
  training: TrainingSet<Matrix>,
  shape: NetworkShape,
  settings: NetworkSettings,
  context: FitContext,
  member: number,
  lessons: ReturnType<typeof lessonsOf> | undefined,
): Promise<Weights> {
  const weights = photoWeights(training, settings.sessionWeight);
  const { photos, learnt, judging } = judgedPhotos(training, weights, takeRows, settings, context, member);
  const lesson = lessons?.(photos);
  const { checkpointFolder, reached } = context;
  return trainMember({
    shape,
    settings,
    learnt: { ...learnt, ...(lesson && { taught: lesson.taught }) },
    ...(judging && { judging }),
    random: context.random.fork(`member ${member}`),
    record: (line) => context.record(besideTeacher(countedOn(line, member, settings), lesson)),
    ...(reached && { reached: (share) => reached((member + share) / settings.members) }),
    ...(checkpointFolder !== undefined && { checkpointFolder: join(checkpointFolder, `member-${member}`) }),
  });
}

/** Epochs of later members count on from those of the first, so that a fold has one curve. */
function countedOn(line: MetricLine, member: number, { epochs }: NetworkSettings): MetricLine {
  return { ...line, epoch: (line.epoch as number) + member * epochs };
}
