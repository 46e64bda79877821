import { mean, squaredDeviations } from '../../ground/statistics.ts';
import { TARGET_NAMES, type Targets, targetsFromArray, targetsToArray } from '../../pasture/targets.ts';

/** A straight line for each target, in the order of `TARGET_NAMES`; intercepts in grams. */
export interface Calibration {
  readonly slope: readonly number[];
  readonly intercept: readonly number[];
}

/**
 * The line of least squares from predicted to measured mass, target by target. Predictions that do not vary are
 * only shifted.
 */
export function fitCalibration(predicted: readonly Targets[], observed: readonly Targets[]): Calibration {
  const guesses = predicted.map(targetsToArray);
  const truth = observed.map(targetsToArray);
  const lines = TARGET_NAMES.map((_, target) => {
    const x = guesses.map((row) => row[target] ?? 0);
    const y = truth.map((row) => row[target] ?? 0);
    const [meanX, meanY] = [mean(x), mean(y)];
    const spread = squaredDeviations(x, meanX);
    const together = x.reduce((sum, value, row) => sum + (value - meanX) * ((y[row] ?? 0) - meanY), 0);
    const slope = spread > 0 ? together / spread : 1;
    return { slope, intercept: meanY - slope * meanX };
  });
  return { slope: lines.map((line) => line.slope), intercept: lines.map((line) => line.intercept) };
}

/** Masses on the line; the identities may break. */
export function calibrate({ slope, intercept }: Calibration, predicted: readonly Targets[]): Targets[] {
  return predicted.map((targets) =>
    targetsFromArray(
      targetsToArray(targets).map((mass, target) => (intercept[target] ?? 0) + (slope[target] ?? 1) * mass),
    ),
  );
}
