import { visibleText } from './missing.ts';

/** Which sign stands before the decimals of a column's numbers, where a number alone does not tell. */
export type DecimalSign = '.' | ',';

const NUMBER = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i;
/** Whole thousands with one kind of sign between them, which may as well be three decimals. */
const GROUPED = /^[+-]?[1-9]\d{0,2}([.,]\d{3})+$/;

/** A number's text with plain signs and no blanks or apostrophes between thousands. */
const plain = (text: string): string =>
  visibleText(text)
    .replaceAll(/[\u2212\u2013]/g, '-')
    .replaceAll(/(?<=\d)[ '’](?=\d{3}(\D|$))/g, '');

/**
 * The sign before decimals that a number leaves no doubt of; null where it has none, or may as well have thousands.
 * The last of two different signs stands before the decimals, and so does one that is not followed by three digits.
 */
function evidentSign(text: string): DecimalSign | null {
  const number = plain(text);
  const signs = marksIn(number);
  const last = signs.at(-1);
  if (last === undefined || isAmbiguous(number)) return null;
  if (signs.length === 1) return last;
  if (signs.every((sign) => sign === last)) return GROUPED.test(number) ? (last === ',' ? '.' : ',') : null;
  return last;
}

/** Whether a number may as well have thousands as three decimals: `1,054`. */
export const isAmbiguous = (text: string): boolean => {
  const number = plain(text);
  return GROUPED.test(number) && marksIn(number).length === 1;
};

/** The points and commas of a text, in their order. */
export const marksIn = (text: string): readonly DecimalSign[] =>
  plain(text)
    .split('')
    .filter((sign): sign is DecimalSign => sign === '.' || sign === ',');

/** Which signs before decimals the numbers of some cells have beyond doubt. */
export function decimalSigns(cells: readonly string[]): ReadonlySet<DecimalSign> {
  return new Set(cells.filter((cell) => isNumberLike(cell)).flatMap((cell) => evidentSign(cell) ?? []));
}

const isNumberLike = (text: string): boolean => /^[+-]?[\d.,]*\d[\d.,]*$/.test(plain(text));

/**
 * The sign before decimals in a column: the one its own numbers show, or else the one the rest of the table does.
 *
 * @param cells of the column
 * @param elsewhere what numbers of the whole table show
 * @param commasAreFree whether the file's cells are separated by something else than commas
 */
export function decimalSign(
  cells: readonly string[],
  elsewhere: ReadonlySet<DecimalSign>,
  commasAreFree: boolean,
): DecimalSign {
  const own = decimalSigns(cells);
  if (own.size === 1) return own.has(',') ? ',' : '.';
  if (own.size === 2) return '.';
  if (elsewhere.has(',') && !elsewhere.has('.')) return ',';
  // `1,234` between semicolons: who writes decimal points has no need of semicolons.
  return commasAreFree && !elsewhere.has('.') && cells.some((cell) => plain(cell).includes(',')) ? ',' : '.';
}

/**
 * A number as people write it: decimal point or comma, signs, blanks or apostrophes between thousands.
 *
 * @param sign the sign before decimals where the text itself leaves it open
 * @returns NaN where it is none
 */
export function readNumber(text: string, sign: DecimalSign = '.'): number {
  const number = plain(text);
  if (NUMBER.test(number) && !(sign === ',' && GROUPED.test(number))) return Number(number);
  if (!isNumberLike(number)) return Number.NaN;
  const decimal = evidentSign(number) ?? sign;
  const thousands = decimal === ',' ? '.' : ',';
  const [whole = '', decimals, ...more] = number.split(decimal);
  const isGrouped = !whole.includes(thousands) || GROUPED.test(whole);
  if (more.length > 0 || !isGrouped || decimals?.includes(thousands)) return Number.NaN;
  const joined = `${whole.replaceAll(thousands, '')}${decimals === undefined ? '' : `.${decimals}`}`;
  return NUMBER.test(joined) ? Number(joined) : Number.NaN;
}
