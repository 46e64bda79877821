import { ShapeError } from '../../ground/errors.ts';
import type { Matrix } from '../../ground/matrix.ts';
import type { RandomStream } from '../../ground/random.ts';
import { type BinnedMatrix, binColumns, binMatrix, type NumericBins } from './bins.ts';
import { type CatBoostModel, missingRule, treeMatrix } from './catboost-model.ts';
import { type Objective, type ObjectiveName, objectiveOf } from './objectives.ts';
import { estimateLeaves } from './oblivious-leaves.ts';
import { growStructure, orderColumns, type ScoreFunction } from './oblivious-structure.ts';
import { addObliviousTrees, type ObliviousTree, singlePrecision } from './oblivious-tree.ts';
import { type OrderedScores, type OutputRows, orderedScores } from './ordered.ts';
import { bayesianWeights, drawSample } from './sampling.ts';
import { type LearntColumns, learnStatistics } from './target-statistics.ts';

/** CatBoost's training parameters, under the names of its manual in camel case. */
export interface ObliviousParameters {
  readonly objective: ObjectiveName;
  readonly alpha: number;
  readonly tweedieVariancePower: number;
  readonly iterations: number;
  readonly learningRate: number;
  readonly depth: number;
  readonly l2LeafReg: number;
  readonly boostingType: 'Plain' | 'Ordered';
  /** Random orders kept for ordered boosting; each tree uses one of them. */
  readonly permutationCount: number;
  readonly randomStrength: number;
  readonly baggingTemperature: number;
  readonly borderCount: number;
  /** Share of the columns each level may use. */
  readonly rsm: number;
  readonly scoreFunction: ScoreFunction;
  /** Classes less one that targets are counted by in the statistics of categories. */
  readonly ctrTargetBorderCount: number;
  /** Newton or gradient steps a leaf's value takes. */
  readonly leafEstimationIterations: number;
  readonly leafEstimationMethod: 'Newton' | 'Gradient';
  /** Stops when the validation loss has not fallen for so many trees; 0: never. */
  readonly odWait: number;
}

/** CatBoost's defaults, but for the learning rate, which CatBoost guesses from the data. */
export const OBLIVIOUS_DEFAULTS: ObliviousParameters = {
  objective: 'regression',
  alpha: 0.5,
  tweedieVariancePower: 1.5,
  iterations: 1000,
  learningRate: 0.03,
  depth: 6,
  l2LeafReg: 3,
  boostingType: 'Plain',
  permutationCount: 4,
  randomStrength: 1,
  baggingTemperature: 1,
  borderCount: 254,
  rsm: 1,
  scoreFunction: 'Cosine',
  ctrTargetBorderCount: 1,
  leafEstimationIterations: 1,
  leafEstimationMethod: 'Newton',
  odWait: 0,
};

/** Rows to learn from: one output or several, which then share the trees' splits. */
export interface ObliviousData {
  readonly inputs: Matrix;
  /** [rows, outputs] */
  readonly targets: Matrix;
  /** One a row, positive; null: all 1. */
  readonly weights: Float64Array | null;
  /** Columns that hold codes of categories. */
  readonly categorical: readonly number[];
}

/** A trained model and how its loss went. */
export interface ObliviousTraining {
  readonly model: CatBoostModel;
  /** Mean loss on the training rows, summed over outputs, after each tree grown. */
  readonly trainingLoss: readonly number[];
  /** The same on the validation rows; empty without such rows. */
  readonly validationLoss: readonly number[];
}

/**
 * Gradient boosting with symmetric trees, CatBoost's way: splits are chosen under a Bayesian bootstrap with
 * noise on their scores, leaf values use all rows, categories become ordered target statistics, and with
 * `Ordered` boosting each row's gradient comes from models that have not seen it. The same data, parameters
 * and seed give the same trees.
 *
 * @param statisticsRandom order of the rows in target statistics; models that share it can be averaged tree by tree
 * @throws ShapeError when the counts of rows differ
 * @throws UsageError when the objective's parameters or the targets do not fit it
 * @throws InputError when a categorical column holds something else than codes
 */
