import { type Matrix, takeColumns } from '../../ground/matrix.ts';
import type { RandomStream } from '../../ground/random.ts';
import { type BinnedMatrix, binMatrix, type NumericBins } from './bins.ts';
import type { ObjectiveName, ObliviousParameters } from './boost-settings.ts';
import {
  type Boosted,
  type BoostingData,
  boost,
  columnSampler,
  requireRows,
  type ValidationData,
} from './boosting.ts';
import {
  addObliviousTrees,
  type CatBoostModel,
  missingPasses,
  type ObliviousTree,
  treeMatrix,
} from './catboost-model.ts';
import { meanLoss, objectiveOf } from './objectives.ts';
import { estimateLeaves, orderedScores, repeated } from './oblivious-leaves.ts';
import { growStructure, orderColumns } from './oblivious-structure.ts';
import { fitStatistics, type StatisticColumns } from './target-statistics.ts';

/** A trained model and how its loss went. */
export interface ObliviousTraining extends Omit<Boosted<ObliviousTree>, 'trees'> {
  readonly model: CatBoostModel;
}

/**
 * Gradient boosting with symmetric trees, CatBoost's way: splits are chosen under a Bayesian bootstrap with
 * noise on their scores, leaf values use all rows, categories become ordered target statistics, and with
 * `Ordered` boosting each row's gradient comes from models that have not seen it. Several outputs share the trees'
 * splits. The same data, parameters and seed give the same trees.
 *
 * @param statisticsRandom order of the rows in target statistics; models that share it can be averaged tree by tree
 * @throws ShapeError when the counts of rows differ
 * @throws UsageError when the targets do not fit the objective
 * @throws InputError when a categorical column holds something else than codes
 */
export function trainOblivious(
  data: BoostingData,
  parameters: ObliviousParameters,
  random: RandomStream,
  validation: ValidationData | null = null,
  statisticsRandom: RandomStream = random.fork('statistics'),
): ObliviousTraining {
  requireRows(data);
  const { targets } = data;
  const { rows, columns: outputs } = targets;
  const weights = data.weights ?? new Float64Array(rows).fill(1);
  const weighted = { targets, weights };
  const objective = objectiveOf(parameters);
  const columns = fitStatistics(data, parameters.ctrTargetBorderCount, statisticsRandom);
  const binned = binFloats(columns.inputs, parameters.borderCount);
  const order = orderColumns(binned);
  const drawColumns = columnSampler(columns.inputs, parameters.rsm);
  const bias = Float64Array.from({ length: outputs }, (_, output) =>
    objective.initial(takeColumns(targets, [output]).data, weights),
  );
  const l2 = (parameters.l2LeafReg * weights.reduce((sum, weight) => sum + weight, 0)) / rows;
  const supports = Array.from(
    { length: parameters.boostingType === 'Ordered' ? parameters.permutationCount : 0 },
    (_, index) => orderedScores(weighted, objective, bias, parameters, l2, random.fork(`order ${index}`)),
  );
  const scores = repeated(bias, rows);
  const grow = (round: number) => {
    const stream = random.fork(round);
    const seen = scores.slice();
    supports[stream.fork('support').integer(Math.max(1, supports.length))]?.unseenScores(seen);
    const drawn = bayesianWeights(rows, parameters.baggingTemperature, stream.fork('rows'));
    const pulls = new Float64Array(rows * outputs);
    let squares = 0;
    for (let row = 0; row < rows; row++) {
      const weight = weights[row] as number;
      drawn[row] = (drawn[row] as number) * weight;
      for (let at = row * outputs; at < (row + 1) * outputs; at++) {
        const pull = -objective.gradient(seen[at] as number, targets.data[at] as number);
        squares += (weight * pull) ** 2;
        pulls[at] = (drawn[row] as number) * pull;
      }
    }
    const fade = fading(rows, round * parameters.learningRate);
    const columnStream = stream.fork('columns');
    const { splits, leaves } = growStructure(
      { binned, order, pulls, weights: drawn, outputs },
      {
        depth: parameters.depth,
        l2,
        scoreFunction: parameters.scoreFunction,
        noise: parameters.randomStrength * Math.sqrt(squares / rows) * fade,
        columns: () => drawColumns(columnStream),
      },
      stream.fork('noise'),
    );
    const leafCount = 1 << splits.length;
    const leafValues = estimateLeaves(weighted, objective, scores, l2, parameters, leaves, leafCount);
    const leafWeights = new Float64Array(leafCount);
    for (let row = 0; row < rows; row++) {
      const leaf = leaves[row] as number;
      leafWeights[leaf] = (leafWeights[leaf] as number) + (weights[row] as number);
      for (let k = 0; k < outputs; k++) {
        const at = row * outputs + k;
        scores[at] = (scores[at] as number) + (leafValues[leaf * outputs + k] as number);
      }
    }
    for (const support of supports) support.update(leaves, leafCount);
    const tests = splits.map(({ column, bin }) => ({
      column,
      border: (binned.columns[column] as NumericBins).bounds[bin] as number,
    }));
    return {
      tree: { splits: tests, leafValues, leafWeights },
      loss: meanLoss(objective, scores, targets, weights),
    };
  };
  const shell = modelOf(columns, binned, parameters.objective, bias);
  const heldInputs = validation && treeMatrix(shell, validation.inputs);
  const heldScores = repeated(bias, validation?.inputs.rows ?? 0);
  const validate =
    validation &&
    heldInputs &&
    ((tree: ObliviousTree): number => {
      addObliviousTrees([tree], heldInputs, missingPasses(shell), heldScores);
      return meanLoss(objective, heldScores, validation.targets, null);
    });
  const { trees, ...losses } = boost(parameters.iterations, parameters.odWait, grow, validate);
  return { model: { ...shell, trees }, ...losses };
}

