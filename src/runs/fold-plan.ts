import {
  type FoldRow,
  type Grouping,
  groupsOf,
  joinedGroups,
  readFolds,
  type Stratification,
  strataOf,
  stratifiedGroupKFold,
} from '../data/folds/index.ts';
import type { Label } from '../data/labels.ts';
import { randomStream } from '../ground/random.ts';

/** How folds are made: drawn from a seed, or read from a file. */
export interface FoldPlan {
  /** Number of folds, or a CSV that `sward folds` or a run wrote. */
  readonly folds: number | string;
  readonly seed: number;
  readonly grouping: Grouping;
  readonly stratification: Stratification;
}

/** Five folds, none of which splits a session. */
export const DEFAULT_FOLD_PLAN: FoldPlan = {
  folds: 5,
  seed: 42,
  grouping: 'date-state',
  stratification: 'presence',
};

/**
 * Fold, group and stratum of each photo. Copies of one photo are in one group, whatever their dates say.
 *
 * @param contents what the file of each photo holds, as a hash; copies have the same one
 * @throws UsageError when there are too few groups, or photos lack the date the grouping needs
 * @throws InputError when a folds file does not fit the photos
 */
export async function planFolds(
  labels: readonly Label[],
  plan: FoldPlan,
  contents: readonly string[] = [],
): Promise<FoldRow[]> {
  const groups = joinedGroups(
    groupsOf(labels, plan.grouping),
    labels.map((_, item) => contents[item] ?? null),
  );
  const strata = strataOf(labels, plan.stratification);
  const ids = labels.map((label) => label.imageId);
  const folds =
    typeof plan.folds === 'string'
      ? await readFolds(plan.folds, ids, groups)
      : stratifiedGroupKFold(groups, strata, plan.folds, randomStream(plan.seed).fork('folds'));
  return ids.map((imageId, item) => ({
    imageId,
    fold: folds[item] as number,
    group: groups[item] as string,
    stratum: strata[item] as number,
  }));
}
