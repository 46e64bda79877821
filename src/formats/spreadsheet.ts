import { extname } from 'node:path';
import { UsageError } from '../ground/errors.ts';
import { withOpenFile } from '../ground/positioned-file.ts';
import { readWhole, reasonOf, requireFile } from '../ground/whole-file.ts';
import { contentKind } from './content-kind.ts';
import { type Grid, readCsvGrid, TableError, tableUnreadable } from './csv.ts';
import { readZipDirectory } from './zip-directory.ts';

/** Larger workbooks are refused before they are unpacked: 64 MiB. */
const MOST_BYTES = 64 * 2 ** 20;

/** What its parts may have unpacked, as they state it: 256 MiB. */
const MOST_UNPACKED = 256 * 2 ** 20;

const SECOND = 1_000;

/** Endings of workbooks. */
const WORKBOOKS = ['.xlsx', '.xlsm'];
/** Workbooks that are to be saved as one of those first. */
const OTHER_WORKBOOKS = ['.xls', '.xlsb', '.ods', '.numbers'];

/** Whether a path is named like a table: a workbook or a text with separated cells. */
export function isTableName(path: string): boolean {
  const ending = extname(path).toLowerCase();
  return [...WORKBOOKS, ...OTHER_WORKBOOKS, '.csv', '.tsv', '.txt'].includes(ending);
}

/**
 * Reads the rows of a table as they stand: of an Excel workbook (`.xlsx`) the first sheet, or that of a name, with the
 * values of formulas and dates as `2015-09-04`; of any other file as {@link readCsvGrid} does.
 *
 * @throws TableError when the file cannot be read
 * @throws UsageError when there is no sheet of that name
 */
export async function readGrid(path: string, sheet?: string): Promise<Grid> {
  const ending = extname(path).toLowerCase();
  if (OTHER_WORKBOOKS.includes(ending)) {
    throw new TableError(
      'malformed-csv',
      path,
      `is a workbook of another kind (${ending})`,
      'save it as .xlsx or .csv',
    );
  }
  if (WORKBOOKS.includes(ending)) return sheetOf(path, sheet);
  if (sheet === undefined) return readCsvGrid(path);
  throw new UsageError(`--sheet ${sheet}: ${path} is no Excel workbook and has no sheets`);
}

async function sheetOf(path: string, name: string | undefined): Promise<Grid> {
  const sheets = await sheetsOf(path);
  const same = (other: string): string => other.normalize('NFKC').trim().toLowerCase();
  const found = name === undefined ? sheets[0] : sheets.find((one) => same(one.sheet) === same(name));
  if (!found) {
    const known = sheets.map((one) => one.sheet).join(', ');
    throw new UsageError(`--sheet ${name}: ${path} has no such sheet; it has ${known || 'none'}`);
  }
  const rows = found.data.map((cells, row) => ({ line: row + 1, cells: cells.map(cellText) }));
  return {
    path,
    rows: rows.filter(({ cells }) => cells.some((cell) => cell !== '')),
    notation: `Excel, sheet ${found.sheet}${sheets.length > 1 ? ` of ${sheets.map((one) => one.sheet).join(', ')}` : ''}`,
    commasAreFree: false,
  };
}

interface Sheet {
  readonly sheet: string;
  readonly data: readonly (readonly unknown[])[];
}

async function sheetsOf(path: string): Promise<readonly Sheet[]> {
  const facts = await requireFile(path).catch((error: unknown) => {
    throw tableUnreadable(path, error);
  });
  requireModest(path, facts.size, MOST_BYTES);
  try {
    const parts = await withOpenFile(path, (file) => readZipDirectory({ path, ...file }));
    const unpacked = [...parts.values()].reduce((sum, { byteLength }) => sum + byteLength, 0);
    requireModest(path, unpacked, MOST_UNPACKED);
    // Not that for Node, which reads a stream, waits for ever for the end of a damaged one, and believes stated sizes.
    const { default: readWorkbook } = await import('read-excel-file/universal');
    return await readWorkbook(new Uint8Array(await readWhole(path)).buffer);
  } catch (error) {
    if (error instanceof TableError) throw error;
    const kind = contentKind(await readWhole(path));
    const isOther = kind !== null && kind !== 'an Excel workbook';
    const what = `cannot be read as an Excel workbook (${isOther ? `it is ${kind}` : reasonOf(error)})`;
    throw new TableError('malformed-csv', path, what, 'open it in Excel and save it as .xlsx or CSV');
  }
}

function requireModest(path: string, bytes: number, most: number): void {
  if (bytes <= most) return;
  const what = `has ${Math.ceil(bytes / 2 ** 20)} MiB, the limit for a workbook is ${most / 2 ** 20}`;
  throw new TableError('malformed-csv', path, what, 'save the sheet as CSV');
}

/** Numbers of a workbook that read as thousands where a point stands between these. */
const THREE_DECIMALS = /^-?[1-9]\d{0,2}\.\d{3}$/;

/** The text of a cell; dates without a time of day have none. */
function cellText(cell: unknown): string {
  if (cell === null || cell === undefined) return '';
  // A workbook knows its numbers: one more decimal leaves no doubt that they are decimals.
  if (typeof cell === 'number' && THREE_DECIMALS.test(String(cell))) return `${cell}0`;
  if (!(cell instanceof Date)) return String(cell).trim();
  if (Number.isNaN(cell.getTime())) return '';
  // Times are fractions of a day in a workbook, and come out a millisecond short.
  const text = new Date(Math.round(cell.getTime() / SECOND) * SECOND).toISOString().slice(0, 19);
  return text.endsWith('T00:00:00') ? text.slice(0, 10) : text.replace('T', ' ');
}
