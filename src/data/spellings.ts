import { isMissing, visibleText } from './missing.ts';

/** States and Territories of Australia: what sward calls them, and their full names. */
const AUSTRALIAN_STATES: Readonly<Record<string, string>> = {
  NSW: 'New South Wales',
  Vic: 'Victoria',
  Tas: 'Tasmania',
  WA: 'Western Australia',
  SA: 'South Australia',
  Qld: 'Queensland',
  NT: 'Northern Territory',
  ACT: 'Australian Capital Territory',
};

/**
 * What spellings of one name have in common: letters and figures without case; dots, blanks, hyphens and invisible
 * characters do not count, unless they stand between figures (`1.1` is not `11`).
 */
export function spellingKey(text: string): string {
  return visibleText(text)
    .toLowerCase()
    .replaceAll(/(?<=\d)[^\p{L}\p{N}]+(?=\d)/gu, '_')
    .replaceAll(/[^\p{L}\p{N}_]+|(?<!\d)_|_(?!\d)/gu, '');
}

/** The State of every spelling: short and full names, alone or with the country or the short name beside them. */
const STATE_OF_SPELLING: ReadonlyMap<string, string> = new Map(
  Object.entries(AUSTRALIAN_STATES)
    .flatMap(([short, full]) =>
      [short, full, `${full} ${short}`, `${short} ${full}`]
        .flatMap((name) => [name, `AU ${name}`, `AUS ${name}`, `${name} Australia`, `Australia ${name}`])
        .map((spelling) => [spellingKey(spelling), short] as const),
    )
    .concat([['tassie', 'Tas']]),
);

/** A State as sward calls it: `WA` of `wa`, `W.A.` and `Western Australia`; of other countries as it is written. */
export function stateName(text: string): string {
  return STATE_OF_SPELLING.get(spellingKey(text)) ?? visibleText(text);
}

/** Whether a name is that of a State, in whatever spelling. */
export const isKnownState = (name: string): boolean => STATE_OF_SPELLING.has(spellingKey(name));

/** A shorter name may be another in full right. */
const LEAST_NAME = 3;

/** The State whose short or full name a name nearly is, without being one; null where there is none. */
export function nearState(name: string): string | null {
  const key = spellingKey(name);
  if (isKnownState(name) || key.length < LEAST_NAME) return null;
  const near = Object.entries(AUSTRALIAN_STATES).find((names) =>
    names.some((state) => state.length >= LEAST_NAME && isOneEdit(key, spellingKey(state))),
  );
  return near?.[0] ?? null;
}

/** Whether two words differ in one letter, one letter too few, or two neighbours that changed places. */
export function isOneEdit(a: string, b: string): boolean {
  const [short, long] = a.length <= b.length ? [a, b] : [b, a];
  let start = 0;
  while (start < short.length && short[start] === long[start]) start += 1;
  const [rest, other] = [short.slice(start), long.slice(start)];
  if (rest === '' && other === '') return false;
  if (short.length < long.length) return rest === other.slice(1);
  const isSwapped = rest[0] === other[1] && rest[1] === other[0] && rest.slice(2) === other.slice(2);
  return rest.slice(1) === other.slice(1) || (rest.length > 1 && isSwapped);
}

/** Cells of a column that mean the same, with the name they all get. */
export interface Spellings {
  readonly name: string;
  /** Every way it is written, with the number of rows, the most frequent first. */
  readonly written: readonly { readonly text: string; readonly rows: number }[];
}

/** A column of names of which every one is spelt in one way; null: missing. */
export interface NamedColumn {
  readonly names: readonly (string | null)[];
  /** Names that are written in more than one way. */
  readonly varied: readonly Spellings[];
}

/**
 * Gives cells that are spellings of one name the same name: that of the State, or else the most frequent spelling.
 *
 * @param what of States, short and full names are one
 */
export function namedColumn(cells: readonly (string | undefined)[], what: 'States' | 'names'): NamedColumn {
  const keyOf = (cell: string): string =>
    (what === 'States' ? STATE_OF_SPELLING.get(spellingKey(cell)) : undefined) ?? (spellingKey(cell) || cell);
  const byKey = new Map<string, Map<string, number>>();
  for (const cell of cells) {
    if (cell === undefined || isMissing(cell)) continue;
    const texts = byKey.get(keyOf(cell)) ?? new Map<string, number>();
    byKey.set(keyOf(cell), texts.set(cell, (texts.get(cell) ?? 0) + 1));
  }
  const groups = new Map(
    [...byKey].map(([key, texts]) => {
      const written = [...texts].map(([text, rows]) => ({ text, rows })).sort((a, b) => b.rows - a.rows);
      const usual = written[0]?.text ?? '';
      return [key, { name: what === 'States' ? stateName(usual) : visibleText(usual), written }] as const;
    }),
  );
  return {
    names: cells.map((cell) =>
      cell === undefined || isMissing(cell) ? null : (groups.get(keyOf(cell))?.name ?? null),
    ),
    varied: [...groups.values()].filter(({ written }) => written.length > 1),
  };
}

/** Spellings as a person is told of them: `Tas (12 rows), TAS (9)`; invisible characters by their number. */
export function spellingsText({ written }: Spellings): string {
  return written
    .map(({ text, rows }, index) => {
      const shown = text.replaceAll(
        /\p{Cf}/gu,
        (sign) => `\\u${(sign.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`,
      );
      const quoted = shown === text.trim() && !/\s{2}/.test(text) ? shown : `"${shown}"`;
      return `${quoted} (${rows}${index === 0 ? ' rows' : ''})`;
    })
    .join(', ');
}
