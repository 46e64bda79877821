import { mean, squaredDeviations } from '../ground/statistics.ts';

/** A mean that cuts of some frames correct. */
export interface RegressionMean {
  readonly mean: number;
  readonly variance: number;
  /** kg of cut for each kg of estimate. */
  readonly slope: number;
}

/** Fewer cuts leave nothing to tell the residual variance by. */
export const FEWEST_REGRESSED = 3;

/**
 * Double sampling with regression (Wilm, Costello & Klipple 1944; Cochran, Sampling Techniques, 1977, 12.5–12.7): the
 * cheap measure of all n frames corrects the mean of the m that were cut. ȳ = ȳ_m + b (x̄_n − x̄_m), with variance
 * s²_{y·x} / m + (s²_y − s²_{y·x}) / n. It asks nothing of the run's record of errors, and needs many cuts instead. Where
 * all estimates of cut frames are alike the slope is 0.
 *
 * @param estimates of all n frames
 * @param pairs estimate and cut of the m frames that were cut
 * @throws RangeError with fewer than three pairs
 */
export function regressionMean(
  estimates: readonly number[],
  pairs: readonly { readonly estimate: number; readonly cut: number }[],
): RegressionMean {
  const count = pairs.length;
  if (count < FEWEST_REGRESSED) throw new RangeError(`a regression on ${count} cuts has no variance`);
  const [x, y] = [pairs.map(({ estimate }) => estimate), pairs.map(({ cut }) => cut)];
  const [meanX, meanY] = [mean(x), mean(y)];
  const squares = squaredDeviations(x, meanX);
  const products = pairs.reduce((sum, { estimate, cut }) => sum + (estimate - meanX) * (cut - meanY), 0);
  const slope = squares > 0 ? products / squares : 0;
  const total = squaredDeviations(y, meanY);
  const about = Math.max(0, total - slope * products) / (count - 2);
  const spread = total / (count - 1);
  return {
    mean: meanY + slope * (mean(estimates) - meanX),
    variance: about / count + Math.max(0, spread - about) / estimates.length,
    slope,
  };
}