export function trainOblivious(
  data: ObliviousData,
  parameters: ObliviousParameters,
  random: RandomStream,
  validation: Pick<ObliviousData, 'inputs' | 'targets'> | null = null,
  statisticsRandom: RandomStream = random.fork('statistics'),
): ObliviousTraining {
  requireRows(data);
  const { rows } = data.inputs;
  const outputs = data.targets.columns;
  const weights = data.weights ?? new Float64Array(rows).fill(1);
  const objective = objectiveOf(parameters.objective, parameters);
  const objectives = Array.from({ length: outputs }, () => objective);
  const learnt = learnStatistics(data, parameters.ctrTargetBorderCount, statisticsRandom);
  const inputs = singlePrecision(learnt.inputs);
  const binned = binFloats(inputs, parameters.borderCount);
  const outputRows: OutputRows = { rows, outputs, targets: data.targets.data, weights };
  const bias = startingScores(outputRows, objective);
  const supports =
    parameters.boostingType === 'Ordered'
      ? Array.from({ length: parameters.permutationCount }, (_, index) =>
          orderedScores(outputRows, objectives, bias, random.fork(`order ${index}`)),
        )
      : [];
  const state: State = {
    data: outputRows,
    objective,
    binned,
    order: orderColumns(binned),
    l2: (parameters.l2LeafReg * weights.reduce((sum, weight) => sum + weight, 0)) / rows,
    scores: repeated(bias, rows),
    supports,
  };
  const shell = modelOf(learnt, binned, objective, bias);
  const held = validation && {
    inputs: treeMatrix(shell, validation.inputs),
    scores: repeated(bias, validation.inputs.rows),
    targets: validation.targets.data,
  };
  const missing = missingRule(shell);
  const trees: ObliviousTree[] = [];
  const trainingLoss: number[] = [];
  const validationLoss: number[] = [];
  let bestLength = 0;
  for (let round = 0; round < parameters.iterations; round++) {
    const tree = nextTree(state, parameters, round, random.fork(round));
    trees.push(tree);
    trainingLoss.push(lossOf(objective, state.scores, outputRows.targets, outputs, weights));
    if (!held) continue;
    addObliviousTrees([tree], held.inputs, missing, outputs, held.scores);
    const loss = lossOf(objective, held.scores, held.targets, outputs, null);
    if (!(loss >= (validationLoss[bestLength - 1] ?? Number.POSITIVE_INFINITY))) bestLength = trees.length;
    validationLoss.push(loss);
    if (parameters.odWait > 0 && trees.length - bestLength >= parameters.odWait) break;
  }
  const kept = held && parameters.odWait > 0 ? trees.slice(0, bestLength) : trees;
  return { model: { ...shell, trees: kept }, trainingLoss, validationLoss };
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
  { numeric, categories, statistics }: LearntColumns,
  binned: BinnedMatrix,
  objective: Objective,
  bias: Float64Array,
): CatBoostModel {
  const bins = binned.columns as readonly NumericBins[];
  const loss = LOSS_FUNCTIONS[objective.name];
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
    lossFunction: loss === 'RMSE' && bias.length > 1 ? 'MultiRMSE' : loss,
  };
}

interface State {
  readonly data: OutputRows;
  readonly objective: Objective;
  readonly binned: BinnedMatrix;
  readonly order: Int32Array;
  readonly l2: number;
  /** Of the model being built, `[row · outputs + output]`. */
  readonly scores: Float64Array;
  readonly supports: readonly OrderedScores[];
}

