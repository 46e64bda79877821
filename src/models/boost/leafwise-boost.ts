import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Matrix } from '../../data/features.ts';
import { InputError, messageOf } from '../../ground/errors.ts';
import { writeFileAtomically } from '../../ground/files.ts';
import { targetsFromTable } from '../components-table.ts';
import type { Estimator, FitContext, FittedModel } from '../estimator.ts';
import { requireWidth } from '../feature-width.ts';
import { lightGbmGraph } from '../symbolic/boosted.ts';
import { massesFromComponents } from '../symbolic/masses.ts';
import type { BinnedMatrix } from './bins.ts';
import type { LeafwiseBoostSettings } from './boost-settings.ts';
import {
  type BoostTraining,
  boostTraining,
  COMPONENT_NAMES,
  outputColumn,
  requireFitting,
  stoppingPoint,
} from './boost-training.ts';
import { binFor, type LeafwiseModel, type LeafwiseParameters, trainLeafwise } from './leafwise.ts';
import { type LightGbmModel, lightGbmPredictor } from './lightgbm-model.ts';
import { parseLightGbm } from './lightgbm-read.ts';
import { formatLightGbm, toLightGbm } from './lightgbm-write.ts';
import { scaleTree } from './tree.ts';

/**
 * Boosted leaf-wise trees for green, dead and clover, sums being derived. Members of different seeds are
 * averaged. Each component is stored as a LightGBM text file of its own: `green.txt`, `dead.txt`,
 * `clover.txt`; LightGBM predicts the same grams from them.
 *
 * @throws UsageError when settings do not fit together
 */
export function leafwiseBoost(settings: LeafwiseBoostSettings): Estimator<Matrix> {
  requireFitting(settings);
  return {
    async fit(training, context) {
      const prepared = boostTraining(training, settings);
      let length: number | null = settings.numIterations;
      if (settings.earlyStoppingRound > 0) {
        length = stoppingPoint(training, prepared, settings, context, (kept, held) =>
          mean(COMPONENT_NAMES.map((_, output) => stoppedLength(kept, held, output, settings, context))),
        );
      }
      const parameters = { ...settings, numIterations: length ?? settings.numIterations };
      return fitted(trainComponents(prepared, parameters, context));
    },
    async read(folder) {
      return fitted(
        await Promise.all(
          COMPONENT_NAMES.map(async (name) => {
            const path = join(folder, `${name}.txt`);
            return parseLightGbm(await readText(path), path);
          }),
        ),
      );
    },
  };
}

/** A model of each component in grams, from members and outputs of the basis. */
function trainComponents(
  prepared: BoostTraining,
  settings: LeafwiseBoostSettings,
  context: FitContext,
): LightGbmModel[] {
  const binned = binFor({ inputs: prepared.inputs, categorical: settings.categorical }, settings);
  const byOutput = COMPONENT_NAMES.map((_, output) =>
    Array.from({ length: settings.members }, (_, member) => {
      const random = context.random.fork(`member ${member} output ${output}`);
      const data = dataOf(prepared, output, settings);
      const model = trainLeafwise(data, settings, random, null, binned);
      const trainingLoss = model.trainingLoss.at(-1) ?? Number.NaN;
      context.record({ member, output, trees: model.trees.length, trainingLoss });
      return model;
    }),
  );
  return prepared.basis.toComponents.map((weights) => {
    const parts = weights.flatMap((weight, output) =>
      weight === 0 ? [] : (byOutput[output] ?? []).map((model) => scaled(model, weight / settings.members)),
    );
    return toLightGbm([joined(parts, binned)], parametersOf(settings));
  });
}

/** A sum of models is the model of all their trees. */
function joined(parts: readonly LeafwiseModel[], binned: BinnedMatrix): LeafwiseModel {
  const [first] = parts;
  if (!first) throw new RangeError('a component needs at least one output');
  return { ...first, trees: parts.flatMap(({ trees }) => trees), columns: binned.columns };
}

function scaled(model: LeafwiseModel, factor: number): LeafwiseModel {
  return factor === 1 ? model : { ...model, trees: model.trees.map((tree) => scaleTree(tree, factor)) };
}

function stoppedLength(
  kept: BoostTraining,
  held: BoostTraining,
  output: number,
  settings: LeafwiseBoostSettings,
  context: FitContext,
): number {
  return trainLeafwise(dataOf(kept, output, settings), settings, context.random.fork(`stop ${output}`), {
    inputs: held.inputs,
    targets: outputColumn(held, output),
  }).trees.length;
}

function dataOf(
  prepared: BoostTraining,
  output: number,
  { categorical }: LeafwiseBoostSettings,
): Parameters<typeof trainLeafwise>[0] {
  const { inputs, weights } = prepared;
  return { inputs, weights, categorical, targets: outputColumn(prepared, output) };
}

function fitted(models: readonly LightGbmModel[]): FittedModel<Matrix> {
  const predictors = models.map(lightGbmPredictor);
  const width = models[0]?.featureNames.length ?? 0;
  return {
    async predict(inputs) {
      requireWidth(inputs, width);
      const data = new Float64Array(inputs.rows * models.length);
      predictors.forEach((predict, component) => {
        predict(inputs).data.forEach((mass, row) => {
          data[row * models.length + component] = mass;
        });
      });
      return targetsFromTable({ rows: inputs.rows, columns: models.length, data });
    },
    graph: (features) => massesFromComponents(lightGbmGraph(models, features)),
    async write(folder) {
      for (const [index, name] of COMPONENT_NAMES.entries()) {
        const model = models[index];
        if (model) await writeFileAtomically(join(folder, `${name}.txt`), formatLightGbm(model));
      }
    },
  };
}

/** The parameters section of the file, under LightGBM's names; for the record only. */
function parametersOf(settings: LeafwiseParameters): Record<string, string | number | boolean> {
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

/** The text of a model file. @throws InputError when it cannot be read */
export async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new InputError(path, `cannot be read (${messageOf(error)})`, 'train the run again');
  }
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
