import { type CsvError, parse } from 'csv-parse/sync';
import { stringify } from 'csv-stringify/sync';
import { InputError, messageOf } from '../ground/errors.ts';
import { writeFileAtomically } from '../ground/files.ts';
import { printableLines } from '../ground/printable.ts';
import { readWhole, reasonOf } from '../ground/whole-file.ts';
import { contentKind } from './content-kind.ts';
import { NOT_TEXT, type TableText, tableText } from './table-text.ts';

/** Why a table as a whole cannot be read. */
export type TableFault = 'missing-file' | 'empty-file' | 'wrong-header' | 'malformed-csv';

/** A table that cannot be read at all, as opposed to one with bad rows. */
export class TableError extends InputError {
  override name = 'TableError';
  readonly fault: TableFault;

  constructor(fault: TableFault, where: string, what: string, remedy: string) {
    super(where, what, remedy);
    this.fault = fault;
  }
}

/** One row as it stands, with the line it starts on, counted as an editor counts from 1. */
export interface GridRow {
  readonly line: number;
  /** Trimmed; '' where there is nothing. */
  readonly cells: readonly string[];
}

/** A table before anybody knows which row is its header: rows of nothing are left out, and rows may differ in length. */
export interface Grid {
  readonly path: string;
  readonly rows: readonly GridRow[];
  /** What the file is, for people: `semicolons, Windows-1252`. */
  readonly notation: string;
  /** Whether the file separates cells by something else than commas, so that a comma may be a decimal one. */
  readonly commasAreFree: boolean;
}

/** One data row with the line it starts on, counted as an editor counts (the header is line 1). */
export interface CsvRow {
  readonly line: number;
  /** Cells by column name, trimmed. A column the file lacks reads as undefined. */
  readonly cells: Readonly<Record<string, string | undefined>>;
}

/** A table with a header, read whole. */
export interface CsvTable {
  readonly path: string;
  readonly columns: readonly string[];
  readonly rows: readonly CsvRow[];
  readonly commasAreFree: boolean;
}

/** The name by which messages call a row: `train.csv row 7`, the header being row 1. */
export function rowName(path: string, line: number): string {
  return `${path} row ${line}`;
}

/** What separates cells, and what a person calls it. */
const SEPARATORS: Readonly<Record<string, string>> = { '\t': 'tabs', ';': 'semicolons', ',': 'commas' };

/** Lines at the top of a file that tell what separates its cells. */
const TELLING_LINES = 20;

/**
 * Reads a text table with a header: cells separated by commas, semicolons or tabs; UTF-8, UTF-16 or Windows-1252; LF,
 * CRLF or CR. Rows of nothing are no rows, and columns without a name and without a value are no columns.
 *
 * @param required columns that must be there
 * @throws TableError when the file is missing, empty, not text, ragged, or lacks a required column
 */
export async function readCsv(path: string, required: readonly string[]): Promise<CsvTable> {
  const { rows, commasAreFree } = await readCsvGrid(path, required);
  const [top, ...body] = rows;
  if (!top)
    throw new TableError('empty-file', path, 'is empty', `write a header with ${required.join(', ')}`);
  const columns = headerOf(path, top, body);
  const missing = required.filter((name) => !columns.includes(name));
  if (missing.length > 0) {
    const found = columns.slice(0, 12).join(', ');
    throw new TableError(
      'wrong-header',
      rowName(path, 1),
      `the header lacks ${missing.join(', ')} (it has ${found})`,
      `name the columns ${required.join(', ')}, separated by commas`,
    );
  }
  return {
    path,
    columns,
    commasAreFree,
    rows: body.map((row) => ({ line: row.line, cells: cellsOf(path, columns, row) })),
  };
}

/**
 * Reads the rows of a text table as they stand.
 *
 * @param required columns that its header is known to have, which tell what separates cells
 * @throws TableError when the file is missing, not text, or has an open quote
 */
export async function readCsvGrid(path: string, required: readonly string[] = []): Promise<Grid> {
  const { text, encoding } = decoded(path, await readBytes(path));
  const stated = /^sep=(.)\r?\n?/i.exec(text);
  const body = stated ? text.slice(stated[0].length) : text;
  const separator = stated?.[1] ?? separatorOf(body, required);
  const all = parseRows(path, body, separator).filter(({ cells }) => cells.some((cell) => cell !== ''));
  const rows = stated ? all.map(({ line, cells }) => ({ line: line + 1, cells })) : all;
  return {
    path,
    rows,
    notation: [SEPARATORS[separator] ?? `"${separator}"`, ...(encoding === 'UTF-8' ? [] : [encoding])].join(
      ', ',
    ),
    commasAreFree: separator !== ',',
  };
}

/** Writes a comma-separated file with a header and LF line ends, atomically. */
export async function writeCsv(
  path: string,
  columns: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): Promise<void> {
  await writeFileAtomically(path, csvLines([columns, ...rows]));
}

async function readBytes(path: string): Promise<Uint8Array> {
  try {
    return await readWhole(path);
  } catch (error) {
    throw tableUnreadable(path, error);
  }
}

/** What is to be thrown for a table whose file could not be read. */
export const tableUnreadable = (path: string, error: unknown): TableError =>
  new TableError(
    'missing-file',
    path,
    `cannot be read (${reasonOf(error)})`,
    'check the name and the permissions',
  );

