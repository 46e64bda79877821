import { countOf } from '../../ground/counts.ts';
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

/** What of a label tells which visit a photo is of. */
type VisitFacts = Pick<Label, 'imageId' | 'date' | 'state' | 'site'>;

/**
 * The group of each photo: its sampling session (`2015-09-04 Tas`), its date, or the photo itself. A session is a date
 * and State, or where no State is known a date and site; of a date with a photo of which neither is known all photos
 * are one group, since that photo may be of any of its sessions. Where no photo has a date, sites are the groups.
 *
 * @throws UsageError when photos lack the date that the grouping needs
 */
export function groupsOf(labels: readonly VisitFacts[], grouping: Grouping): string[] {
  if (grouping === 'none') return labels.map(({ imageId }) => imageId);
  const places = placesOf(labels);
  if (labels.every(({ date }) => date === null) && grouping === 'date-state' && !places.includes(null)) {
    return places as string[];
  }
  const undated = labels.find(({ date }) => date === null);
  if (undated) {
    throw new UsageError(
      `${undated.imageId} has no sampling date: photos of one visit would leak between folds; add the date, ` +
        'or pass --group none where no two photos are of one visit',
    );
  }
  const loose = new Set(labels.filter((_, item) => places[item] === null).map(({ date }) => date));
  return labels.map(({ date }, item) =>
    grouping === 'date' || loose.has(date) ? String(date) : `${date} ${places[item]}`,
  );
}

/** How many visits photos are of, and what tells these apart; null where dates are lacking. */
export function visitsSentence(labels: readonly VisitFacts[]): string | null {
  if (labels.length === 0) return null;
  const isDated = labels.every(({ date }) => date !== null);
  const places = placesOf(labels);
  if (!isDated && (places.includes(null) || labels.some(({ date }) => date !== null))) return null;
  const place = labels.some(({ state }) => state !== null) ? 'State' : 'site';
  const dated = places.every((known) => known === null) ? 'date' : `date and ${place}`;
  return `${countOf(new Set(groupsOf(labels, 'date-state')).size, 'visit')}, by ${isDated ? dated : place}`;
}

/** State of each photo, or the site where no photo has a State; null where it is not known. */
function placesOf(labels: readonly VisitFacts[]): (string | null)[] {
  const byState = labels.some(({ state }) => state !== null);
  return labels.map(({ state, site }) => (byState ? state : (site ?? null)));
}

/**
 * Groups with those joined that share something: photos of one key, as copies of one photo, end in one group, the one
 * that comes first.
 *
 * @param keys of each item; null: shared with nothing
 */
export function joinedGroups(groups: readonly string[], keys: readonly (string | null)[]): string[] {
  const places = new Map([...groups.entries()].reverse().map(([item, group]) => [group, item]));
  const place = (group: string): number => places.get(group) ?? 0;
  const parent = new Map<string, string>();
  const rootOf = (group: string): string => {
    let root = group;
    for (let up = parent.get(root); up !== undefined; up = parent.get(root)) root = up;
    return root;
  };
  const firstOf = new Map<string, string>();
  groups.forEach((group, item) => {
    const key = keys[item] ?? null;
    if (key === null) return;
    const [one, other] = [rootOf(firstOf.get(key) ?? group), rootOf(group)];
    firstOf.set(key, one);
    if (one === other) return;
    const [first, second] = place(one) <= place(other) ? [one, other] : [other, one];
    parent.set(second, first);
  });
  return groups.map(rootOf);
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
