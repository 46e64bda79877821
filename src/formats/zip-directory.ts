import type { FileHandle } from 'node:fs/promises';
import { InputError } from '../ground/errors.ts';
import { readBytes } from '../ground/positioned-file.ts';
import { damaged, quoted } from './tensors/wording.ts';

/*
 * The parts of the ZIP format (PKWARE APPNOTE 6.3) that torch.save and workbooks use: a directory at the end of the file, 64-bit sizes
 * and offsets where 32 bits do not hold them; entries are read where they are stored as they are.
 */

const END_SIGNATURE = 0x06054b50;
const END_BYTES = 22;
const LONGEST_COMMENT = 0xffff;
const LOCATOR_SIGNATURE = 0x07064b50;
const LOCATOR_BYTES = 20;
const END64_SIGNATURE = 0x06064b50;
const END64_BYTES = 56;
const ENTRY_SIGNATURE = 0x02014b50;
const ENTRY_BYTES = 46;
const LOCAL_SIGNATURE = 0x04034b50;
const LOCAL_BYTES = 30;
/** Stands in a 16-bit or 32-bit field whose value is in the 64-bit record. */
const ELSEWHERE16 = 0xffff;
const ELSEWHERE32 = 0xffffffff;
const EXTRA64 = 1;
const FLAG_ENCRYPTED = 1;

/** Far above any model; bounds the memory that a hostile directory can claim. */
const MAX_DIRECTORY_BYTES = 2 ** 26;

/** A file open for reading, as `withOpenFile` gives it. */
export interface ReadableFile {
  readonly path: string;
  readonly handle: FileHandle;
  readonly byteLength: number;
}

/** One entry as the directory describes it; not yet checked against the file. */
export interface ZipEntry {
  readonly name: string;
  readonly isCompressed: boolean;
  readonly isEncrypted: boolean;
  /** Unpacked, as it is stated. */
  readonly byteLength: number;
  /** Where the entry's own header lies, which its bytes follow. */
  readonly headerOffset: number;
}

/** The entries of a ZIP file by name. @throws InputError when it is cut, damaged or none */
export async function readZipDirectory(file: ReadableFile): Promise<ReadonlyMap<string, ZipEntry>> {
  const { offset, byteLength, count } = await findDirectory(file);
  const view = await viewOf(file, offset, byteLength, 'directory');
  const entries = new Map<string, ZipEntry>();
  let position = 0;
  for (let index = 0; index < count; index++) {
    const broken = () => damaged(file.path, `its directory is damaged at entry ${index}`);
    const end = position + ENTRY_BYTES;
    if (end > byteLength || view.getUint32(position, true) !== ENTRY_SIGNATURE) throw broken();
    const nameBytes = view.getUint16(position + 28, true);
    const extraBytes = view.getUint16(position + 30, true);
    const next = end + nameBytes + extraBytes + view.getUint16(position + 32, true);
    if (next > byteLength) throw broken();
    const name = Buffer.from(view.buffer, end, nameBytes).toString('utf8');
    if (entries.has(name)) throw damaged(file.path, `names the entry ${quoted(name)} twice`);
    entries.set(name, {
      name,
      isCompressed: view.getUint16(position + 10, true) !== 0,
      isEncrypted: (view.getUint16(position + 8, true) & FLAG_ENCRYPTED) !== 0,
      ...extents(file, view, position, end + nameBytes, extraBytes, name),
    });
    position = next;
  }
  return entries;
}

/**
 * The first byte of an entry's content.
 *
 * @throws InputError when it is compressed, or does not lie inside the file
 */
export async function startOfEntry(file: ReadableFile, entry: ZipEntry): Promise<number> {
  const where = `${file.path} entry ${quoted(entry.name)}`;
  if (entry.isCompressed || entry.isEncrypted) {
    const what = `is ${entry.isEncrypted ? 'encrypted' : 'compressed'}`;
    throw new InputError(where, what, 'save it again with torch.save, which stores entries as they are');
  }
  const outside = damaged(where, 'does not lie inside the file');
  if (entry.headerOffset + LOCAL_BYTES > file.byteLength) throw outside;
  const view = await viewOf(file, entry.headerOffset, LOCAL_BYTES, 'header of an entry');
  if (view.getUint32(0, true) !== LOCAL_SIGNATURE) {
    throw damaged(where, 'does not lie where the directory says');
  }
  const start = entry.headerOffset + LOCAL_BYTES + view.getUint16(26, true) + view.getUint16(28, true);
  if (start + entry.byteLength > file.byteLength) throw outside;
  return start;
}

