import { dirname } from 'node:path';
import { knownDecimals } from '../../data/decimals.ts';
import { locatePhoto } from '../../data/folder.ts';
import { isMissing } from '../../data/missing.ts';
import { type DecimalSign, readNumber } from '../../data/numbers.ts';
import { type CsvTable, readCsv, rowName } from '../../formats/csv.ts';
import { InputError } from '../../ground/errors.ts';

/** Photos of which quantities were measured. */
export interface MeasuredPhotos {
  readonly kind: 'columns';
  /** Names of the columns that hold numbers, in the table's order. */
  readonly columns: readonly string[];
  readonly photos: readonly MeasuredPhoto[];
  /** Columns that are not trained on, and rows without a number to train on. */
  readonly leftOut: { readonly columns: readonly string[]; readonly photos: number };
}

interface MeasuredPhoto {
  /** Path below the table's folder, as the table has it. */
  readonly name: string;
  readonly path: string;
  /** One a column; null: not measured. */
  readonly values: readonly (number | null)[];
  /** Photos of one group are held out together; null: alone. */
  readonly group: string | null;
}

/** The columns that say which photo a row is of, and which photos belong together. */
export const PHOTO_COLUMN = 'photo';
const GROUP_COLUMN = 'group';

/**
 * Reads a table `photo,<column>,…` of photos that lie beside it or in folders below. A column counts as measured
 * when it has a number; one that has none is left out.
 *
 * @param wanted columns to learn; null: all that count as measured
 * @throws InputError for a photo outside of the folder, twice or not there, a cell that is no number in a column of
 * numbers, and a table without numbers
 */
export async function readPhotoTable(
  path: string,
  wanted: readonly string[] | null,
): Promise<MeasuredPhotos> {
  const table = await readCsv(path, [PHOTO_COLUMN, ...(wanted ?? [])]);
  const others = table.columns.filter((name) => name !== PHOTO_COLUMN && name !== GROUP_COLUMN);
  const signs = signsOf(table, others);
  const hasNumbers = (name: string): boolean =>
    table.rows.some(({ cells }) => isNumber(cells[name], signs.get(name)));
  const columns = others.filter((name) => (wanted?.includes(name) ?? true) && hasNumbers(name));
  if (columns.length === 0) {
    throw new InputError(
      path,
      table.rows.length === 0 ? 'has a header but no row' : 'has no column of numbers to learn',
      `give a row a photo, with a column for each measured quantity beside ${PHOTO_COLUMN}`,
    );
  }
  const wordy = wanted?.find((name) => !columns.includes(name));
  if (wordy !== undefined) {
    throw new InputError(path, `the column ${wordy} has no numbers to learn`, 'leave it out of columns');
  }
  const seen = new Map<string, number>();
  const photos: MeasuredPhoto[] = [];
  let empty = 0;
  for (const { line, cells } of table.rows) {
    const where = rowName(path, line);
    const name = cells[PHOTO_COLUMN] ?? '';
    const located = await locatePhoto(dirname(path), name, where, PHOTO_COLUMN);
    if ('problem' in located) throw new InputError(where, located.problem.what, located.problem.remedy);
    const before = seen.get(located.path);
    if (before !== undefined) {
      throw new InputError(
        where,
        `gives ${name} a second time, as row ${before} has it`,
        'keep one of the rows',
      );
    }
    seen.set(located.path, line);
    const values = columns.map((column) => measured(where, column, cells[column], signs.get(column)));
    if (values.every((value) => value === null)) empty += 1;
    else photos.push({ name, path: located.path, values, group: groupOf(table, where, cells) });
  }
  const words = others.filter((name) => !columns.includes(name));
  return { kind: 'columns', columns, photos, leftOut: { columns: words, photos: empty } };
}

const isNumber = (text: string | undefined, sign: DecimalSign | undefined): boolean =>
  !isMissing(text) && Number.isFinite(readNumber(text ?? '', sign));

/** The sign before decimals of each column. @throws InputError where nothing tells it */
function signsOf(
  { path, rows, commasAreFree }: CsvTable,
  columns: readonly string[],
): Map<string, DecimalSign> {
  const { signs } = knownDecimals(
    columns.map((header) => ({ header, cells: rows.map(({ cells }) => cells[header] ?? '') })),
    (item) => rowName(path, rows[item]?.line ?? 1),
    { commasAreFree },
  );
  return new Map(columns.map((column, place) => [column, signs[place] ?? '.']));
}

function measured(
  where: string,
  column: string,
  text: string | undefined,
  sign: DecimalSign | undefined,
): number | null {
  if (isMissing(text)) return null;
  if (isNumber(text, sign)) return readNumber(text ?? '', sign);
  throw new InputError(
    where,
    `${column} "${text}" is not a number`,
    'give a number, or leave the cell empty',
  );
}

function groupOf({ columns }: CsvTable, where: string, cells: Readonly<Record<string, string | undefined>>) {
  if (!columns.includes(GROUP_COLUMN)) return null;
  const group = cells[GROUP_COLUMN] ?? '';
  if (group !== '') return group;
  throw new InputError(
    where,
    `${GROUP_COLUMN} is empty`,
    'name the group of every photo, or take the column away',
  );
}
