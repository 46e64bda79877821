import { sum } from 'd3-array';
import { UsageError } from '../../ground/errors.ts';
import type { RandomStream } from '../../ground/random.ts';
import { mean, squaredDeviations } from '../../ground/statistics.ts';

/** Orders of the groups tried for one seed; the most even result is kept. */
const DRAWS = 20;

/**
 * Stratified group K-fold with shuffling. Groups in a random order go one by one to the fold that leaves the
 * strata spread most evenly over the folds (least mean standard deviation of each stratum's shares, the
 * criterion of scikit-learn's `StratifiedGroupKFold`); of equally good folds the smallest takes it. The most
 * even of several such draws is kept, so folds are balanced and still differ from seed to seed.
 *
 * @param groups group of each item; no group is ever in two folds
 * @param strata class of each item
 * @param foldCount K ≥ 2
 * @returns fold (0 … K−1) of each item; no fold is empty
 * @throws UsageError when K is not an integer ≥ 2 or there are fewer groups than folds
 */
export function stratifiedGroupKFold(
  groups: readonly string[],
  strata: readonly number[],
  foldCount: number,
  random: RandomStream,
): number[] {
  if (!Number.isInteger(foldCount) || foldCount < 2) {
    throw new UsageError(`folds must be a whole number of 2 or more, not ${foldCount}`);
  }
  const counts = countStrata(groups, strata);
  if (counts.size < foldCount) {
    throw new UsageError(
      `${foldCount} folds need as many groups, but there are ${counts.size}; ask for fewer folds`,
    );
  }
  const totals = columnSums([...counts.values()]);
  let best: Draw | undefined;
  for (let draw = 0; draw < DRAWS; draw++) {
    const candidate = drawFolds(random.shuffled([...counts]), totals, foldCount);
    if (!best || candidate.spread < best.spread - TIE) best = candidate;
  }
  const foldOfGroup = best?.foldOfGroup ?? new Map<string, number>();
  return groups.map((group) => foldOfGroup.get(group) ?? 0);
}

/** Spreads closer than this are the same but for rounding. */
const TIE = 1e-12;

interface Draw {
  readonly foldOfGroup: ReadonlyMap<string, number>;
  readonly spread: number;
}

function drawFolds(
  order: readonly (readonly [string, readonly number[]])[],
  totals: readonly number[],
  foldCount: number,
): Draw {
  const folds = Array.from({ length: foldCount }, () => totals.map(() => 0));
  const foldOfGroup = new Map<string, number>();
  order.forEach(([group, groupCounts], index) => {
    const empty = folds.filter((fold) => sum(fold) === 0).length;
    // The last groups must fill the folds that are still empty.
    const mustFill = order.length - index <= empty;
    const fold = bestFold(folds, groupCounts, totals, mustFill);
    foldOfGroup.set(group, fold);
    folds[fold] = (folds[fold] ?? []).map((count, stratum) => count + (groupCounts[stratum] ?? 0));
  });
  const nothing = totals.map(() => 0);
  return { foldOfGroup, spread: spreadWith(folds, 0, nothing, totals) };
}

/** For each group, how many of its items are in each stratum. */
function countStrata(groups: readonly string[], strata: readonly number[]): Map<string, number[]> {
  const width = Math.max(0, ...strata) + 1;
  const counts = new Map<string, number[]>();
  groups.forEach((group, item) => {
    const row = counts.get(group) ?? new Array<number>(width).fill(0);
    const stratum = strata[item] ?? 0;
    row[stratum] = (row[stratum] ?? 0) + 1;
    counts.set(group, row);
  });
  return counts;
}

function bestFold(
  folds: readonly (readonly number[])[],
  group: readonly number[],
  totals: readonly number[],
  onlyEmpty: boolean,
): number {
  let best = 0;
  let bestSpread = Number.POSITIVE_INFINITY;
  let bestSize = Number.POSITIVE_INFINITY;
  folds.forEach((fold, index) => {
    const size = sum(fold);
    if (onlyEmpty && size > 0) return;
    const spread = spreadWith(folds, index, group, totals);
    const better = spread < bestSpread - TIE || (spread <= bestSpread + TIE && size < bestSize);
    if (!better) return;
    best = index;
    bestSpread = spread;
    bestSize = size;
  });
  return best;
}

/** Mean over strata of the standard deviation, over folds, of the stratum's share in each fold. */
function spreadWith(
  folds: readonly (readonly number[])[],
  receiving: number,
  group: readonly number[],
  totals: readonly number[],
): number {
  const present = totals.map((_, stratum) => stratum).filter((stratum) => (totals[stratum] ?? 0) > 0);
  const spreads = present.map((stratum) => {
    const shares = folds.map((fold, index) => {
      const count = (fold[stratum] ?? 0) + (index === receiving ? (group[stratum] ?? 0) : 0);
      return count / (totals[stratum] ?? 1);
    });
    return Math.sqrt(squaredDeviations(shares, mean(shares)) / shares.length);
  });
  return mean(spreads);
}

function columnSums(rows: readonly (readonly number[])[]): number[] {
  return (rows[0] ?? []).map((_, column) => sum(rows.map((row) => row[column] ?? 0)));
}
