import { group } from 'd3-array';
import type { OutOfFoldRow } from '../../runs/results.ts';

/** Photos that share a State, a session or a species string. */
export interface PhotoGroup {
  readonly label: string;
  readonly rows: readonly OutOfFoldRow[];
}

/** Label of photos for which a State, date or species was not recorded. */
export const UNRECORDED = 'not recorded';

/** Groups a plot or a table can show before it grows longer than a page. */
const MOST_GROUPS = 42;

/** One group a State, in alphabetical order, unrecorded last. */
export function groupByState(rows: readonly OutOfFoldRow[]): PhotoGroup[] {
  return gather(rows, (row) => row.state).sort(byLabel);
}

/** One group a species string, the most photographed first; beyond a page's worth the rarest become one. */
export function groupBySpecies(rows: readonly OutOfFoldRow[]): PhotoGroup[] {
  const groups = gather(rows, (row) => row.species).sort(
    (a, b) => b.rows.length - a.rows.length || byLabel(a, b),
  );
  if (groups.length <= MOST_GROUPS) return groups;
  const rare = groups.splice(MOST_GROUPS - 1);
  return [...groups, { label: `${rare.length} others`, rows: rare.flatMap(({ rows }) => rows) }];
}

/**
 * Groups in order of time, unrecorded last: by sampling session, or, where that makes more than a page's worth, by
 * date, month or year, whichever is finest and fits.
 */
export function groupByTime(rows: readonly OutOfFoldRow[]): PhotoGroup[] {
  const spans = [
    sessionOf,
    ...[10, 7, 4].map(
      (length) =>
        ({ date }: OutOfFoldRow) =>
          date?.slice(0, length),
    ),
  ];
  let groups: PhotoGroup[] = [];
  for (const span of spans) {
    groups = gather(rows, span).sort(byLabel);
    if (groups.length <= MOST_GROUPS) break;
  }
  return groups;
}

/** The sampling session of a photo, by date and State: the one place of the report that derives it. */
function sessionOf({ date, state }: OutOfFoldRow): string | null {
  return date === null || state === null ? date : `${date} ${state}`;
}

/** Whether grouping says anything: at least one photo has the property recorded. */
export function isRecorded(groups: readonly PhotoGroup[]): boolean {
  return groups.some(({ label }) => label !== UNRECORDED);
}

function gather(
  rows: readonly OutOfFoldRow[],
  labelOf: (row: OutOfFoldRow) => string | null | undefined,
): PhotoGroup[] {
  const byName = group(rows, (row) => labelOf(row) || UNRECORDED);
  return [...byName].map(([label, members]) => ({ label, rows: members }));
}

/** Plain code-unit order, the same on every machine whatever its locale; unrecorded last. */
function byLabel({ label: a }: PhotoGroup, { label: b }: PhotoGroup): number {
  if (a === b) return 0;
  if (a === UNRECORDED || b === UNRECORDED) return a === UNRECORDED ? 1 : -1;
  return a < b ? -1 : 1;
}