function decoded(path: string, bytes: Uint8Array): TableText {
  const text = tableText(bytes);
  if (text) return text;
  const kind = contentKind(bytes);
  const what = `is not a table of text${kind === null ? '' : ` but ${kind}`}`;
  const remedy = kind === 'an Excel workbook' ? 'name it .xlsx' : 'save it as CSV UTF-8';
  throw new TableError('malformed-csv', path, what, remedy);
}

/** What separates the cells: that which gives the header its columns, or else most of the first lines as many cells. */
function separatorOf(text: string, required: readonly string[]): string {
  const lines = text.split(/\r\n|\n|\r/, TELLING_LINES + 1);
  const top = lines.length > TELLING_LINES ? lines.slice(0, -1) : lines;
  const candidates = Object.keys(SEPARATORS).map((separator) => {
    const rows = cellsIn(`${top.join('\n')}\n`, separator);
    const widths = rows.map((cells) => cells.length).filter((width) => width > 1);
    const most = Math.max(0, ...widths.map((width) => widths.filter((other) => other === width).length));
    const header = rows.find((cells) => cells.some((cell) => cell !== ''))?.map(trimmed) ?? [];
    const named = required.length > 0 && required.every((name) => header.includes(name));
    return { separator, named, most, header: header.length };
  });
  const known = candidates.find(({ named }) => named);
  if (known) return known.separator;
  const best = candidates.reduce((a, b) =>
    b.most > a.most || (b.most === a.most && b.header > a.header) ? b : a,
  );
  return best.most > 0 ? best.separator : ',';
}

/** Rows of the top of a file, whose last quote may be open. */
function cellsIn(text: string, delimiter: string): string[][] {
  try {
    return parse(text, { delimiter, relax_quotes: true, relax_column_count: true });
  } catch {
    return text.split('\n').map((line) => line.split(delimiter));
  }
}

function parseRows(path: string, text: string, delimiter: string): GridRow[] {
  const rows: GridRow[] = [];
  try {
    parse(text, {
      delimiter,
      // As rows come: what the parser says of each besides would take ten times their memory.
      on_record(record, { lines }) {
        rows.push({ line: lines, cells: record.map(plainCell) });
        return null;
      },
      // Blanks are cut here: a tab may separate cells.
      relax_column_count: true,
      skip_empty_lines: true,
      record_delimiter: ['\r\n', '\n', '\r'],
      ...(delimiter !== '\t' && { trim: true }),
    });
    return rows;
  } catch (error) {
    const line = (error as Partial<CsvError>).lines;
    const where = typeof line === 'number' ? rowName(path, line) : path;
    throw new TableError(
      'malformed-csv',
      where,
      messageOf(error),
      'close every quote and write "" for one inside',
    );
  }
}

function headerOf(path: string, top: GridRow, body: readonly GridRow[]): string[] {
  const names = [...top.cells];
  while (names.at(-1) === '' && body.every(({ cells }) => (cells[names.length - 1] ?? '') === ''))
    names.pop();
  names.forEach((name, column) => {
    if (name === '' && body.some(({ cells }) => (cells[column] ?? '') !== '')) {
      const what = `column ${column + 1} has values but no name`;
      throw new TableError('wrong-header', rowName(path, top.line), what, 'name it, or empty its cells');
    }
    if (name !== '' && names.indexOf(name) !== column) {
      const what = `names the column ${name} twice`;
      throw new TableError('wrong-header', rowName(path, top.line), what, 'keep one of the two');
    }
  });
  return names;
}

function cellsOf(path: string, columns: readonly string[], { line, cells }: GridRow): Record<string, string> {
  const further = cells.slice(columns.length).some((cell) => cell !== '');
  if (further || cells.length < columns.length) {
    throw new TableError(
      'malformed-csv',
      rowName(path, line),
      `has ${cells.length} cells, but the header has ${columns.length}`,
      'give every row as many cells as the header has',
    );
  }
  return Object.fromEntries(
    columns.flatMap((name, column) => (name === '' ? [] : [[name, cells[column] ?? ''] as const])),
  );
}

function trimmed(name: string): string {
  return name.trim();
}

/** What a spreadsheet would take for a formula, after apostrophes that say it is none. */
const FORMULA = /^'*[=+\-@\t\r]/;

/** A cell without the apostrophe that keeps a spreadsheet from taking text for a formula. */
const plainCell = (cell: string): string => {
  const text = cell.trim();
  return text.startsWith("'") && FORMULA.test(text) ? text.slice(1) : text;
};

/**
 * Text that a spreadsheet would take for a formula (OWASP, "CSV injection") gets an apostrophe in front, which
 * spreadsheets take for the mark of text and {@link readCsv} takes away again; a tab, the other way, is lost where cells
 * are trimmed. Numbers stay numbers. What no text has is escaped (`\\u001b`), or the file could not be read again.
 */
function guardedCell(cell: string | number): string | number {
  if (typeof cell !== 'string' || isNumber(cell)) return cell;
  const text = NOT_TEXT.test(cell) ? printableLines(cell) : cell;
  return FORMULA.test(text) ? `'${text}` : text;
}

const isNumber = (text: string): boolean => text.trim() !== '' && Number.isFinite(Number(text));

/** Rows as a CSV has them, for who writes one bit by bit. */
export const csvLines = (rows: readonly (readonly (string | number)[])[]): string =>
  stringify(rows.map((row) => row.map(guardedCell)));
