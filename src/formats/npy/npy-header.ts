import { InputError } from '../../ground/errors.ts';

/** `\x93NUMPY`, then the major and minor version. */
const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59] as const;
/** Bytes that hold magic, version and the longer of the two spellings of the header's length. */
export const NPY_START_BYTES = 12;
/** Writers pad the whole header to a multiple of this. */
const ALIGNMENT = 64;
/** A header of plain numbers has some 118 bytes; NumPy itself distrusts more than 10,000. */
const MAX_HEADER_BYTES = 10_000;

/** The remedy for every array that is sound but of another kind. */
const SAVE_AGAIN = "save it with numpy.save(path, numpy.ascontiguousarray(array, dtype='<f4'))";
/** The remedy for a file that NumPy would not have written. */
export const WRITE_AGAIN = 'the file is damaged or incomplete: copy or write it again';

/** Bytes of one element of each dtype that is read. */
const ELEMENT_BYTES = { '<f2': 2, '<f4': 4, '<f8': 8, '<i4': 4, '<i8': 8 } as const;

/** NumPy's spelling of a little-endian dtype. */
export type NpyDtype = keyof typeof ELEMENT_BYTES;

/** What an `.npy` header says about the bytes after it. */
export interface NpyHeader {
  readonly dtype: NpyDtype;
  /** Columns of a matrix lie one after another, not rows. */
  readonly fortranOrder: boolean;
  /** One or two axes. */
  readonly shape: readonly number[];
  /** Of the elements, all together. */
  readonly dataBytes: number;
}

/** Where the header's text lies in the file, and whether it is UTF-8 (version 3) or Latin-1. */
export interface NpyHeaderPlace {
  readonly offset: number;
  readonly byteLength: number;
  readonly encoding: 'latin1' | 'utf8';
}

/**
 * Finds the header from the first {@link NPY_START_BYTES} bytes (fewer where the file is shorter).
 *
 * @throws InputError when this is not an `.npy` file of version 1, 2 or 3, or the header is absurdly long or
 * reaches beyond the file
 */
export function placeNpyHeader(path: string, start: ArrayBuffer, fileBytes: number): NpyHeaderPlace {
  const view = new DataView(start);
  if (start.byteLength < NPY_START_BYTES || MAGIC.some((byte, index) => view.getUint8(index) !== byte)) {
    throw new InputError(path, 'is not an .npy file', 'give an array written by numpy.save');
  }
  const [major, minor] = [view.getUint8(6), view.getUint8(7)];
  if (major < 1 || major > 3 || minor !== 0) {
    throw new InputError(path, `has the unknown .npy version ${major}.${minor}`, SAVE_AGAIN);
  }
  const offset = major === 1 ? 10 : 12;
  const byteLength = major === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (byteLength > MAX_HEADER_BYTES) {
    throw new InputError(path, `states a header of ${byteLength} bytes`, SAVE_AGAIN);
  }
  if (offset + byteLength > fileBytes) throw new InputError(path, 'ends inside its header', WRITE_AGAIN);
  return { offset, byteLength, encoding: major === 3 ? 'utf8' : 'latin1' };
}

/**
 * Parses the header's text, a Python literal such as
 * `{'descr': '<f4', 'fortran_order': False, 'shape': (282, 384), }`
 * (numpy.lib.format, "Format Version 1.0").
 *
 * @throws InputError when it is something else, or an array of another dtype or number of axes
 */
export function parseNpyHeader(path: string, text: string): NpyHeader {
  const members = parseDictionary(path, text);
  const [descr, order, shapeTuple] = ['descr', 'fortran_order', 'shape'].map((key) => members.get(key));
  if (members.size !== 3 || descr === undefined || shapeTuple === undefined) throw garbage(path);
  if (order !== 'True' && order !== 'False') throw garbage(path);
  const dtype = knownDtype(path, descr);
  const shape = parseShape(path, shapeTuple);
  const dataBytes = shape.reduce((product, axis) => product * axis, ELEMENT_BYTES[dtype]);
  if (![...shape, dataBytes].every((value) => Number.isSafeInteger(value))) {
    throw new InputError(path, `states the absurd shape (${shape.join(', ')})`, WRITE_AGAIN);
  }
  return { dtype, fortranOrder: order === 'True', shape, dataBytes };
}

