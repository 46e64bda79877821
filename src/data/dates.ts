import { isMissing, visibleText } from './missing.ts';

/** What `--dates` may say: which of day and month stands first where both are numbers. */
export const DATE_ORDERS = ['dmy', 'mdy'] as const;
/** Day first (`dmy`) or month first (`mdy`). */
export type DateOrder = (typeof DATE_ORDERS)[number];

/** How a date is written. */
type Form = 'year-first' | 'numbers' | 'month-name' | 'serial';

/** What people call the notations. */
const FORM_NAMES: Readonly<Record<Form, string>> = {
  'year-first': 'year first',
  numbers: 'day and month as numbers',
  'month-name': 'month by name',
  serial: 'day numbers of Excel',
};

/** What people call an order. */
const ORDER_NAMES: Readonly<Record<DateOrder, string>> = { dmy: 'day first', mdy: 'month first' };

/** A cell with the row it stands in. */
export interface DateCell {
  readonly text: string;
  readonly row: number;
}

/** What is wrong with dates of a column. */
export interface DateFault {
  readonly kind: 'unreadable' | 'mixed' | 'ambiguous';
  readonly row: number;
  readonly what: string;
  readonly remedy: string;
}

/** A column of dates as it was understood. */
export interface DateColumn {
  /** ISO dates in the order of the cells; null where a date is missing or cannot be read. */
  readonly dates: readonly (string | null)[];
  /** `day first, since row 7 has "18/05/2015"`; null where there is no date. */
  readonly notation: string | null;
  /** The order of day and month where the column has dates of numbers. */
  readonly order: DateOrder | null;
  /** Whether that order was said or shown, not supposed. */
  readonly isShown: boolean;
  readonly faults: readonly DateFault[];
}

/** How a column is read where it does not tell itself. */
export interface DateOptions {
  /** What a person said. */
  readonly order?: DateOrder | undefined;
  /** What is taken where nothing shows whether day or month stands first; without it that is a fault. */
  readonly unlessShown?: DateOrder | undefined;
}

/**
 * Reads a column of dates. The notation is that of the whole column: year first (`2015/9/4`, `2015-09-04 10:30`,
 * `20150904`), day or month first (`18/05/2015`), the month by name (`4 Sep 2015`), or the day numbers of Excel. Whether
 * day or month stands first is shown by a date whose other order names no day. Two notations in one column are a fault,
 * since then spreadsheets have taken some dates for others.
 */
export function readDates(cells: readonly DateCell[], { order, unlessShown }: DateOptions = {}): DateColumn {
  const known = cells.map(({ text, row }) => ({ row, text, date: isMissing(text) ? null : dateForm(text) }));
  const faults: DateFault[] = known
    .filter(({ text, date }) => date === null && !isMissing(text))
    .map(({ text, row }) => ({
      kind: 'unreadable',
      row,
      what: `"${text}" cannot be read as a date`,
      remedy: 'write it as 2015-09-04',
    }));
  const mixed = mixture(known);
  if (mixed)
    return {
      dates: cells.map(() => null),
      notation: null,
      order: null,
      isShown: false,
      faults: [...faults, mixed],
    };
  const first = known.find(({ date }) => date !== null)?.date;
  if (!first) return { dates: cells.map(() => null), notation: null, order: null, isShown: false, faults };
  const numbers = known.flatMap(({ row, text, date }) =>
    date?.form === 'numbers' ? [{ row, text, date }] : [],
  );
  const shown = first.form === 'numbers' ? shownOrder(numbers) : null;
  if (shown && 'fault' in shown) {
    return {
      dates: cells.map(() => null),
      notation: null,
      order: null,
      isShown: false,
      faults: [...faults, shown.fault],
    };
  }
  const isAlike = numbers.every(({ date }) => isoDate(date, 'dmy') === isoDate(date, 'mdy'));
  const chosen = order ?? shown?.order ?? unlessShown ?? (isAlike ? 'dmy' : null);
  if (first.form === 'numbers' && chosen === null) {
    const { row, text } = numbers[0] ?? { row: 1, text: '' };
    const what = `nothing shows whether dates such as "${text}" have the day or the month first`;
    const remedy = 'say --dates dmy (day first) or --dates mdy (month first)';
    return {
      dates: cells.map(() => null),
      notation: null,
      order: null,
      isShown: false,
      faults: [...faults, { kind: 'ambiguous', row, what, remedy }],
    };
  }
  const dates = known.map(({ row, text, date }) => {
    const iso = date && isoDate(date, chosen ?? 'dmy');
    if (date && iso === null) {
      const as =
        date.form === 'numbers' ? ` with ${ORDER_NAMES[chosen ?? 'dmy'].replace(' first', '')} first` : '';
      const what = `"${text}" names no day of the calendar${as}`;
      faults.push({ kind: 'unreadable', row, what, remedy: 'correct it' });
    }
    return iso;
  });
  const notation =
    first.form === 'numbers' && chosen !== null
      ? `${ORDER_NAMES[chosen]}, ${reasonFor(order, shown)}`
      : FORM_NAMES[first.form];
  return {
    dates,
    notation,
    order: first.form === 'numbers' ? chosen : null,
    isShown: (order ?? shown?.order) !== undefined,
    faults,
  };
}

