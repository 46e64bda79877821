import type { FoldRow } from '../data/folds/index.ts';
import type { Label } from '../data/labels.ts';
import { massesIn, massesKnownOf } from '../pasture/partial.ts';
import { MASS_NAMES, type MassName } from '../pasture/targets.ts';

/** The masses that photos outside a fold tell, which its model can learn. */
export function massesOutside(
  labels: readonly Pick<Label, 'targets'>[],
  rows: readonly Pick<FoldRow, 'fold'>[],
  fold: number,
): MassName[] {
  const outside = labels.filter((_, item) => rows[item]?.fold !== fold);
  return massesIn(massesKnownOf(outside.map(({ targets }) => targets)));
}

/**
 * The masses that the model of every fold can learn, so that each photo is predicted by one that knows them.
 *
 * @param rows of the labels, in their order
 */
export function massesOfEveryFold(
  labels: readonly Pick<Label, 'targets'>[],
  rows: readonly Pick<FoldRow, 'fold'>[],
): MassName[] {
  const folds = [...new Set(rows.map(({ fold }) => fold))];
  const learnt = folds.map((fold) => massesOutside(labels, rows, fold));
  return MASS_NAMES.filter((mass) => learnt.every((masses) => masses.includes(mass)));
}