/** The bytes before the elements of a row-major float32 matrix: version 1.0, padded to 64 bytes. */
export function npyHeaderBytes(rows: number, columns: number): Uint8Array {
  const dictionary = `{'descr': '<f4', 'fortran_order': False, 'shape': (${rows}, ${columns}), }`;
  const bytes = Buffer.alloc(Math.ceil((10 + dictionary.length + 1) / ALIGNMENT) * ALIGNMENT, ' ');
  bytes.set(MAGIC);
  bytes.set([1, 0], MAGIC.length);
  bytes.writeUInt16LE(bytes.length - 10, 8);
  bytes.write(dictionary, 10, 'latin1');
  bytes.write('\n', bytes.length - 1, 'latin1');
  return bytes;
}

/** The dictionary's values as written; a tuple keeps its parentheses, of a record's list only `[` is kept. */
function parseDictionary(path: string, text: string): Map<string, string> {
  const tokens: readonly string[] = text.match(/'[^']*'|"[^"]*"|[{}():,[\]]|[^\s'"{}():,[\]]+|['"]/g) ?? [];
  const members = new Map<string, string>();
  let next = 0;
  const expect = (token: string): void => {
    if (tokens[next++] !== token) throw garbage(path);
  };
  expect('{');
  while (tokens[next] !== '}') {
    const key = unquoted(tokens[next++]);
    if (key === undefined || members.has(key)) throw garbage(path);
    expect(':');
    const start = next;
    if (tokens[start] === '[') throw unsupported(path, 'holds records');
    if (tokens[start] === '(') next = tokens.indexOf(')', start);
    if (next < start || next === tokens.length) throw garbage(path);
    next++;
    members.set(key, tokens.slice(start, next).join(''));
    if (tokens[next] !== '}') expect(',');
  }
  if (next !== tokens.length - 1) throw garbage(path);
  return members;
}

function unquoted(token: string | undefined): string | undefined {
  return token === undefined ? undefined : /^(['"])(.*)\1$/s.exec(token)?.[2];
}

function knownDtype(path: string, literal: string): NpyDtype {
  const descr = unquoted(literal);
  if (descr === undefined) throw garbage(path);
  if (Object.hasOwn(ELEMENT_BYTES, descr)) return descr as NpyDtype;
  if (descr.startsWith('|O')) throw unsupported(path, 'holds Python objects, which are never loaded');
  if (descr.startsWith('>')) throw unsupported(path, `is big-endian (${printable(descr)})`);
  const known = Object.keys(ELEMENT_BYTES).join(', ');
  throw unsupported(path, `holds elements of type ${printable(descr)}, not ${known}`);
}

/** `()`, `(5,)`, `(5,3)` or `(5,3,)`, without white space. */
function parseShape(path: string, tuple: string): number[] {
  if (!/^\((?:\d+,(?:\d+,)*(?:\d+)?)?\)$/.test(tuple)) throw garbage(path);
  const shape = (tuple.match(/\d+/g) ?? []).map(Number);
  if (shape.length !== 1 && shape.length !== 2) {
    throw new InputError(
      path,
      `has ${shape.length} axes`,
      'reshape it to [photos, features] and save it again',
    );
  }
  return shape;
}

/** A hostile file's text, fit for one line. */
function printable(text: string): string {
  return text.slice(0, 20).replace(/[^\x20-\x7e]/g, '?');
}

function unsupported(path: string, what: string): InputError {
  return new InputError(path, what, SAVE_AGAIN);
}

function garbage(path: string): InputError {
  return new InputError(path, 'has a header that numpy.save does not write', WRITE_AGAIN);
}
