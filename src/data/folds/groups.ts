import { UsageError } from '../../ground/errors.ts';
import type { Label } from '../labels.ts';

/** What must never be split between folds. */
export const GROUPINGS = ['date-state', 'date', 'none'] as const;
/** What photos have in common that no fold may split: one of {@link GROUPINGS}. */
export type Grouping = (typeof GROUPINGS)[number];

/** What every fold should have its share of. */
export const STRATIFICATIONS = ['presence', 'total', 'none'] as const;
/** What folds are to have alike shares of: one of {@link STRATIFICATIONS}. */
export type Stratification = (typeof STRATIFICATIONS)[number];

const TOTAL_BINS = 5;

/**
 * The group of each photo: its sampling session (`2015-09-04 Tas`), its date, or the photo itself.
 *
 * @throws UsageError when photos lack the date or State that the grouping needs
 */
export function groupsOf(
  labels: readonly Pick<Label, 'imageId' | 'date' | 'state'>[],
  grouping: Grouping,
): string[] {
  return labels.map((label) => {
    if (grouping === 'none') return label.imageId;
    const parts = grouping === 'date' ? [label.date] : [label.date, label.state];
    if (parts.includes(null)) {
      throw new UsageError(
        `${label.imageId} has no ${label.date === null ? 'Sampling_Date' : 'State'}: ` +
          'photos of one session would leak between folds; add the column or pass --group none',
      );
    }
    return parts.join(' ');
  });
}

/**
 * The sampling session of a photo, whose photos err together: its group; where photos are not grouped its date and
 * State, as far as they are known, and else the photo itself.
 */
export function sessionOf(
  { imageId, date, state }: Pick<Label, 'imageId' | 'date' | 'state'>,
  group: string | undefined,
): string {
  if (group !== undefined && group !== imageId) return group;
  return [date, state].filter((part) => part !== null).join(' ') || imageId;
}

/**
 * The stratum of each photo: whether clover and dead matter are present (four classes), or the fifth of the
 * photos by total mass it falls in.
 */
export function strataOf(
  labels: readonly Pick<Label, 'targets'>[],
  stratification: Stratification,
): number[] {
  if (stratification === 'none') return labels.map(() => 0);
  if (stratification === 'presence') {
    return labels.map(({ targets }) => (targets.clover > 0 ? 2 : 0) + (targets.dead > 0 ? 1 : 0));
  }
  const sorted = labels
    .map(({ targets }) => targets.total)
    .filter((total) => !Number.isNaN(total))
    .sort((a, b) => a - b);
  const edges = Array.from({ length: TOTAL_BINS - 1 }, (_, bin) => {
    return sorted[Math.floor(((bin + 1) * sorted.length) / TOTAL_BINS)] ?? Number.POSITIVE_INFINITY;
  });
  return labels.map(({ targets }) => edges.filter((edge) => targets.total >= edge).length);
}
