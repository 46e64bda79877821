import type { OutOfFoldRow } from './results.ts';

/** Visits whose photos lie in several folds, so that models were asked about what they had all but seen. */
export interface SplitSessions {
  /** How many visits are split, of how many; null where no dates tell which photos are of one visit. */
  readonly split: number | null;
  readonly sessions: number;
}

/** Which visits lie in several folds; null where each is whole. */
export function splitSessions(
  rows: readonly Pick<OutOfFoldRow, 'imageId' | 'session' | 'fold'>[],
): SplitSessions | null {
  const folds = new Map<string, Set<number>>();
  for (const { session, fold } of rows) folds.set(session, (folds.get(session) ?? new Set()).add(fold));
  if (rows.every(({ session, imageId }) => session === imageId))
    return { split: null, sessions: rows.length };
  const split = [...folds.values()].filter((own) => own.size > 1).length;
  return split > 0 ? { split, sessions: folds.size } : null;
}

/** What is to be told of split visits, in one sentence without an end. */
export function splitSentence({ split, sessions }: SplitSessions): string {
  const which =
    split === null
      ? 'no dates tell which photos are of one visit, so that they may lie in different folds'
      : `photos of one visit lie in different folds (${split} of ${sessions} visits)`;
  return `${which}: a model is asked about what it has all but seen, and the score flatters; group by date and State`;
}
