import { join } from 'node:path';
import { mean } from 'd3-array';
import { writeFileAtomically } from '../../ground/files.ts';
import { takeColumns } from '../../ground/matrix.ts';
import {
  type Estimator,
  type FitContext,
  type FittedModel,
  fittedModel,
  rowEstimator,
} from '../../learning/estimator.ts';
import { requireWidth } from '../../learning/feature-width.ts';
import { targetsFromTable } from '../masses/components-table.ts';
import { massesFromComponents } from '../masses/masses-graph.ts';
import type { LeafwiseBoostSettings, LeafwiseParameters } from './boost-settings.ts';
import {
  type BoostTraining,
  boostTraining,
  COMPONENT_NAMES,
  fittingWork,
  readModelText,
  requireColumns,
  requireFitting,
  stoppingPoint,
} from './boost-training.ts';
import { lightGbmGraph } from './boosted-graph.ts';
import { binFor } from './leafwise.ts';
import { type LightGbmModel, lightGbmPredictor } from './lightgbm-model.ts';
import { parseLightGbm } from './lightgbm-read.ts';
import { formatLightGbm, toLightGbm } from './lightgbm-write.ts';
import { THREADS_PAY_FROM, type Train, withTrainers } from './trainers.ts';
import { scaleTree, type Tree } from './tree.ts';

/**
 * Boosted leaf-wise trees for green, dead and clover, sums being derived. Members of different seeds are
 * averaged. Each component is stored as a LightGBM text file of its own: `green.txt`, `dead.txt`,
 * `clover.txt`; LightGBM predicts the same grams from them.
 *
 * @param threadsFrom values to look at from which trainings are spread over threads
 * @throws UsageError when settings do not fit together
 */
export function leafwiseBoost(settings: LeafwiseBoostSettings, threadsFrom = THREADS_PAY_FROM): Estimator {
  requireFitting(settings);
  const stops = settings.earlyStoppingRound > 0;
  return rowEstimator({
    requireData: async (_, sets) =>
      requireColumns(
        settings,
        sets.reduce((sum, { columns }) => sum + columns, 0),
      ),
    async fit({ train: samples }, context) {
      const training = await samples.rows();
      const prepared = boostTraining(training, settings);
      const { rows, columns } = prepared.inputs;
      const levels = settings.maxDepth > 0 ? settings.maxDepth : Math.log2(settings.numLeaves);
      const bag = settings.baggingFreq > 0 ? settings.baggingFraction : 1;
      const drawn = rows * columns * settings.featureFraction;
      const values = drawn * levels * settings.numIterations;
      const work = fittingWork(settings, COMPONENT_NAMES.length, stops, values, drawn * bag);
      const grow = async (train: Train): Promise<FittedModel> => {
        const length = stops
          ? await stoppingPoint(training, prepared, settings, context, (kept, held) =>
              stoppedLength(kept, held, settings, context, train),
            )
          : null;
        const parameters = { ...settings, numIterations: length ?? settings.numIterations };
        return fitted(await trainComponents(prepared, parameters, context, train));
      };
      return withTrainers(work, threadsFrom, grow, context.onProgress);
    },
    async read(folder) {
      return fitted(await readComponents(folder));
    },
  });
}

/** The models of green, dead and clover, from the folder of a fitted model. @throws InputError when one cannot be read */
export function readComponents(folder: string): Promise<LightGbmModel[]> {
  return Promise.all(
    COMPONENT_NAMES.map(async (name) => {
      const path = join(folder, `${name}.txt`);
      return parseLightGbm(await readModelText(path), path);
    }),
  );
}

