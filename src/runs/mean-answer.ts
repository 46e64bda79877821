import { weightedR2 } from '../pasture/metric.ts';
import type { Targets } from '../pasture/targets.ts';
import { meanTargets } from './prediction.ts';

/**
 * Weighted R² of answering every photo with the mean masses of the photos outside its fold: what a model has to beat. Not
 * a number with fewer than two folds.
 */
export function meanAnswerScore(
  rows: readonly { readonly fold: number; readonly observed: Targets }[],
): number {
  const folds = [...new Set(rows.map(({ fold }) => fold))];
  if (folds.length < 2) return Number.NaN;
  const answers = new Map(
    folds.map((fold) => [
      fold,
      meanTargets(rows.filter((row) => row.fold !== fold).map(({ observed }) => observed)),
    ]),
  );
  return weightedR2(
    rows.map(({ observed }) => observed),
    rows.map(({ fold }) => answers.get(fold) as Targets),
  );
}
