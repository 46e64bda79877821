import { countOf } from '../ground/counts.ts';
import { visibleText } from './missing.ts';
import type { Problem } from './problems.ts';
import { isKnownState, isOneEdit, nearState } from './spellings.ts';

/** Where a photo was taken, and when. */
interface Place {
  readonly name: string | null;
  /** ISO date. */
  readonly date: string | null;
}

/** A name of so few rows may be a slip wherever it stands. */
const FEW_ROWS = 2;
/** In shorter words one letter may be all that tells two names apart. */
const LEAST_WORD = 4;

/**
 * Warnings about names of places that may be one name misspelt, since photos of one visit would count as of two: names one
 * letter apart, of one date or of few rows, and names that are nearly those of a State.
 *
 * @param where the table
 * @param column what it calls the names
 */
export function nearSpellings(
  where: string,
  column: string,
  places: readonly Place[],
  what: 'States' | 'names',
): Problem[] {
  const known = new Map<string, { rows: number; readonly dates: Set<string> }>();
  for (const { name, date } of places) {
    if (name === null) continue;
    const own = known.get(name) ?? { rows: 0, dates: new Set() };
    known.set(name, own);
    own.rows += 1;
    if (date !== null) own.dates.add(date);
  }
  const names = [...known].map(([name, facts]) => ({ name, ...facts }));
  const quoted = ({ name, rows }: (typeof names)[number]): string => `"${name}" (${countOf(rows, 'photo')})`;
  const misspelt = what === 'names' ? [] : names.filter(({ name }) => nearState(name) !== null);
  const pairs = names.flatMap((one, place) =>
    names.slice(place + 1).flatMap((other): [typeof one, typeof one][] => {
      if (misspelt.includes(one) || misspelt.includes(other)) return [];
      if (what === 'States' && isKnownState(one.name) && isKnownState(other.name)) return [];
      const isTogether = [...one.dates].some((date) => other.dates.has(date));
      const isRare = Math.min(one.rows, other.rows) <= FEW_ROWS;
      return (isTogether || isRare) && areNear(one.name, other.name) ? [[one, other]] : [];
    }),
  );
  const problem = (said: string, remedy: string): Problem => ({
    severity: 'warning',
    code: 'near-spelling',
    where,
    what: `${column} ${said}: photos of one visit may lie in different folds if they are one`,
    remedy,
  });
  return [
    ...misspelt.map((one) =>
      problem(`${quoted(one)} counts as another than ${nearState(one.name)}`, 'correct it if it is misspelt'),
    ),
    ...pairs.map(([one, other]) =>
      problem(
        `${quoted(one)} and ${quoted(other)} count as two places`,
        'write them in one way if they are one',
      ),
    ),
  ];
}

/** Whether two names differ in one letter of one word, one letter too few, or two that changed places. */
function areNear(a: string, b: string): boolean {
  const [own, others] = [wordsOf(a), wordsOf(b)];
  if (own.length !== others.length) return false;
  const differing = own.flatMap((word, place) =>
    word === others[place] ? [] : [[word, others[place] ?? ''] as const],
  );
  const [only, ...more] = differing;
  if (!only || more.length > 0) return false;
  // `Plot 12` is not `Plot 13`, and `Block A` not `Block B`.
  return only.every((word) => /^\p{L}+$/u.test(word) && word.length >= LEAST_WORD) && isOneEdit(...only);
}

const wordsOf = (name: string): string[] =>
  visibleText(name)
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter(Boolean);
