/** What stands in a cell where nothing is known, in lower case. */
const MISSING = new Set(
  ['', 'na', 'n/a', 'n.a.', 'n.a', '#n/a', 'nan', 'null', 'none', 'nd', 'n.d.', 'missing', 'unknown'].concat([
    '-',
    '--',
    '–',
    '—',
    '.',
    '?',
  ]),
);

/** Characters that take no room: zero-width spaces and joiners, marks of direction, soft hyphens. */
const INVISIBLE = /\p{Cf}/gu;

/** A cell as a person sees it: composed (NFKC), without invisible characters, every blank one space. */
export function visibleText(text: string): string {
  return text.normalize('NFKC').replaceAll(INVISIBLE, '').replaceAll(/\s+/g, ' ').trim();
}

/** Whether a cell says that nothing is known: empty, `NA`, `NaN`, `n/a`, `-` and the like. */
export function isMissing(text: string | undefined): boolean {
  return MISSING.has(visibleText(text ?? '').toLowerCase());
}
