import { ShapeError } from '../../ground/errors.ts';
import type { Matrix } from '../../ground/matrix.ts';
import type { RandomStream } from '../../ground/random.ts';
import { type BinnedMatrix, binColumns, binMatrix } from './bins.ts';
import { type GrownTree, type GrowthRules, growLeafwise, type HistogramPool } from './leafwise-tree.ts';
import { meanLoss, type Objective, type ObjectiveName, objectiveOf, quantile } from './objectives.ts';
import { drawSample } from './sampling.ts';
import { addTrees, leafOf, scaleTree, type Tree } from './tree.ts';

/** LightGBM's training parameters, under the names of its manual in camel case. */
export interface LeafwiseParameters extends GrowthRules {
  readonly objective: ObjectiveName;
  readonly alpha: number;
  readonly tweedieVariancePower: number;
  readonly numIterations: number;
  readonly learningRate: number;
  readonly featureFraction: number;
  readonly baggingFraction: number;
  /** Draws a new bag every so many trees; 0: no bagging. */
  readonly baggingFreq: number;
  readonly maxBin: number;
  readonly minDataInBin: number;
  /** Stops when the validation loss has not fallen for so many trees; 0: never. */
  readonly earlyStoppingRound: number;
  /** Starts from the constant that is best, instead of from 0. */
  readonly boostFromAverage: boolean;
}

/** LightGBM's defaults. */
export const LEAFWISE_DEFAULTS: LeafwiseParameters = {
  objective: 'regression',
  alpha: 0.9,
  tweedieVariancePower: 1.5,
  numIterations: 100,
  learningRate: 0.1,
  numLeaves: 31,
  maxDepth: -1,
  minDataInLeaf: 20,
  minSumHessian: 1e-3,
  minGainToSplit: 0,
  featureFraction: 1,
  featureFractionByNode: 1,
  baggingFraction: 1,
  baggingFreq: 0,
  lambdaL1: 0,
  lambdaL2: 0,
  maxBin: 255,
  minDataInBin: 3,
  extraTrees: false,
  catL2: 10,
  catSmooth: 10,
  maxCatThreshold: 32,
  maxCatToOnehot: 4,
  earlyStoppingRound: 0,
  boostFromAverage: true,
};

/** Rows to learn from: one output. */
export interface BoostingData {
  readonly inputs: Matrix;
  readonly targets: Float64Array;
  /** One a row, positive; null: all 1. */
  readonly weights: Float64Array | null;
  /** Columns that hold codes of categories. */
  readonly categorical: readonly number[];
}

/** Rows that decide when to stop. */
export type ValidationData = Pick<BoostingData, 'inputs' | 'targets'>;

/** Trees of one output; a row's score is the sum of its leaves, the starting constant being in the first. */
export interface LeafwiseModel {
  readonly trees: readonly Tree[];
  readonly objective: Objective;
  readonly columns: BinnedMatrix['columns'];
  /** Mean loss on the training rows after each tree grown. */
  readonly trainingLoss: readonly number[];
  /** Mean loss on the validation rows after each tree grown; empty without such rows. */
  readonly validationLoss: readonly number[];
}

/**
 * Gradient boosting with leaf-wise trees. The same data, parameters and seed give the same trees.
 *
 * @throws ShapeError when the counts of rows differ
 * @throws UsageError when the objective's parameters or the targets do not fit it
 * @throws InputError when a categorical column holds something else than codes
 */