function reasonFor(
  stated: DateOrder | undefined,
  shown: { readonly order: DateOrder; readonly row: number; readonly text: string } | null,
): string {
  if (stated !== undefined) return `as --dates ${stated} says`;
  return shown ? `since row ${shown.row} has "${shown.text}"` : `which nothing in the column shows`;
}

interface WrittenDate {
  readonly form: Form;
  /** Year, month, day; of `numbers` year, first, second; of `serial` the day number. */
  readonly parts: readonly [number, number, number];
  /** Whether the year has two figures, so that a column cannot show which part is which. */
  readonly shortYear?: boolean;
}

/** Time of day, which is of no account; `T` or a blank before it, perhaps a zone after it. */
const TIME =
  /[T ,]+\d{1,2}[:.h]\d{2}([:.]\d{2}([.,]\d+)?)?\s*([ap]\.?m\.?)?\s*(z|utc|gmt|[+-]\d{2}:?\d{2})?$/i;
/** A word before a date that is read without it: the day of the week in the languages of {@link MONTHS}. */
const WEEKDAY =
  /^(?:mon|tue|wed|thu|fri|sat|sun|mo|di|mi|do|fr|sa|so|lun|mar|mer|jeu|ven|dim|mie|jue|vie|sab|dom|seg|ter|qua|qui|sex)\p{L}*(?:-feira)?\.?,?\s+/iu;
const YEAR_FIRST = /^(\d{4})([/.-])(\d{1,2})\2(\d{1,2})$/;
const COMPACT = /^((?:19|20)\d{2})(\d{2})(\d{2})$/;
const NUMBERS = /^(\d{1,2})\s?([/.-])\s?(\d{1,2})\s?\2\s?(\d{4}|\d{2})$/;
const DAY_MONTH_NAME =
  /^(\d{1,2})(?:st|nd|rd|th|er\b|o\b)?[\s./-]*(?:(?:of|de) )?([a-z]{3,10})\.?[\s,./-]*(?:del? )?(\d{4}|\d{2})$/i;
const MONTH_NAME_DAY = /^([a-z]{3,10})\.?[\s./-]*(\d{1,2})(?:st|nd|rd|th)?[\s,./-]+(\d{4})$/i;
const YEAR_MONTH_NAME = /^(\d{4})[\s./-]*([a-z]{3,10})\.?[\s./-]*(\d{1,2})$/i;
const SERIAL = /^\d{5}([.,]\d+)?$/;

/** Day numbers of Excel that are taken for dates: 1970 to 2099. */
const SERIALS = [25_569, 73_050] as const;
/** 1970-01-01 as Excel numbers it. */
const SERIAL_OF_1970 = 25_569;
const DAY_MILLISECONDS = 86_400_000;

/** Months without accents, in English, German, French, Spanish, Portuguese, Italian and Dutch. */
const MONTHS = [
  'january januar janner janvier enero janeiro gennaio januari',
  'february februar feber fevrier febrero fevereiro febbraio februari',
  'march marz maerz mars marzo marco maart mrt',
  'april avril abril aprile',
  'may mai mayo maio maggio mei',
  'june juni juin junio junho giugno',
  'july juli juillet julio julho luglio',
  'august aout agosto augustus',
  'september septembre septiembre setiembre setembro settembre',
  'october oktober octobre octubre outubro ottobre',
  'november novembre noviembre novembro',
  'december dezember decembre diciembre dezembro dicembre',
].map((names) => names.split(' '));

/** The month that a name is, or begins in one month alone; 0 where it is none. */
function monthNumber(name: string): number {
  const lower = name.toLowerCase();
  const begun = MONTHS.flatMap((names, month) =>
    names.some((full) => full.startsWith(lower)) ? [month + 1] : [],
  );
  return begun.length === 1 ? (begun[0] ?? 0) : 0;
}

function dateForm(given: string): WrittenDate | null {
  const text = visibleText(given).normalize('NFD').replaceAll(/\p{M}/gu, '').replace(TIME, '');
  // `Mar` may be a Tuesday as well.
  return formOf(text) ?? formOf(text.replace(WEEKDAY, ''));
}

function formOf(text: string): WrittenDate | null {
  const yearFirst = YEAR_FIRST.exec(text) ?? null;
  if (yearFirst) return { form: 'year-first', parts: numbersOf([yearFirst[1], yearFirst[3], yearFirst[4]]) };
  const compact = COMPACT.exec(text);
  if (compact) return { form: 'year-first', parts: numbersOf(compact.slice(1)) };
  const numbers = NUMBERS.exec(text);
  if (numbers) {
    const year = fullYear(numbers[4] ?? '');
    const parts = numbersOf([String(year), numbers[1], numbers[3]]);
    return { form: 'numbers', parts, shortYear: numbers[4]?.length === 2 };
  }
  const named = namedMonth(text);
  if (named) return { form: 'month-name', parts: named };
  const serial = Number(SERIAL.exec(text)?.[0].replace(',', '.') ?? Number.NaN);
  return serial >= SERIALS[0] && serial < SERIALS[1]
    ? { form: 'serial', parts: [Math.floor(serial), 0, 0] }
    : null;
}

