import { CholeskyDecomposition, Matrix as Dense } from 'ml-matrix';
import { SwardError } from '../../ground/errors.ts';
import { isComplete } from '../../pasture/partial.ts';
import type { ReconciliationWeights } from '../../pasture/reconcile.ts';
import { TARGET_NAMES, TARGET_WEIGHTS, type Targets, targetsToArray } from '../../pasture/targets.ts';

/** What a correction costs: the same for every target, the metric's weights, or the inverse error covariance. */
export const WEIGHINGS = ['plain', 'metric', 'covariance'] as const;
export type Weighing = (typeof WEIGHINGS)[number];

/** Part of the covariance between targets that is kept; predicted sums make it singular otherwise. */
const KEPT_COVARIANCE = 0.9;

/**
 * The costs a projection works with. For `covariance` they are the inverse of the errors' second moments over the
 * photos of which all was measured, off-diagonal entries shrunk by a tenth: targets that are predicted badly give way first.
 *
 * @throws SwardError when a target is predicted without any error, so that its inverse covariance is not finite
 */
export function projectionWeights(
  weighing: Weighing,
  predicted: readonly Targets[],
  observed: readonly Targets[],
): ReconciliationWeights {
  if (weighing === 'plain') return 'plain';
  if (weighing === 'metric') return TARGET_WEIGHTS;
  const errors = predicted.flatMap((targets, photo) => {
    const truth = observed[photo];
    if (truth && !isComplete(truth)) return [];
    const measured = truth ? targetsToArray(truth) : [];
    return [targetsToArray(targets).map((mass, target) => mass - (measured[target] ?? Number.NaN))];
  });
  if (errors.length === 0) {
    throw new SwardError('no photo has all masses to weigh a projection by; use projection=metric');
  }
  const moments = TARGET_NAMES.map((_, i) =>
    TARGET_NAMES.map((__, j) => {
      const moment = errors.reduce((sum, row) => sum + (row[i] ?? 0) * (row[j] ?? 0), 0) / errors.length;
      return i === j ? moment : KEPT_COVARIANCE * moment;
    }),
  );
  const cholesky = new CholeskyDecomposition(new Dense(moments));
  if (!cholesky.isPositiveDefinite()) {
    throw new SwardError('a target has no errors to weigh a projection by; use projection=metric');
  }
  const inverse = cholesky.solve(Dense.eye(TARGET_NAMES.length));
  // Rounding leaves the two halves apart in the last digit.
  return Dense.add(inverse, inverse.transpose()).div(2).to2DArray();
}
