import type { RandomStream } from '../../ground/random.ts';
import { type BinnedMatrix, binMatrix } from './bins.ts';
import type { LeafwiseParameters } from './boost-settings.ts';
import {
  type Boosted,
  type BoostingData,
  boost,
  columnSampler,
  requireRows,
  sampler,
  type ValidationData,
} from './boosting.ts';
import { type ColumnSpace, columnSpace } from './column-space.ts';
import { columnTeam } from './column-team.ts';
import { treeAdder } from './forest.ts';
import type { Derivatives } from './histogram.ts';
import { type GrownTree, leafwiseGrower } from './leafwise-tree.ts';
import { leafQuantiles, meanLoss, type Objective, objectiveOf } from './objectives.ts';
import { scaleTree, type Tree } from './tree.ts';

/**
 * Gradient boosting with leaf-wise trees of one output; a row's score is the sum of its leaves, the starting
 * constant being in the first. The same data, parameters and seed give the same trees.
 *
 * @param binned bins of the training rows, whose values are then not read; several outputs or members may share them
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
  const growTree = leafwiseGrower(binned, derivatives, parameters, team);
  const drawRows = sampler(inputs.rows, parameters.baggingFreq > 0 ? parameters.baggingFraction : 1);
  const drawColumns = columnSampler(inputs, parameters.featureFraction);
  let { drawn: bag, others } = drawRows(random);
  const grow = (round: number) => {
    const stream = random.fork(round);
    if (parameters.baggingFreq > 0 && round % parameters.baggingFreq === 0) {
      ({ drawn: bag, others } = drawRows(stream.fork('rows')));
    }
    differentiate(objective, scores, data, derivatives);
    const columns = drawColumns(stream.fork('columns'));
    const grown = growTree({ bag, others, columns }, stream.fork('nodes'));
    const tree = scaleTree(renewLeaves(grown, objective, scores, data), parameters.learningRate);
    addGrown(tree, grown, scores);
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
  { tree, rows, leaves }: GrownTree,
  { leafQuantile }: Objective,
  scores: Float64Array,
  { targets, weights }: BoostingData,
): Tree {
  if (leafQuantile === null) return tree;
  const rowsOfLeaves = leaves.map(({ from, to }) => rows.subarray(from, to));
  return { ...tree, leafValue: leafQuantiles(rowsOfLeaves, targets, scores, weights, leafQuantile) };
}

/** Adds a tree to the scores of all rows, which are where growth has left them. */
function addGrown(tree: Tree, { rows, others, leaves }: GrownTree, scores: Float64Array): void {
  const add = (list: Int32Array, from: number, to: number, value: number): void => {
    for (let at = from; at < to; at++) {
      const row = list[at] as number;
      scores[row] = (scores[row] as number) + value;
    }
  };
  leaves.forEach(({ from, to, othersFrom, othersTo }, leaf) => {
    const value = tree.leafValue[leaf] as number;
    add(rows, from, to, value);
    add(others, othersFrom, othersTo, value);
  });
}
