import { InputError } from '../ground/errors.ts';
import { quantileSorted } from '../ground/statistics.ts';
import { isMissing } from './missing.ts';
import { type DecimalSign, decimalSign, decimalSigns, isAmbiguous, marksIn, readNumber } from './numbers.ts';
import type { Problem } from './problems.ts';

/** What `--decimal` may say: the sign before decimals of numbers that may as well have thousands, as `1,054`. */
export const DECIMAL_NAMES = ['comma', 'point'] as const;
/** One of {@link DECIMAL_NAMES}. */
export type DecimalName = (typeof DECIMAL_NAMES)[number];

const SIGNS: Readonly<Record<DecimalName, DecimalSign>> = { comma: ',', point: '.' };
const NAMES: Readonly<Record<DecimalSign, DecimalName>> = { ',': 'comma', '.': 'point' };

/** A column of numbers whose sign before decimals is looked for. */
export interface NumberColumn {
  readonly header: string;
  readonly cells: readonly string[];
  /** Whether such numbers are usual for what the column holds; absent: nobody knows what that is. */
  readonly isUsual?: (value: number) => boolean;
}

/** How the numbers of a column are read. */
export interface ReadDecimals {
  readonly sign: DecimalSign;
  /** What there is to say of the column, as `commas between thousands`; null: nothing. */
  readonly note: string | null;
  /** Of a column with numbers that may be read in two ways. */
  readonly example: Example | null;
}

/** The first number of a column that may be read in two ways. */
interface Example {
  /** Place in the column. */
  readonly item: number;
  readonly text: string;
  /** What tells which: its column, the notation of the file or a person; other columns; its size; nothing. */
  readonly known: 'told' | 'by-table' | 'by-size' | 'open';
}

/** What is known of a table's numbers besides them. */
export interface DecimalOptions {
  /** Whether the file's cells are separated by something else than commas. */
  readonly commasAreFree: boolean;
  /** What a person said. */
  readonly decimal?: DecimalName | undefined;
}

/** Numbers as large as others of their column differ by less; thousands read as decimals are 1000 times too small. */
const ALIKE = 10 ** 1.5;
/** So much nearer to one than to the other is near enough to tell. */
const MARGIN = 10 ** 0.5;

/**
 * How the numbers of a table's columns are read. `1,054` may be a good one or a thousand. What tells is, in this order,
 * a person; other numbers of the column; those of other columns; whole numbers beside it that are as large, and what is
 * usual of such a mass or height; the notation of a file with commas between its cells. Where nothing tells, the column
 * is open, and nobody is to read it.
 */
export function readDecimals(
  columns: readonly NumberColumn[],
  { commasAreFree, decimal }: DecimalOptions,
): ReadDecimals[] {
  const shown = new Set(columns.flatMap(({ cells }) => [...decimalSigns(cells)]));
  const looks = columns.map((column) => signBySize(column));
  const judged = new Set(looks.flatMap(({ sign }) => sign ?? []));
  return columns.map(({ cells }, place): ReadDecimals => {
    const item = cells.findIndex(isAmbiguous);
    const text = cells[item];
    const usual = decimalSign(cells, shown, commasAreFree);
    if (text === undefined)
      return { sign: usual, note: usual === ',' ? 'decimal comma' : null, example: null };
    const read = (sign: DecimalSign, known: Example['known'], why = ''): ReadDecimals => {
      const [mark] = marksIn(text);
      const name = mark === ',' ? 'comma' : 'point';
      const note = mark === sign ? `decimal ${name}` : `${name}s between thousands`;
      // Of decimal points between commas there is nothing to say.
      const isPlain = why === '' && mark === sign && sign === '.' && !commasAreFree;
      const said = known === 'open' ? 'decimals or thousands?' : isPlain ? null : `${note}${why}`;
      return { sign, note: said, example: { item, text, known } };
    };
    if (decimal !== undefined) return read(SIGNS[decimal], 'told', `, as --decimal ${decimal} says`);
    const [own] = onlyOf(decimalSigns(cells));
    if (own !== undefined) return read(own, 'told');
    const look = looks[place];
    const [elsewhere] = onlyOf(shown);
    const marks = new Set(cells.filter(isAmbiguous).flatMap((cell) => marksIn(cell)));
    if (elsewhere !== undefined) {
      // One sign for both, in one table, is no notation.
      const isOdd = look?.beside !== null && look?.beside !== undefined && look.beside !== elsewhere;
      if (isOdd) return read(usual, 'open');
      return read(elsewhere, !commasAreFree && elsewhere === '.' ? 'told' : 'by-table');
    }
    if (look?.isTorn || marks.size > 1) return read(usual, 'open');
    const bySize = look?.sign ?? onlyOf(judged)[0];
    if (bySize !== undefined) {
      const isUsual = !commasAreFree && bySize === '.';
      return read(bySize, isUsual ? 'told' : 'by-size');
    }
    return commasAreFree ? read(usual, 'open') : read('.', 'told');
  });
}

