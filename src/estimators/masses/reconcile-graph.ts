import { Matrix as Dense, inverse } from 'ml-matrix';
import type { ReconciliationWeights } from '../../pasture/reconcile.ts';
import {
  cast,
  constant,
  full,
  greaterOrEqual,
  less,
  logicalAnd,
  matmul,
  min,
  multiply,
  subtract,
  sum,
  type Tensor,
  where,
} from '../../tensor/index.ts';
import { massesFromComponents } from './masses-graph.ts';

/** Each mass as a sum of components: rows as `TARGET_NAMES`, columns green, dead, clover. */
const SUMS = new Dense([
  [1, 0, 0],
  [0, 1, 0],
  [0, 0, 1],
  [1, 0, 1],
  [1, 1, 1],
]);

/** Sets of components that may be above zero, in the order in which `reconcile` tries them. */
const SUPPORTS = [[0, 1, 2], [0, 1], [0, 2], [1, 2], [0], [1], [2]];

/**
 * `reconcile` as a graph: of the weighted least-squares solutions on each set of non-zero components the nearest one
 * that has no negative component.
 *
 * @param free `[batch, 5]` grams
 * @returns `[batch, 5]` float64, physical masses
 */
export function reconcileGraph(free: Tensor, weights: ReconciliationWeights = 'plain'): Tensor {
  const targets = cast(free, 'float64');
  const metric = weightMatrix(weights);
  const costOf = (residual: Tensor): Tensor =>
    sum(multiply(matmul(residual, doubles(metric)), residual), { axes: [1], keepAxes: true });
  // Nothing but zeros is always allowed.
  let best = full([targets.shape[0] as number, 3], 0, 'float64');
  let bestCost = costOf(targets);
  for (const support of SUPPORTS) {
    const solution = matmul(targets, doubles(solutionMap(support, metric).transpose()));
    const cost = costOf(subtract(matmul(solution, doubles(SUMS.transpose())), targets));
    const allowed = greaterOrEqual(min(solution, { axes: [1], keepAxes: true }), 0);
    const isBetter = logicalAnd(allowed, less(cost, bestCost));
    best = where(isBetter, solution, best);
    bestCost = where(isBetter, cost, bestCost);
  }
  return massesFromComponents(best);
}

function weightMatrix(weights: ReconciliationWeights): Dense {
  if (weights === 'plain') return Dense.eye(5);
  const isVector = weights.every((weight): weight is number => typeof weight === 'number');
  if (isVector) return Dense.diag([...weights]);
  return new Dense(weights.map((row) => (typeof row === 'number' ? [] : [...row])));
}

/** The least-squares map from five masses to components, those outside the support zero: [3, 5]. */
function solutionMap(support: readonly number[], metric: Dense): Dense {
  const columns = SUMS.subMatrixColumn([...support]);
  const weighted = columns.transpose().mmul(metric);
  const onSupport = inverse(weighted.mmul(columns)).mmul(weighted);
  const map = Dense.zeros(3, 5);
  for (const [row, component] of support.entries()) map.setRow(component, onSupport.getRow(row));
  return map;
}

const doubles = (matrix: Dense): Tensor =>
  constant(Float64Array.from(matrix.to1DArray()), [matrix.rows, matrix.columns], 'float64');
