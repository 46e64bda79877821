import { join } from 'node:path';
import { featureSetsOf, type Matrix } from '../ground/matrix.ts';
import { randomStream } from '../ground/random.ts';
import { type Estimator, type FittedModel, type MetricLine, rowEstimator } from '../learning/estimator.ts';
import { requireWidth } from '../learning/feature-width.ts';
import { changedSplit } from '../samples/samples.ts';
import { readConcepts, withConceptScores } from './heads/concepts.ts';
import { covariateStatistics } from './heads/covariates.ts';
import { columnsOf, type NetworkShape, networkShape, pooledParts } from './heads/features.ts';
import { trainingStatistics } from './heads/statistics.ts';
import { FEWEST_ROWS, type Weights } from './inputs/input.ts';
import { rowExamples, rowInput } from './inputs/rows.ts';
import type { LabelledPhotos } from './objectives/labels.ts';
import { massObjective } from './objectives/masses.ts';
import { besideTeacher, teacherLabels } from './objectives/teacher.ts';
import { fittedNetwork } from './prediction/fitted.ts';
import { massesGraph } from './prediction/graph.ts';
import { asStored, type NetworkModel, readNetwork, writeNetwork } from './prediction/model-files.ts';
import type { OpenInput } from './prediction/program.ts';
import type { NetworkSettings } from './settings/network.ts';
import { requireSuitedData } from './suited-data.ts';
import { type LabelledSamples, type MemberSplit, memberSplit } from './training/holdout.ts';
import { type LabelledExamples, type TrainSpec, train } from './training/train.ts';
import { HEADS_ALONE } from './training/unfreezing.ts';

/**
 * Neural networks over rows of frozen features: `members` networks of different initial weights, trained one after
 * another and averaged. With `checkpoint.choice=best-inner` each member holds out another part of the sessions. A
 * teacher that sees more, where the settings have one, is forgotten after training.
 *
 * @throws UsageError when settings, labels and features do not suit each other
 */
export function network(settings: NetworkSettings): Estimator {
  return rowEstimator({
    passesGaps: true,
    requireData: (train, sets) => requireSuitedData(settings, train, sets, true),
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
      const shape = {
        ...networkShape(inputs.columns, { ...settings.layout, extra: concepts ? concepts.rows : extra }),
        ...(split.train.shown.length > 0 && { covariates: split.train.shown.length }),
      };
      const teacherLabelsOf =
        settings.teacher &&
        teacherLabels({
          training: split.train,
          features: settings.teacher.features ? pooledParts(inputs, shape) : null,
          settings: settings.teacher,
          random: context.random.fork('teacher'),
        });
      const { random, record, onProgress, checkpointFolder } = context;
      const members: Weights[] = [];
      for (let member = 0; member < settings.members; member++) {
        if (context.member !== undefined && context.member !== member) continue;
        const own = memberSplit(shown, settings, random, member, teacherLabelsOf);
        const weights = await trainOnRows({
          shape,
          settings,
          split: own,
          random: random.fork(`member ${member}`),
          record: (line) =>
            record(besideTeacher(countedOn(line, member * settings.epochs), own.teacherLabels)),
          onProgress: onProgress && ((share) => onProgress((member + share) / settings.members)),
          checkpointFolder: checkpointFolder && join(checkpointFolder, `member-${member}`),
        });
        members.push(asStored(weights, settings.storage));
      }
      const architecture = settings.architecture.kind;
      return rowNetwork({ architecture, shape, columns: given.columns, concepts, members }, settings);
    },
    read: async (folder) => rowNetwork(await readNetwork(folder, settings.architecture.kind), settings),
  });
}

/** Columns of all feature sets but the first, which are the further embedding. */
function furtherColumns(inputs: Matrix): number {
  const [first] = featureSetsOf(inputs);
  return inputs.columns - (first?.columns ?? inputs.columns);
}

/** A trained network over rows of features. */
export function rowNetwork(model: NetworkModel, settings: NetworkSettings): FittedModel {
  const { shape, columns, concepts } = model;
  const { atOnce, graph } = rowInput(shape);
  const few = Math.min(FEWEST_ROWS, atOnce);
  const open = (): OpenInput => ({
    graph: graph(HEADS_ALONE, randomStream(0)),
    setWeights: () => {},
    async examples(samples) {
      const rows = await samples.features();
      requireWidth(rows, columns);
      const extra = columns - (columnsOf(shape) - shape.extra);
      return rowExamples(concepts ? withConceptScores(rows, extra, concepts) : rows, samples.covariates);
    },
    close: async () => {},
  });
  return fittedNetwork(
    model,
    settings,
    { atOnce, few: { examples: few, rows: few, upTo: few }, open },
    {
      write: (folder) => writeNetwork(folder, model, settings.storage),
      graph: (under = '') => ({
        masses: (features, covariates) => massesGraph(model, settings, under, features, covariates),
        viewFeatures: null,
      }),
    },
  );
}

/** What heads are trained with on rows of features. */
interface RowTraining
  extends Pick<
    TrainSpec<LabelledPhotos>,
    'settings' | 'random' | 'record' | 'onProgress' | 'checkpointFolder'
  > {
  readonly shape: NetworkShape;
  readonly settings: NetworkSettings;
  readonly split: MemberSplit;
}

/** Trains heads on rows of features. @returns weights and statistics, in single precision */
export async function trainOnRows({ shape, settings, split, ...context }: RowTraining): Promise<Weights> {
  const labelled = async ({
    samples,
    labels,
  }: LabelledSamples): Promise<LabelledExamples<typeof labels>> => ({
    examples: rowExamples(await samples.features(), samples.covariates),
    labels,
  });
  const { labels, samples } = split.train;
  return train({
    objective: massObjective(labels, settings, split.hasGaps),
    input: rowInput(shape),
    settings,
    parts: [HEADS_ALONE],
    statistics: {
      ...trainingStatistics(await samples.features(), shape, samples.targets, labels.weights),
      ...covariateStatistics(samples.covariates, labels.weights),
    },
    train: await labelled(split.train),
    validation: split.validation && (await labelled(split.validation)),
    ...context,
  });
}

/** Epochs of later trainings count on from those before, so that a fold has one curve. */
export const countedOn = (line: MetricLine, before: number): MetricLine => ({
  ...line,
  epoch: (line.epoch ?? 0) + before,
});