/**
 * What there is to say of columns that were read: an error where nothing tells how, a warning where other columns or the
 * size of the numbers alone do. The remedy is `--decimal`.
 *
 * @param rowOf names the row of a column's item
 */
export function decimalProblems(
  columns: readonly NumberColumn[],
  read: readonly ReadDecimals[],
  rowOf: (item: number) => string,
): Problem[] {
  const found = columns.flatMap(({ header }, place) => {
    const { example, sign } = read[place] ?? {};
    return example && sign ? [{ header, sign, ...example }] : [];
  });
  return (['open', 'by-table', 'by-size'] as const).flatMap((known): Problem[] => {
    const of = found.filter((one) => one.known === known);
    const [first] = of;
    if (!first) return [];
    const [decimals, thousands] = [
      readNumber(first.text, markOf(first)),
      readNumber(first.text, otherThan(markOf(first))),
    ];
    const headers = of.map(({ header }) => `"${header}"`).join(', ');
    const where = rowOf(first.item);
    const [mark, other] = [NAMES[markOf(first)], NAMES[otherThan(markOf(first))]];
    if (known === 'open') {
      const what = `nothing shows whether "${first.text}" is ${decimals} or ${thousands} (${headers})`;
      const remedy = `say --decimal ${mark} (${decimals}) or --decimal ${other} (${thousands})`;
      return [{ severity: 'error', code: 'decimal-sign', where, what, remedy }];
    }
    const value = readNumber(first.text, first.sign);
    const what = `"${first.text}" is read as ${value}, by ${known === 'by-size' ? 'the size of the numbers' : 'the decimals of other columns'} (${headers})`;
    const remedy =
      value === decimals
        ? `say --decimal ${other} if it is ${thousands}`
        : `say --decimal ${mark} if it is ${decimals}`;
    return [{ severity: 'warning', code: 'decimal-sign', where, what, remedy }];
  });
}

/**
 * The signs before decimals of columns whose numbers nobody can be asked about, with warnings as of
 * {@link decimalProblems}.
 *
 * @throws InputError where nothing tells
 */
export function knownDecimals(
  columns: readonly NumberColumn[],
  rowOf: (item: number) => string,
  options: DecimalOptions,
): { readonly signs: readonly DecimalSign[]; readonly warnings: readonly Problem[] } {
  const read = readDecimals(columns, options);
  const remedy = 'write numbers without a sign between thousands';
  const problems = decimalProblems(columns, read, rowOf).map((problem) => ({ ...problem, remedy }));
  const open = problems.find(({ severity }) => severity === 'error');
  if (open) throw new InputError(open.where, open.what, remedy);
  return { signs: read.map(({ sign }) => sign), warnings: problems };
}

const markOf = ({ text }: { readonly text: string }): DecimalSign => marksIn(text)[0] ?? '.';
const otherThan = (sign: DecimalSign): DecimalSign => (sign === ',' ? '.' : ',');
const onlyOf = <Value>(values: ReadonlySet<Value>): readonly Value[] =>
  values.size === 1 ? [...values] : [];

/** What the size of a column's numbers says of the sign before their decimals. */
interface LookOfSize {
  /** Null: nothing. */
  readonly sign: DecimalSign | null;
  /** By whole numbers of the same column alone. */
  readonly beside: DecimalSign | null;
  /** Whether whole numbers beside say one thing and what is usual another. */
  readonly isTorn: boolean;
}

function signBySize({ cells, isUsual }: NumberColumn): LookOfSize {
  const open = cells.filter(isAmbiguous);
  const [mark] = onlyOf(new Set(open.flatMap((cell) => marksIn(cell))));
  if (mark === undefined) return { sign: null, beside: null, isTorn: false };
  const thousands = otherThan(mark);
  const sizeAs = (sign: DecimalSign): number => median(open.map((cell) => Math.abs(readNumber(cell, sign))));
  const [small, large] = [sizeAs(mark), sizeAs(thousands)];
  const whole = cells.filter((cell) => !isMissing(cell) && marksIn(cell).length === 0);
  const size = median(whole.map((cell) => Math.abs(readNumber(cell))).filter((value) => value > 0));
  const middle = small * ALIKE;
  const beside = size > middle * MARGIN ? thousands : size < middle / MARGIN ? mark : null;
  const [isSmallUsual, isLargeUsual] = [isUsual?.(small) ?? false, isUsual?.(large) ?? false];
  const usual = isSmallUsual === isLargeUsual ? null : isSmallUsual ? mark : thousands;
  const isTorn = beside !== null && usual !== null && beside !== usual;
  return { sign: isTorn ? null : (beside ?? usual), beside, isTorn };
}

const median = (values: readonly number[]): number =>
  quantileSorted(
    values.filter((value) => !Number.isNaN(value)).sort((a, b) => a - b),
    0.5,
  );
