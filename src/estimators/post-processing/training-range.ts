import { TARGET_NAMES, type Targets, targetsFromArray, targetsToArray } from '../../pasture/targets.ts';

/** Least and greatest measured mass of each target, grams, in the order of `TARGET_NAMES`. */
export interface TrainingRange {
  readonly low: readonly number[];
  readonly high: readonly number[];
}

/** The range of the masses that were measured. */
export function fitTrainingRange(observed: readonly Targets[]): TrainingRange {
  const rows = observed.map(targetsToArray);
  const over = (pick: (a: number, b: number) => number): number[] =>
    TARGET_NAMES.map((_, target) => rows.map((row) => row[target] ?? 0).reduce(pick));
  return { low: over((a, b) => Math.min(a, b)), high: over((a, b) => Math.max(a, b)) };
}

/** Masses no smaller and no greater than any measured one; the identities may break. */
export function clipToRange({ low, high }: TrainingRange, predicted: readonly Targets[]): Targets[] {
  return predicted.map((targets) =>
    targetsFromArray(
      targetsToArray(targets).map((mass, target) =>
        Math.max(low[target] ?? 0, Math.min(high[target] ?? Number.POSITIVE_INFINITY, mass)),
      ),
    ),
  );
}