/** A model of each component in grams, from members and outputs of the basis. */
async function trainComponents(
  prepared: BoostTraining,
  settings: LeafwiseBoostSettings,
  context: FitContext,
  train: Train,
): Promise<LightGbmModel[]> {
  const binned = binFor(prepared, settings);
  const byOutput = await Promise.all(
    COMPONENT_NAMES.map((_, output) => {
      const data = withOutput(prepared, output);
      return Promise.all(
        Array.from({ length: settings.members }, (_, member) => {
          const random = { seed: context.random.seed, label: `member ${member} output ${output}` };
          return train({ grower: 'leafwise', data, parameters: settings, random, binned });
        }),
      );
    }),
  );
  byOutput.forEach((models, output) => {
    models.forEach(({ trees, trainingLoss }, member) => {
      context.record({
        member,
        output,
        trees: trees.length,
        trainingLoss: trainingLoss.at(-1) ?? Number.NaN,
      });
    });
  });
  return prepared.basis.toComponents.map((weights) => {
    // A sum of models is the model of all their trees.
    const trees = weights.flatMap((weight, output) =>
      weight === 0
        ? []
        : (byOutput[output] ?? []).flatMap((model) => scaled(model.trees, weight / settings.members)),
    );
    return toLightGbm(trees, settings.objective, binned.columns, parametersOf(settings));
  });
}

function scaled(trees: readonly Tree[], factor: number): readonly Tree[] {
  return factor === 1 ? trees : trees.map((tree) => scaleTree(tree, factor));
}

/** The number of trees at which training stops best, on average over the outputs. */
async function stoppedLength(
  kept: BoostTraining,
  held: BoostTraining,
  settings: LeafwiseBoostSettings,
  { random: { seed } }: FitContext,
  train: Train,
): Promise<number> {
  const trainings = COMPONENT_NAMES.map((_, output) =>
    train({
      grower: 'leafwise',
      data: withOutput(kept, output),
      parameters: settings,
      random: { seed, label: `stop ${output}` },
      validation: withOutput(held, output),
    }),
  );
  return mean(await Promise.all(trainings), ({ trees }) => trees.length) ?? 0;
}

/** A training set of one output only. */
const withOutput = (prepared: BoostTraining, output: number): BoostTraining => ({
  ...prepared,
  targets: takeColumns(prepared.targets, [output]),
});

function fitted(models: readonly LightGbmModel[]): FittedModel {
  const predictors = models.map(lightGbmPredictor);
  const width = models[0]?.featureNames.length ?? 0;
  return fittedModel({
    async predict(samples) {
      const inputs = await samples.features();
      requireWidth(inputs, width);
      const data = new Float64Array(inputs.rows * models.length);
      predictors.forEach((predict, component) => {
        predict(inputs).data.forEach((mass, row) => {
          data[row * models.length + component] = mass;
        });
      });
      return targetsFromTable({ rows: inputs.rows, columns: models.length, data });
    },
    graph: () => ({
      masses: (features) => massesFromComponents(lightGbmGraph(models, features)),
      viewFeatures: null,
    }),
    async write(folder) {
      for (const [index, name] of COMPONENT_NAMES.entries()) {
        const model = models[index];
        if (model) await writeFileAtomically(join(folder, `${name}.txt`), formatLightGbm(model));
      }
    },
  });
}

/** The parameters section of the file, under LightGBM's names; for the record only. */
function parametersOf(settings: LeafwiseParameters): Record<string, string | number> {
  return {
    boosting: 'gbdt',
    objective: settings.objective,
    num_iterations: settings.numIterations,
    learning_rate: settings.learningRate,
    num_leaves: settings.numLeaves,
    max_depth: settings.maxDepth,
    min_data_in_leaf: settings.minDataInLeaf,
    min_sum_hessian_in_leaf: settings.minSumHessian,
    min_gain_to_split: settings.minGainToSplit,
    bagging_fraction: settings.baggingFraction,
    bagging_freq: settings.baggingFreq,
    feature_fraction: settings.featureFraction,
    feature_fraction_bynode: settings.featureFractionByNode,
    lambda_l1: settings.lambdaL1,
    lambda_l2: settings.lambdaL2,
    max_bin: settings.maxBin,
    min_data_in_bin: settings.minDataInBin,
    extra_trees: settings.extraTrees ? 1 : 0,
  };
}