interface Directory {
  readonly offset: number;
  readonly byteLength: number;
  readonly count: number;
}

async function findDirectory(file: ReadableFile): Promise<Directory> {
  const tailBytes = Math.min(file.byteLength, END_BYTES + LONGEST_COMMENT + LOCATOR_BYTES);
  const tailStart = file.byteLength - tailBytes;
  const tail = await viewOf(file, tailStart, tailBytes, 'end');
  let end = tailBytes - END_BYTES;
  while (end >= 0 && !isEnd(tail, end)) end--;
  if (end < 0) throw damaged(file.path, 'has no directory at its end');
  const short: Directory = {
    count: tail.getUint16(end + 10, true),
    byteLength: tail.getUint32(end + 12, true),
    offset: tail.getUint32(end + 16, true),
  };
  const isLong =
    short.count === ELSEWHERE16 || short.byteLength === ELSEWHERE32 || short.offset === ELSEWHERE32;
  const directory = isLong ? await longDirectory(file, tail, end - LOCATOR_BYTES) : short;
  if (directory.byteLength > MAX_DIRECTORY_BYTES) {
    throw damaged(
      file.path,
      `states a directory of ${directory.byteLength} bytes (at most ${MAX_DIRECTORY_BYTES} are read)`,
    );
  }
  if (directory.offset + directory.byteLength > tailStart + end) {
    throw damaged(file.path, 'its directory does not lie inside the file');
  }
  return directory;
}

/** Whether a directory's end begins here: the signature, and a comment that ends where the file does. */
function isEnd(tail: DataView, at: number): boolean {
  if (tail.getUint32(at, true) !== END_SIGNATURE) return false;
  return at + END_BYTES + tail.getUint16(at + 20, true) === tail.byteLength;
}

async function longDirectory(file: ReadableFile, tail: DataView, locator: number): Promise<Directory> {
  const broken = () => damaged(file.path, 'its 64-bit directory cannot be found');
  if (locator < 0 || tail.getUint32(locator, true) !== LOCATOR_SIGNATURE) throw broken();
  const position = safe(tail.getBigUint64(locator + 8, true));
  if (position === undefined || position + END64_BYTES > file.byteLength) throw broken();
  const view = await viewOf(file, position, END64_BYTES, 'end');
  if (view.getUint32(0, true) !== END64_SIGNATURE) throw broken();
  const count = safe(view.getBigUint64(32, true));
  const byteLength = safe(view.getBigUint64(40, true));
  const offset = safe(view.getBigUint64(48, true));
  if (count === undefined || byteLength === undefined || offset === undefined) throw broken();
  return { count, byteLength, offset };
}

/** Size and place of an entry, from its 64-bit record where 32 bits do not hold them. */
function extents(
  file: ReadableFile,
  view: DataView,
  position: number,
  extraStart: number,
  extraBytes: number,
  name: string,
): Pick<ZipEntry, 'byteLength' | 'headerOffset'> {
  // In the order in which the 64-bit record lists those that do not fit.
  const fields = [view.getUint32(position + 24, true), view.getUint32(position + 20, true)];
  fields.push(view.getUint32(position + 42, true));
  if (fields.includes(ELSEWHERE32)) {
    let at = longRecord(view, extraStart, extraStart + extraBytes);
    for (const [index, field] of fields.entries()) {
      if (field !== ELSEWHERE32) continue;
      const value =
        at !== undefined && at + 8 <= extraStart + extraBytes && safe(view.getBigUint64(at, true));
      if (value === undefined || value === false || at === undefined) {
        throw damaged(`${file.path} entry ${quoted(name)}`, 'lacks its 64-bit size');
      }
      fields[index] = value;
      at += 8;
    }
  }
  const [byteLength = 0, , headerOffset = 0] = fields;
  return { byteLength, headerOffset };
}

/** Where the content of the 64-bit record lies among an entry's further records. */
function longRecord(view: DataView, start: number, end: number): number | undefined {
  for (let at = start; at + 4 <= end; at += 4 + view.getUint16(at + 2, true)) {
    if (view.getUint16(at, true) === EXTRA64) return at + 4;
  }
  return undefined;
}

function safe(value: bigint): number | undefined {
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : undefined;
}

/** Bytes that must lie inside the file. */
async function viewOf(file: ReadableFile, position: number, length: number, what: string): Promise<DataView> {
  if (length < 0 || position + length > file.byteLength) {
    throw damaged(file.path, `its ${what} does not lie inside the file`);
  }
  return new DataView(await readBytes(file.path, file.handle, position, length));
}
