import type { Matrix } from '../../ground/matrix.ts';
import type { RandomStream } from '../../ground/random.ts';
import { type BinnedMatrix, binMatrix } from './bins.ts';
import type { LeafwiseParameters } from './boost-settings.ts';
import {
  type Boosted,
  type BoostingData,
  boost,
  drawColumns,
  drawSample,
  requireRows,
  type ValidationData,
} from './boosting.ts';
import { type ColumnSpace, columnSpace } from './column-space.ts';
import { columnTeam } from './column-team.ts';
import { treeAdder } from './forest.ts';
import type { Derivatives } from './histogram.ts';
import { type GrownTree, growLeafwise } from './leafwise-tree.ts';
import { leafQuantiles, meanLoss, type Objective, objectiveOf } from './objectives.ts';
import { leafOf, scaleTree, type Tree } from './tree.ts';

/**
 * Gradient boosting with leaf-wise trees of one output; a row's score is the sum of its leaves, the starting
 * constant being in the first. The same data, parameters and seed give the same trees.
 *
 * @param binned bins of the training rows; several outputs or members may share them
 * @param space the same bins in memory that is shared with the threads that help
 * @throws ShapeError when the counts of rows differ
 * @throws UsageError when the targets do not fit the objective
 * @throws InputError when a categorical column holds something else than codes
 */
export function trainLeafwise(
  data: BoostingData,
  parameters: LeafwiseParameters,
  random: RandomStream,
  validation: ValidationData | null = null,
  binned: BinnedMatrix = binFor(data, parameters),
  space: ColumnSpace | null = null,
): Boosted<Tree> {
  requireRows(data);
  const objective = objectiveOf(parameters);
  const { inputs, targets, weights } = data;
  const start = parameters.boostFromAverage ? objective.initial(targets.data, weights) : 0;
  const scores = new Float64Array(inputs.rows).fill(start);
  const derivatives = {
    gradients: new Float64Array(inputs.rows),
    hessians: hasHessians(data, parameters) ? new Float64Array(inputs.rows) : null,
  };
  const team = columnTeam(
    space ?? columnSpace(binned, parameters, derivatives.hessians !== null, 1),
    binned,
    derivatives,
    parameters,
  );
  let bag = Int32Array.from({ length: inputs.rows }, (_, row) => row);
  const grow = (round: number) => {
    const stream = random.fork(round);
    if (parameters.baggingFreq > 0 && round % parameters.baggingFreq === 0) {
      bag = drawSample(inputs.rows, parameters.baggingFraction, stream.fork('rows'));
    }
    differentiate(objective, scores, data, derivatives);
    const columns = drawColumns(inputs, parameters.featureFraction, stream.fork('columns'));
    const nodes = stream.fork('nodes');
    const grown = growLeafwise(binned, derivatives, bag, columns, parameters, nodes, team);
    const tree = scaleTree(renewLeaves(grown, objective, scores, data), parameters.learningRate);
    addGrown(tree, grown, inputs, scores);
    return {
      tree: round === 0 ? scaleTree(tree, 1, start) : tree,
      loss: meanLoss(objective, scores, targets, weights),
    };
  };
  const heldScores = new Float64Array(validation?.inputs.rows ?? 0);
  const validate =
    validation &&
    ((tree: Tree): number => {
      treeAdder([tree])(validation.inputs, heldScores);
      return meanLoss(objective, heldScores, validation.targets, null);
    });
  return boost(parameters.numIterations, parameters.earlyStoppingRound, grow, validate);
}

/** Whether second derivatives differ between rows, by the loss or by weights. */
export const hasHessians = (
  { weights }: Pick<BoostingData, 'weights'>,
  parameters: Pick<LeafwiseParameters, 'objective' | 'alpha' | 'tweedieVariancePower'>,
): boolean => weights !== null || !objectiveOf(parameters).unitHessian;

/** The bins of training rows. @throws InputError when a categorical column holds something else than codes */
export function binFor(
  { inputs, categorical }: Pick<BoostingData, 'inputs' | 'categorical'>,
  { maxBin, minDataInBin }: Pick<LeafwiseParameters, 'maxBin' | 'minDataInBin'>,
): BinnedMatrix {
  const rules = { maxBin, minDataInBin, categorical: new Set(categorical), single: false };
  return binMatrix(inputs, rules);
}

function differentiate(
  objective: Objective,
  scores: Float64Array,
  { targets, weights }: BoostingData,
  { gradients, hessians }: Derivatives,
): void {
  for (let row = 0; row < scores.length; row++) {
    const weight = weights ? (weights[row] as number) : 1;
    const score = scores[row] as number;
    const target = targets.data[row] as number;
    gradients[row] = weight * objective.gradient(score, target);
    if (hessians) hessians[row] = weight * objective.hessian(score, target);
  }
}

/** Where the loss has a quantile for its optimum, leaves get that of their rows' residuals. */
function renewLeaves(
  { tree, rows, starts }: GrownTree,
  { leafQuantile }: Objective,
  scores: Float64Array,
  { targets, weights }: BoostingData,
): Tree {
  if (leafQuantile === null) return tree;
  const leaves = starts.map(([from, to]) => rows.subarray(from, to));
  return { ...tree, leafValue: leafQuantiles(leaves, targets, scores, weights, leafQuantile) };
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
