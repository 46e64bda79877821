import { mean, squaredDeviations } from '../ground/statistics.ts';
import { TARGET_NAMES, TARGET_WEIGHTS, type TargetName, type Targets, targetsToArray } from './targets.ts';

/** Fit of one target over all photos of which it was measured. Errors are predicted − observed. */
export interface TargetScore {
  /** 1 − SS_res / SS_tot about the target's own mean; NaN when all observed values are equal. */
  readonly r2: number;
  /** Root mean squared error, grams. */
  readonly rmse: number;
  /** Mean absolute error, grams. */
  readonly mae: number;
  /** Mean error, grams; positive when predictions are too high. */
  readonly bias: number;
  /** Photos of which the target was measured. */
  readonly photos: number;
}

/** What `sward score` prints. */
export interface Score {
  readonly weightedR2: number;
  readonly perTarget: Readonly<Record<TargetName, TargetScore>>;
  readonly imageCount: number;
}

/**
 * The competition's metric: one R² over all (image, target) rows pooled,
 * `1 − Σ w(y−ŷ)² / Σ w(y−ȳw)²` with `ȳw = Σ w·y / Σ w`, in grams (CSIRO Image2Biomass, evaluation page).
 * Note that 0 is not the score of the per-target mean, since ȳw is shared by all targets. Rows that were not measured
 * (NaN) have no part in it.
 *
 * @param observed [images] masses in grams
 * @param predicted [images] masses in grams, in the same order
 * @returns NaN when every observed row has the same value, or one that was measured has no prediction
 * @throws RangeError when the lengths differ or there is no image
 */
export function weightedR2(observed: readonly Targets[], predicted: readonly Targets[]): number {
  if (observed.length !== predicted.length) {
    throw new RangeError(`${observed.length} observed but ${predicted.length} predicted`);
  }
  if (observed.length === 0) throw new RangeError('nothing to score: no image');
  const truth = observed.map(targetsToArray);
  const guess = predicted.map(targetsToArray);
  let weightSum = 0;
  let weightedSum = 0;
  for (const row of truth) {
    row.forEach((value, target) => {
      if (Number.isNaN(value)) return;
      const weight = TARGET_WEIGHTS[target] ?? 0;
      weightSum += weight;
      weightedSum += weight * value;
    });
  }
  const mean = weightedSum / weightSum;
  let residual = 0;
  let total = 0;
  truth.forEach((row, image) => {
    row.forEach((value, target) => {
      if (Number.isNaN(value)) return;
      const weight = TARGET_WEIGHTS[target] ?? 0;
      residual += weight * (value - (guess[image]?.[target] ?? Number.NaN)) ** 2;
      total += weight * (value - mean) ** 2;
    });
  });
  return total > 0 ? 1 - residual / total : Number.NaN;
}

/** R², RMSE, MAE and bias of one target given as two columns, where it was measured. */
function scoreColumn(every: readonly number[], guesses: readonly number[]): TargetScore {
  const measured = every.flatMap((value, index) => (Number.isNaN(value) ? [] : [index]));
  const observed = measured.map((index) => every[index] as number);
  const errors = measured.map((index) => (guesses[index] ?? Number.NaN) - (every[index] as number));
  const squares = errors.reduce((sum, error) => sum + error * error, 0);
  const total = squaredDeviations(observed, mean(observed));
  return {
    r2: total > 0 ? 1 - squares / total : Number.NaN,
    rmse: Math.sqrt(squares / errors.length),
    mae: mean(errors.map(Math.abs)),
    bias: mean(errors),
    photos: errors.length,
  };
}

/** The weighted R² with the per-target diagnostics beside it. @throws RangeError as {@link weightedR2} */
export function scoreTargets(observed: readonly Targets[], predicted: readonly Targets[]): Score {
  const column = (rows: readonly Targets[], index: number): number[] =>
    rows.map((row) => targetsToArray(row)[index] ?? Number.NaN);
  const pooled = weightedR2(observed, predicted);
  const entries = TARGET_NAMES.map(
    (name, index) => [name, scoreColumn(column(observed, index), column(predicted, index))] as const,
  );
  return {
    weightedR2: pooled,
    perTarget: Object.fromEntries(entries) as Record<TargetName, TargetScore>,
    imageCount: observed.length,
  };
}
