import type { OutOfFoldRow } from '../runs/results.ts';

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
  const rare = groups.slice(MOST_GROUPS - 1);
  return [
    ...groups.slice(0, MOST_GROUPS - 1),
    { label: `${rare.length} others`, rows: rare.flatMap((group) => group.rows) },
  ];
}

/**
 * Groups in order of time, unrecorded last: by sampling session (date and State), or, where that makes more
 * than a page's worth, by date, month or year, whichever is finest and fits.
 */
export function groupByTime(rows: readonly OutOfFoldRow[]): PhotoGroup[] {
  const spans: readonly ((row: OutOfFoldRow) => string | null)[] = [
    (row) => (row.date === null ? null : row.state === null ? row.date : `${row.date} ${row.state}`),
    (row) => row.date,
    (row) => row.date?.slice(0, 7) ?? null,
    (row) => row.date?.slice(0, 4) ?? null,
  ];
  let groups: PhotoGroup[] = [];
  for (const span of spans) {
    groups = gather(rows, span).sort(byLabel);
    if (groups.length <= MOST_GROUPS) break;
  }
  return groups;
}

/** Whether grouping says anything: at least one photo has the property recorded. */
export function isRecorded(groups: readonly PhotoGroup[]): boolean {
  return groups.some((group) => group.label !== UNRECORDED);
}

function gather(rows: readonly OutOfFoldRow[], labelOf: (row: OutOfFoldRow) => string | null): PhotoGroup[] {
  const byName = new Map<string, OutOfFoldRow[]>();
  for (const row of rows) {
    const label = labelOf(row) || UNRECORDED;
    const members = byName.get(label);
    if (members === undefined) byName.set(label, [row]);
    else members.push(row);
  }
  return [...byName].map(([label, members]) => ({ label, rows: members }));
}

function byLabel(a: PhotoGroup, b: PhotoGroup): number {
  if (a.label === UNRECORDED) return b.label === UNRECORDED ? 0 : 1;
  if (b.label === UNRECORDED) return -1;
  // Plain code-unit order: the same on every machine, whatever its locale.
  return a.label < b.label ? -1 : a.label > b.label ? 1 : 0;
}