export function trainLeafwise(
  data: BoostingData,
  parameters: LeafwiseParameters,
  random: RandomStream,
  validation: ValidationData | null = null,
  binned: BinnedMatrix = binFor(data, parameters),
): LeafwiseModel {
  requireRows(data);
  const objective = objectiveOf(parameters.objective, parameters);
  const { inputs, targets, weights } = data;
  const start = parameters.boostFromAverage ? objective.initial(targets, weights) : 0;
  const scores = new Float64Array(inputs.rows).fill(start);
  const heldScores = validation ? new Float64Array(validation.inputs.rows).fill(start) : null;
  const derivatives = {
    gradients: new Float64Array(inputs.rows),
    hessians: objective.unitHessian && weights === null ? null : new Float64Array(inputs.rows),
  };
  const pool: HistogramPool = [];
  const trees: Tree[] = [];
  const trainingLoss: number[] = [];
  const validationLoss: number[] = [];
  let bag = Int32Array.from({ length: inputs.rows }, (_, row) => row);
  let bestLength = 0;
  for (let round = 0; round < parameters.numIterations; round++) {
    const stream = random.fork(round);
    if (parameters.baggingFreq > 0 && round % parameters.baggingFreq === 0) {
      bag = drawSample(inputs.rows, parameters.baggingFraction, stream.fork('rows'));
    }
    differentiate(objective, scores, targets, weights, derivatives);
    const columns = drawSample(binned.columns.length, parameters.featureFraction, stream.fork('columns'));
    const grown = growLeafwise(
      binned,
      derivatives,
      bag.slice(),
      columns,
      parameters,
      stream.fork('nodes'),
      pool,
    );
    const tree = scaleTree(renewLeaves(grown, objective, scores, data), parameters.learningRate);
    addGrown(tree, grown, inputs, scores);
    trees.push(round === 0 ? scaleTree(tree, 1, start) : tree);
    trainingLoss.push(meanLoss(objective, scores, targets, weights));
    if (!validation || !heldScores) continue;
    addTrees([tree], validation.inputs, heldScores);
    const loss = meanLoss(objective, heldScores, validation.targets, null);
    if (!(loss >= (validationLoss[bestLength - 1] ?? Number.POSITIVE_INFINITY))) bestLength = trees.length;
    validationLoss.push(loss);
    if (parameters.earlyStoppingRound > 0 && trees.length - bestLength >= parameters.earlyStoppingRound)
      break;
  }
  const kept = validation && parameters.earlyStoppingRound > 0 ? trees.slice(0, bestLength) : trees;
  return { trees: kept, objective, columns: binned.columns, trainingLoss, validationLoss };
}

/** The bins of the training rows; several outputs or members may share them. */
export function binFor(
  { inputs, categorical }: Pick<BoostingData, 'inputs' | 'categorical'>,
  { maxBin, minDataInBin }: Pick<LeafwiseParameters, 'maxBin' | 'minDataInBin'>,
): BinnedMatrix {
  const rules = { maxBin, minDataInBin, categorical: new Set(categorical), single: false };
  return binMatrix(inputs, binColumns(inputs, rules));
}

/** Predictions on the targets' scale, one a row. */
export function predictLeafwise(
  { trees, objective }: Pick<LeafwiseModel, 'trees' | 'objective'>,
  inputs: Matrix,
): Float64Array {
  const scores = new Float64Array(inputs.rows);
  addTrees(trees, inputs, scores);
  return scores.map((score) => objective.output(score));
}

function differentiate(
  objective: Objective,
  scores: Float64Array,
  targets: Float64Array,
  weights: Float64Array | null,
  { gradients, hessians }: { gradients: Float64Array; hessians: Float64Array | null },
): void {
  for (let row = 0; row < scores.length; row++) {
    const weight = weights ? (weights[row] as number) : 1;
    const score = scores[row] as number;
    const target = targets[row] as number;
    gradients[row] = weight * objective.gradient(score, target);
    if (hessians) hessians[row] = weight * objective.hessian(score, target);
  }
}

/** Where the loss has a quantile for its optimum, leaves get that of their rows' residuals. */
function renewLeaves(grown: GrownTree, objective: Objective, scores: Float64Array, data: BoostingData): Tree {
  const share = objective.leafQuantile;
  if (share === null) return grown.tree;
  const leafValue = Float64Array.from(grown.starts, ([from, to]) => {
    const rows = grown.rows.subarray(from, to);
    const residuals = Float64Array.from(
      rows,
      (row) => (data.targets[row] as number) - (scores[row] as number),
    );
    const weights = data.weights;
    return quantile(residuals, weights && Float64Array.from(rows, (row) => weights[row] as number), share);
  });
  return { ...grown.tree, leafValue };
}

/** Rows in the bag are where growth has left them; only the others need to be sent down the tree. */
function addGrown(tree: Tree, { rows, starts }: GrownTree, inputs: Matrix, scores: Float64Array): void {
  const isInBag = new Uint8Array(inputs.rows);
  starts.forEach(([from, to], leaf) => {
    const value = tree.leafValue[leaf] as number;
    for (let at = from; at < to; at++) {
      const row = rows[at] as number;
      isInBag[row] = 1;
      scores[row] = (scores[row] as number) + value;
    }
  });
  if (rows.length === inputs.rows) return;
  for (let row = 0; row < inputs.rows; row++) {
    if (isInBag[row] === 1) continue;
    const leaf = leafOf(tree, inputs.data, row * inputs.columns);
    scores[row] = (scores[row] as number) + (tree.leafValue[leaf] as number);
  }
}

function requireRows({ inputs, targets, weights }: BoostingData): void {
  if (inputs.rows === 0) throw new ShapeError('boosting needs at least one training row');
  if (targets.length !== inputs.rows || (weights && weights.length !== inputs.rows)) {
    throw new ShapeError(`${inputs.rows} rows of inputs but ${targets.length} targets`);
  }
}
