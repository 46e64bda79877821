import { invertPositiveDefinite } from '../ground/positive-definite.ts';
import { targetsFromComponents } from './physics.ts';
import { type Components, TARGET_NAMES, type Targets, targetsToArray } from './targets.ts';

/**
 * How much a correction of each target costs: equal (`plain`), one positive weight a target, or a symmetric
 * positive definite 5 × 5 matrix (an inverse covariance), each in the order of `TARGET_NAMES`.
 */
export type ReconciliationWeights = 'plain' | readonly number[] | readonly (readonly number[])[];

/** Each target as a sum of components: rows as `TARGET_NAMES`, columns green, dead, clover. */
const SUMS: readonly (readonly number[])[] = [
  [1, 0, 0],
  [0, 1, 0],
  [0, 0, 1],
  [1, 0, 1],
  [1, 1, 1],
];

/** Sets of components that may be above zero, the full set first. */
const SUPPORTS: readonly (readonly number[])[] = [[0, 1, 2], [0, 1], [0, 2], [1, 2], [0], [1], [2], []];

/**
 * The physical masses nearest to five free predictions: minimises (x − free)ᵀ W (x − free) over all x that
 * keep both identities and have no negative component. The exact minimum is found by solving the weighted
 * normal equations on each of the eight sets of non-zero components; sums are then derived again from the
 * components, so the identities hold to the last digit.
 *
 * @throws RangeError when a prediction is not finite or the weights are not five positive numbers or a
 *   symmetric positive definite 5 × 5 matrix
 */
export function reconcile(free: Targets, weights: ReconciliationWeights = 'plain'): Targets {
  const target = targetsToArray(free);
  if (!target.every(Number.isFinite))
    throw new RangeError(`cannot reconcile ${target.join(', ')}: not finite`);
  const metric = weightMatrix(weights);
  let best: Components = { green: 0, dead: 0, clover: 0 };
  let bestCost = Number.POSITIVE_INFINITY;
  for (const support of SUPPORTS) {
    const components = solveOnSupport(metric, target, support);
    if (components.some((mass) => mass < 0)) continue;
    const residual = SUMS.map((row, index) => dot(row, components) - (target[index] ?? 0));
    const weighted = metric.map((row) => dot(row, residual));
    const cost = dot(residual, weighted);
    if (cost < bestCost) {
      bestCost = cost;
      const [green = 0, dead = 0, clover = 0] = components;
      best = { green, dead, clover };
    }
  }
  return targetsFromComponents(best);
}

function weightMatrix(weights: ReconciliationWeights): number[][] {
  const size = TARGET_NAMES.length;
  if (weights === 'plain') return diagonal(Array.from({ length: size }, () => 1));
  if (weights.length !== size)
    throw new RangeError(`reconciliation needs ${size} weights, not ${weights.length}`);
  const matrix = weights.every((weight): weight is number => typeof weight === 'number')
    ? diagonal(weights)
    : weights.map((row) => (typeof row === 'number' ? [] : [...row]));
  requirePositiveDefinite(matrix);
  return matrix;
}

function diagonal(values: readonly number[]): number[][] {
  return values.map((value, row) => values.map((_, column) => (row === column ? value : 0)));
}

function requirePositiveDefinite(matrix: readonly (readonly number[])[]): void {
  const size = matrix.length;
  const at = (row: number, column: number): number => matrix[row]?.[column] ?? Number.NaN;
  const symmetric = matrix.every((values, row) =>
    values.every((value, column) => {
      const scale = Math.max(Math.abs(at(row, row)), Math.abs(at(column, column)));
      return Math.abs(value - at(column, row)) <= 1e-9 * scale;
    }),
  );
  const square = { rows: size, columns: size, data: Float64Array.from(matrix.flat()) };
  if (matrix.some(({ length }) => length !== size) || !symmetric || !invertPositiveDefinite(square)) {
    throw new RangeError('reconciliation weights must be positive (a symmetric positive definite matrix)');
  }
}

/** Weighted least squares for the components in `support`, the others zero. */
function solveOnSupport(
  metric: readonly (readonly number[])[],
  target: readonly number[],
  support: readonly number[],
): number[] {
  const columns = support.map((component) => SUMS.map((row) => row[component] ?? 0));
  const weighted = columns.map((column) => metric.map((row) => dot(row, column)));
  const normal = columns.map((column, i) => [
    ...weighted.map((other) => dot(column, other)),
    dot(weighted[i] ?? [], target),
  ]);
  const solution = eliminate(normal);
  return [0, 1, 2].map((component) => solution[support.indexOf(component)] ?? 0);
}

/** Gauss–Jordan on at most three rows `[A | b]` of a positive definite system. */
function eliminate(rows: number[][]): number[] {
  const size = rows.length;
  rows.forEach((pivotRow, pivot) => {
    const scale = pivotRow[pivot] ?? Number.NaN;
    for (let column = pivot; column <= size; column++) pivotRow[column] = (pivotRow[column] ?? 0) / scale;
    rows.forEach((row, index) => {
      const factor = row[pivot] ?? 0;
      if (index === pivot || factor === 0) return;
      for (let column = pivot; column <= size; column++) {
        row[column] = (row[column] ?? 0) - factor * (pivotRow[column] ?? 0);
      }
    });
  });
  return rows.map((row) => row[size] ?? 0);
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0);
}
