import { extent, mean } from 'd3-array';
import { TARGET_NAMES, type Targets, targetsFromArray, targetsToArray } from '../../pasture/targets.ts';

/** Masses by target, in the order of `TARGET_NAMES`; NaN where one was not measured. */
function columnsOf(masses: readonly Targets[]): number[][] {
  const rows = masses.map(targetsToArray);
  return TARGET_NAMES.map((_, target) => rows.map((row) => row[target] ?? 0));
}

/**
 * The line of least squares from predicted to measured mass, target by target. Predictions that do not vary are
 * only shifted, and targets of which nothing was measured are left as they are.
 *
 * @returns a slope and an intercept in grams for each of `TARGET_NAMES`
 */
export function fitCalibration(
  predicted: readonly Targets[],
  observed: readonly Targets[],
): { slope: number[]; intercept: number[] } {
  const truth = columnsOf(observed);
  const lines = columnsOf(predicted).map((all, target) => {
    const column = truth[target] ?? [];
    const photos = column.flatMap((mass, photo) => (Number.isNaN(mass) ? [] : [photo]));
    if (photos.length === 0) return { slope: 1, intercept: 0 };
    const x = photos.map((photo) => all[photo] as number);
    const y = photos.map((photo) => column[photo] as number);
    const meanX = mean(x) ?? Number.NaN;
    const meanY = mean(y) ?? Number.NaN;
    const spread = x.reduce((sum, value) => sum + (value - meanX) ** 2, 0);
    const together = x.reduce((sum, value, row) => sum + (value - meanX) * ((y[row] ?? 0) - meanY), 0);
    const slope = spread > 0 ? together / spread : 1;
    return { slope, intercept: meanY - slope * meanX };
  });
  return { slope: lines.map((line) => line.slope), intercept: lines.map((line) => line.intercept) };
}

/** Least and greatest measured mass of each of `TARGET_NAMES`, grams. */
export function fitTrainingRange(observed: readonly Targets[]): { low: number[]; high: number[] } {
  const ranges = columnsOf(observed).map((column) => extent(column));
  return { low: ranges.map(([low]) => low ?? 0), high: ranges.map(([, high]) => high ?? 0) };
}

/** Changes every mass by itself; the identities may break. */
export function changeEach(
  predicted: readonly Targets[],
  change: (mass: number, target: number) => number,
): Targets[] {
  return predicted.map((targets) => targetsFromArray(targetsToArray(targets).map(change)));
}