function nextTree(
  state: State,
  parameters: ObliviousParameters,
  round: number,
  random: RandomStream,
): ObliviousTree {
  const { data, objective, binned, order, l2, scores, supports } = state;
  const { rows, outputs, targets, weights } = data;
  const seen = scores.slice();
  supports[random.fork('support').integer(Math.max(1, supports.length))]?.unseenScores(seen);
  const pulls = new Float64Array(rows * outputs);
  const drawn = bayesianWeights(rows, parameters.baggingTemperature, random.fork('rows'));
  let squares = 0;
  for (let row = 0; row < rows; row++) {
    const weight = weights[row] as number;
    drawn[row] = (drawn[row] as number) * weight;
    for (let k = 0; k < outputs; k++) {
      const at = row * outputs + k;
      const pull = -objective.gradient(seen[at] as number, targets[at] as number);
      squares += (weight * pull) ** 2;
      pulls[at] = (drawn[row] as number) * pull;
    }
  }
  const columnStream = random.fork('columns');
  const { splits, leaves } = growStructure(
    { binned, order, pulls, weights: drawn, outputs },
    {
      depth: parameters.depth,
      l2,
      scoreFunction: parameters.scoreFunction,
      noise:
        parameters.randomStrength * Math.sqrt(squares / rows) * fading(rows, round * parameters.learningRate),
      columns: () => drawSample(binned.columns.length, parameters.rsm, columnStream),
    },
    random.fork('noise'),
  );
  const leafCount = 1 << splits.length;
  const leafValues = estimateLeaves(data, objective, scores, l2, parameters, leaves, leafCount);
  const leafWeights = new Float64Array(leafCount);
  for (let row = 0; row < rows; row++) {
    const leaf = leaves[row] as number;
    leafWeights[leaf] = (leafWeights[leaf] as number) + (weights[row] as number);
    for (let k = 0; k < outputs; k++) {
      const at = row * outputs + k;
      scores[at] = (scores[at] as number) + (leafValues[leaf * outputs + k] as number);
    }
  }
  for (const support of supports) support.learn(leaves, leafCount, parameters.learningRate, l2);
  return {
    splits: splits.map(({ column, bin }) => ({
      column,
      border: (binned.columns[column] as NumericBins).bounds[bin] as number,
    })),
    leafValues,
    leafWeights,
  };
}

/** CatBoost lets the noise on scores fade as the model grows: N/e^m ⁄ (1 + N/e^m), m the model's length. */
function fading(rows: number, modelLength: number): number {
  const left = Math.exp(Math.log(rows) - modelLength);
  return left / (1 + left);
}

function binFloats(inputs: Matrix, borderCount: number): BinnedMatrix {
  const rules = { maxBin: borderCount + 1, minDataInBin: 1, categorical: new Set<number>(), single: true };
  return binMatrix(inputs, binColumns(inputs, rules));
}

function startingScores({ rows, outputs, targets, weights }: OutputRows, objective: Objective): Float64Array {
  return Float64Array.from({ length: outputs }, (_, k) => {
    const column = Float64Array.from({ length: rows }, (_, row) => targets[row * outputs + k] as number);
    return objective.initial(column, weights);
  });
}

function repeated(values: Float64Array, times: number): Float64Array {
  const result = new Float64Array(values.length * times);
  for (let at = 0; at < times; at++) result.set(values, at * values.length);
  return result;
}

/** Mean loss, summed over outputs. */
function lossOf(
  objective: Objective,
  scores: Float64Array,
  targets: Float64Array,
  outputs: number,
  weights: Float64Array | null,
): number {
  let sum = 0;
  let weightSum = 0;
  for (let at = 0; at < targets.length; at++) {
    const weight = weights ? (weights[Math.floor(at / outputs)] as number) : 1;
    sum += weight * objective.loss(scores[at] as number, targets[at] as number);
    weightSum += weight / outputs;
  }
  return sum / weightSum;
}

function requireRows({ inputs, targets, weights }: ObliviousData): void {
  if (inputs.rows === 0) throw new ShapeError('boosting needs at least one training row');
  if (targets.rows !== inputs.rows || (weights && weights.length !== inputs.rows)) {
    throw new ShapeError(`${inputs.rows} rows of inputs but ${targets.rows} of targets`);
  }
}