function namedMonth(text: string): [number, number, number] | null {
  const dayFirst = DAY_MONTH_NAME.exec(text);
  const monthFirst = MONTH_NAME_DAY.exec(text);
  const yearFirst = YEAR_MONTH_NAME.exec(text);
  const [year, month, day] = dayFirst
    ? [dayFirst[3], dayFirst[2], dayFirst[1]]
    : monthFirst
      ? [monthFirst[3], monthFirst[1], monthFirst[2]]
      : [yearFirst?.[1], yearFirst?.[2], yearFirst?.[3]];
  const number = month === undefined ? 0 : monthNumber(month);
  return number === 0 ? null : [fullYear(year ?? ''), number, Number(day)];
}

/** A year of two figures is one of this century. */
const fullYear = (year: string): number => (year.length === 2 ? 2_000 + Number(year) : Number(year));

const numbersOf = (texts: readonly (string | undefined)[]): [number, number, number] =>
  texts.map(Number) as [number, number, number];

function isoDate({ form, parts: [a, b, c] }: WrittenDate, order: DateOrder): string | null {
  if (form === 'serial') return new Date((a - SERIAL_OF_1970) * DAY_MILLISECONDS).toISOString().slice(0, 10);
  return form === 'numbers' && order === 'dmy' ? calendarDay(a, c, b) : calendarDay(a, b, c);
}

function calendarDay(year: number, month: number, day: number): string | null {
  const iso = [
    String(year).padStart(4, '0'),
    String(month).padStart(2, '0'),
    String(day).padStart(2, '0'),
  ].join('-');
  const date = new Date(`${iso}T00:00:00Z`);
  // An impossible day either does not parse or rolls over into the next month.
  return Number.isNaN(date.getTime()) || date.toISOString().slice(0, 10) !== iso ? null : iso;
}

interface KnownCell {
  readonly row: number;
  readonly text: string;
  readonly date: WrittenDate | null;
}

/** Rows that a message names at most. */
const ROWS_NAMED = 3;

/** Two notations in one column; null where there is one. */
function mixture(cells: readonly KnownCell[]): DateFault | null {
  const byForm = new Map<Form, KnownCell[]>();
  for (const cell of cells)
    if (cell.date) byForm.set(cell.date.form, [...(byForm.get(cell.date.form) ?? []), cell]);
  if (byForm.size < 2) return null;
  const parts = [...byForm].map(([form, own]) => `${FORM_NAMES[form]} (${examples(own)})`);
  const row = Math.min(...[...byForm.values()].slice(1).map(([cell]) => cell?.row ?? 1));
  return {
    kind: 'mixed',
    row,
    what: `the column has dates in ${parts.length} notations: ${parts.join(', and ')}`,
    remedy: 'write all dates in one, as 2015-09-04; a spreadsheet may have taken some of them for others',
  };
}

function examples(cells: readonly KnownCell[]): string {
  const rows = cells.slice(0, ROWS_NAMED).map(({ row }) => row);
  const more = cells.length > rows.length ? ' …' : '';
  return `"${cells[0]?.text}", ${rows.length > 1 ? 'rows' : 'row'} ${rows.join(', ')}${more}`;
}

/** What the column shows of the order of day and month; null where both orders are possible throughout. */
function shownOrder(
  cells: readonly { readonly row: number; readonly text: string; readonly date: WrittenDate }[],
):
  | { readonly order: DateOrder; readonly row: number; readonly text: string }
  | { readonly fault: DateFault }
  | null {
  // Of a year with two figures, the first number may be the year as well.
  const telling = cells.filter(({ date }) => !date.shortYear);
  const only = (order: DateOrder, other: DateOrder) =>
    telling.find(({ date }) => isoDate(date, order) !== null && isoDate(date, other) === null);
  const [dayFirst, monthFirst] = [only('dmy', 'mdy'), only('mdy', 'dmy')];
  if (dayFirst && monthFirst) {
    const what =
      `the column has dates with the day first ("${dayFirst.text}", row ${dayFirst.row}) and with the month first ` +
      `("${monthFirst.text}", row ${monthFirst.row})`;
    const row = Math.max(dayFirst.row, monthFirst.row);
    return { fault: { kind: 'mixed', row, what, remedy: 'write all dates in one notation, as 2015-09-04' } };
  }
  if (dayFirst) return { order: 'dmy', row: dayFirst.row, text: dayFirst.text };
  return monthFirst ? { order: 'mdy', row: monthFirst.row, text: monthFirst.text } : null;
}