/** CatBoost's names of the losses. */
const LOSS_FUNCTIONS: Readonly<Record<ObjectiveName, string>> = {
  regression: 'RMSE',
  regression_l1: 'MAE',
  huber: 'Huber',
  quantile: 'Quantile',
  tweedie: 'Tweedie',
};

function modelOf(
  { numeric, categories, statistics }: StatisticColumns,
  binned: BinnedMatrix,
  objective: ObjectiveName,
  bias: Float64Array,
): CatBoostModel {
  const bins = binned.columns as readonly NumericBins[];
  return {
    trees: [],
    scale: 1,
    bias: [...bias],
    floats: numeric.map((flatIndex, index) => ({
      flatIndex,
      name: String(flatIndex),
      borders: [...(bins[index]?.bounds ?? [])],
      missing: bins[index]?.missing === 'lowest' ? 'AsFalse' : 'AsIs',
    })),
    categories,
    statistics: statistics.map((statistic, index) => ({
      ...statistic,
      borders: [...(bins[numeric.length + index]?.bounds ?? [])],
    })),
    lossFunction: objective === 'regression' && bias.length > 1 ? 'MultiRMSE' : LOSS_FUNCTIONS[objective],
  };
}

/** Bayesian bootstrap weights (−ln u)^temperature: exponential at temperature 1, all 1 at 0 (CatBoost). */
function bayesianWeights(rows: number, temperature: number, random: RandomStream): Float64Array {
  return Float64Array.from({ length: rows }, () => (-Math.log(1 - random.uniform())) ** temperature);
}

/** CatBoost lets the noise on scores fade as the model grows: N/e^m ⁄ (1 + N/e^m), m the model's length. */
function fading(rows: number, modelLength: number): number {
  const left = Math.exp(Math.log(rows) - modelLength);
  return left / (1 + left);
}

/** Bins of single-precision numbers, as CatBoost sees them. */
function binFloats(inputs: Matrix, borderCount: number): BinnedMatrix {
  const single = { ...inputs, data: inputs.data.map(Math.fround) };
  const rules = { maxBin: borderCount + 1, minDataInBin: 1, categorical: new Set<number>(), single: true };
  return binMatrix(single, rules);
}
