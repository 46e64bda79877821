import { mean } from '../../ground/statistics.ts';
import { TARGET_WEIGHTS, type Targets, targetsToArray } from '../../pasture/targets.ts';
import type { Certainty } from '../../runs/pseudo-record.ts';

/** Keeps `relative` finite where hardly anything stands, grams. */
const LEAST_MASS = 5;

/**
 * How uncertain a prediction is: the mean over the targets that are predicted of their standard deviations (grams), or with
 * `relative` their metric-weighted mean over the metric-weighted mass, which does not favour bare ground as
 * the first one does.
 *
 * @param deviations standard deviation of each target, grams, in the order of `TARGET_NAMES`
 */
export function uncertaintyOf(
  deviations: readonly number[],
  predicted: Targets,
  certainty: Certainty,
): number {
  if (certainty === 'absolute') return mean(deviations.filter((deviation) => !Number.isNaN(deviation)));
  const weigh = (values: readonly number[]): number =>
    values.reduce(
      (sum, value, target) => (Number.isNaN(value) ? sum : sum + value * (TARGET_WEIGHTS[target] ?? 0)),
      0,
    );
  return weigh(deviations) / Math.max(LEAST_MASS, weigh(targetsToArray(predicted)));
}

/**
 * The most certain share of the photos, at least one, in their own order; of equally certain ones the earlier.
 *
 * @param share in (0, 1]
 */
export function mostCertain(uncertainties: readonly number[], share: number): number[] {
  const count = Math.max(1, Math.floor(share * uncertainties.length + 1e-9));
  return uncertainties
    .map((uncertainty, photo) => ({ uncertainty, photo }))
    .sort((a, b) => a.uncertainty - b.uncertainty || a.photo - b.photo)
    .slice(0, count)
    .map(({ photo }) => photo)
    .sort((a, b) => a - b);
}
