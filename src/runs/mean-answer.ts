import { weightedR2 } from '../pasture/metric.ts';
import { knownWhere, meanOfKnown } from '../pasture/partial.ts';
import type { Targets } from '../pasture/targets.ts';

/**
 * Weighted R² of answering every photo with the mean masses of the photos outside its fold, each mass of those of which
 * it was measured: what a model has to beat. Not a number with fewer than two folds.
 */
export function meanAnswerScore(
  rows: readonly { readonly fold: number; readonly observed: Targets }[],
): number {
  const folds = [...new Set(rows.map(({ fold }) => fold))];
  if (folds.length < 2) return Number.NaN;
  const answers = new Map(
    folds.map((fold) => [
      fold,
      meanOfKnown(rows.filter((row) => row.fold !== fold).map(({ observed }) => observed)),
    ]),
  );
  const answered = rows.map(({ fold }) => answers.get(fold) as Targets);
  return weightedR2(
    rows.map(({ observed }, row) => knownWhere(observed, answered[row] as Targets)),
    answered,
  );
}
