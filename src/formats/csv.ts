import { readFile } from 'node:fs/promises';
import { type CsvError, parse } from 'csv-parse/sync';
import { stringify } from 'csv-stringify/sync';
import { InputError, messageOf } from '../ground/errors.ts';
import { writeFileAtomically } from '../ground/files.ts';

/** Why a table as a whole cannot be read. */
export type TableFault = 'missing-file' | 'empty-file' | 'wrong-header' | 'malformed-csv';

/** A CSV that cannot be read at all, as opposed to one with bad rows. */
export class TableError extends InputError {
  override name = 'TableError';
  readonly fault: TableFault;

  constructor(fault: TableFault, where: string, what: string, remedy: string) {
    super(where, what, remedy);
    this.fault = fault;
  }
}

/** One data row with the line it starts on, counted as an editor counts (the header is line 1). */
export interface CsvRow {
  readonly line: number;
  /** Cells by column name, trimmed. A column the file lacks reads as undefined. */
  readonly cells: Readonly<Record<string, string | undefined>>;
}

/** A CSV with a header, read whole. */
export interface CsvTable {
  readonly path: string;
  readonly columns: readonly string[];
  readonly rows: readonly CsvRow[];
}

/** The name by which messages call a row: `train.csv row 7`, the header being row 1. */
export function rowName(path: string, line: number): string {
  return `${path} row ${line}`;
}

/**
 * Reads a comma-separated file with a header: UTF-8 with or without byte-order mark, or UTF-16 with one; LF,
 * CRLF or CR.
 *
 * @param required columns that must be there
 * @throws TableError when the file is missing, empty, not text, ragged, or lacks a required column
 */
export async function readCsv(path: string, required: readonly string[]): Promise<CsvTable> {
  const text = decodeText(path, await readBytes(path));
  if (text.trim() === '')
    throw new TableError('empty-file', path, 'is empty', `write a header with ${required.join(', ')}`);
  const { header, records } = parseRecords(path, text);
  const missing = required.filter((name) => !header.includes(name));
  if (missing.length > 0) {
    const found = header.slice(0, 12).join(', ');
    throw new TableError(
      'wrong-header',
      rowName(path, 1),
      `the header lacks ${missing.join(', ')} (it has ${found})`,
      `name the columns ${required.join(', ')}, separated by commas`,
    );
  }
  return {
    path,
    columns: header,
    rows: records.map(({ record, info }) => ({ line: info.lines, cells: record })),
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
    return await readFile(path);
  } catch (error) {
    const what = `cannot be read (${messageOf(error)})`;
    throw new TableError('missing-file', path, what, 'check the name and the permissions');
  }
}

function decodeText(path: string, bytes: Uint8Array): string {
  const encoding =
    bytes[0] === 0xff && bytes[1] === 0xfe
      ? 'utf-16le'
      : bytes[0] === 0xfe && bytes[1] === 0xff
        ? 'utf-16be'
        : 'utf-8';
  try {
    const text = new TextDecoder(encoding, { fatal: true }).decode(bytes);
    if (!text.includes('\0')) return text;
  } catch {
    // Falls through to the one message for everything that is not text in a known encoding.
  }
  throw new TableError(
    'malformed-csv',
    path,
    `is not ${encoding.toUpperCase()} text`,
    'save it as CSV UTF-8',
  );
}

interface ParsedRecord {
  readonly record: Record<string, string>;
  readonly info: { readonly lines: number };
}

function parseRecords(path: string, text: string): { header: string[]; records: ParsedRecord[] } {
  let header: string[] = [];
  try {
    const records = parse(text, {
      columns: (names: string[]) => {
        header = uniqueNames(path, names.map(trimmed));
        return header;
      },
      info: true,
      trim: true,
      skip_empty_lines: true,
      record_delimiter: ['\r\n', '\n', '\r'],
    }) as unknown as ParsedRecord[];
    return { header, records };
  } catch (error) {
    if (error instanceof InputError) throw error;
    const line = (error as Partial<CsvError>).lines;
    const where = typeof line === 'number' ? rowName(path, line) : path;
    throw new TableError(
      'malformed-csv',
      where,
      messageOf(error),
      'give every row as many cells as the header has',
    );
  }
}

function uniqueNames(path: string, names: string[]): string[] {
  const repeated = names.find((name, index) => names.indexOf(name) !== index);
  if (repeated !== undefined) {
    const what = `names the column ${repeated} twice`;
    throw new TableError('wrong-header', rowName(path, 1), what, 'keep one of the two');
  }
  return names;
}

function trimmed(name: string): string {
  return name.trim();
}

/** Rows as a CSV has them, for who writes one bit by bit. */
export const csvLines = (rows: readonly (readonly (string | number)[])[]): string =>
  stringify(rows.map((row) => [...row]));
