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
import { countOf } from '../ground/counts.ts';
import { UsageError } from '../ground/errors.ts';
import { randomStream } from '../ground/random.ts';

/** How folds are made: drawn from a seed, or read from a file. */
export interface FoldPlan {
  /** Number of folds, or a CSV that `sward folds` or a run wrote. */
  readonly folds: number | string;
  /** Whether fewer folds do where there are fewer groups; so where nobody said how many. */
  readonly orFewer?: boolean;
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

/** A plan with what it leaves out: {@link DEFAULT_FOLD_PLAN}, of which folds there may be fewer. */
export function completePlan(plan: Partial<FoldPlan> = {}): FoldPlan {
  return { ...DEFAULT_FOLD_PLAN, ...(plan.folds === undefined && { orFewer: true }), ...plan };
}

/** With fewer, folds train on a single photo. */
const FEWEST_PHOTOS = 3;

/** @throws UsageError for photos of which nothing could be learnt */
export function requireEnough(photos: number): void {
  if (photos < FEWEST_PHOTOS) throw tooFew(photos);
}

const tooFew = (photos: number): UsageError =>
  new UsageError(
    `${countOf(photos, 'photo')} with measured masses: at least ${FEWEST_PHOTOS} of two visits are needed to train on some and be ` +
      'scored on others, and about 30 of many visits for a score that says something; add cuts, or predict with the ' +
      'starter that comes with sward: sward predict PHOTOS',
  );

/**
 * Fold, group and stratum of each photo. Copies of one photo are in one group, whatever their dates say.
 *
 * @param copies a key of each photo, which copies share
 * @throws UsageError when there are too few groups, or photos lack the date the grouping needs
 * @throws InputError when a folds file does not fit the photos
 */
export async function planFolds(
  labels: readonly Label[],
  plan: FoldPlan,
  copies: readonly string[] = [],
): Promise<FoldRow[]> {
  if (labels.length < 2) throw tooFew(labels.length);
  const groups = joinedGroups(
    groupsOf(labels, plan.grouping),
    labels.map((_, item) => copies[item] ?? null),
  );
  if (plan.grouping !== 'none' && new Set(groups).size === 1 && groups.length > 1) {
    throw new UsageError(
      `all ${groups.length} photos are of one visit (${groups[0]}), so that no model can be asked about a visit it has ` +
        'not seen; add photos of another visit, or pass --group none and do not trust the score',
    );
  }
  const strata = strataOf(labels, plan.stratification);
  const ids = labels.map((label) => label.imageId);
  const folds =
    typeof plan.folds === 'string'
      ? await readFolds(plan.folds, ids, groups)
      : stratifiedGroupKFold(
          groups,
          strata,
          foldCount(plan.folds, groups, plan),
          randomStream(plan.seed).fork('folds'),
        );
  return ids.map((imageId, item) => ({
    imageId,
    fold: folds[item] as number,
    group: groups[item] as string,
    stratum: strata[item] as number,
  }));
}

const foldCount = (wanted: number, groups: readonly string[], { orFewer = false }: FoldPlan): number =>
  orFewer ? Math.max(2, Math.min(wanted, new Set(groups).size)) : wanted;
