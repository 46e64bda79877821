import { open } from 'node:fs/promises';
import { InputError } from '../../ground/errors.ts';
import { writeAtomically } from '../../ground/files.ts';
import type { Matrix } from '../../ground/matrix.ts';
import { readBytes, withOpenFile, writePartsAtomically } from '../../ground/positioned-file.ts';
import { butKind } from '../content-kind.ts';
import { float32FromFloat16 } from '../tensors/half.ts';

/*
 * The `.npy` format (numpy.lib.format, versions 1 to 3): `\x93NUMPY`, the version, the header's length, the header
 * (a Python dictionary) and the elements.
 */

const MAGIC = Buffer.from('\x93NUMPY', 'latin1');
/** Magic, version and the longer of the two spellings of the header's length. */
const START_BYTES = 12;
/** Writers pad the whole header to a multiple of this. */
const ALIGNMENT = 64;
/** A header of plain numbers has some 118 bytes; NumPy itself distrusts more than 10,000. */
const MAX_HEADER_BYTES = 10_000;

/** The remedies for an array that is sound but of another kind, and for a file that NumPy would not have written. */
const SAVE_AGAIN = "save it with numpy.save(path, numpy.ascontiguousarray(array, dtype='<f4'))";
const WRITE_AGAIN = 'the file is damaged or incomplete: copy or write it again';
const RESHAPE = 'reshape it to [photos, features] and save it again';

/** The dtypes that are read, by NumPy's names: their size, and their elements from the file's bytes. */
const DTYPES = {
  '<f2': { bytes: 2, read: (data: ArrayBuffer) => float32FromFloat16(new Uint16Array(data)) },
  '<f4': { bytes: 4, read: (data: ArrayBuffer) => new Float32Array(data) },
  '<f8': { bytes: 8, read: (data: ArrayBuffer) => new Float64Array(data) },
  '<i4': { bytes: 4, read: (data: ArrayBuffer) => new Int32Array(data) },
  '<i8': { bytes: 8, read: (data: ArrayBuffer) => new BigInt64Array(data) },
} as const;

type Dtype = keyof typeof DTYPES;
type Elements = ReturnType<(typeof DTYPES)[Dtype]['read']>;

/** An array of one or two axes, row-major. */
export interface NpyArray {
  readonly shape: readonly number[];
  readonly data: Elements;
}

interface Header {
  readonly dtype: Dtype;
  /** Columns of a matrix lie one after another, not rows. */
  readonly fortranOrder: boolean;
  readonly shape: readonly number[];
  readonly dataStart: number;
}

/**
 * Reads an `.npy` file of one or two axes with little-endian elements: f4 and f2 (exact) as Float32Array, f8 as
 * Float64Array, i4 as Int32Array, i8 as BigInt64Array. Fortran order is transposed to row-major. The host must be
 * little-endian.
 *
 * @throws InputError when the file is missing, cut, longer than its header says, or holds anything else
 */
export async function readNpy(path: string): Promise<NpyArray> {
  return withOpenFile(path, async ({ handle, byteLength }) => {
    const startBytes = Math.min(START_BYTES + MAX_HEADER_BYTES, byteLength);
    const start = Buffer.from(await readBytes(path, handle, 0, startBytes));
    const { dtype, fortranOrder, shape, dataStart } = parseHeader(path, start, byteLength);
    const needed = shape.reduce((product, axis) => product * axis, DTYPES[dtype].bytes);
    if (![...shape, needed].every((value) => Number.isSafeInteger(value))) {
      throw new InputError(path, `states the absurd shape (${shape.join(', ')})`, WRITE_AGAIN);
    }
    const present = byteLength - dataStart;
    if (present !== needed) {
      const what = `has ${present} bytes of data but ${dtype} (${shape.join(', ')}) needs ${needed}`;
      throw new InputError(path, what, WRITE_AGAIN);
    }
    const stored = DTYPES[dtype].read(await readBytes(path, handle, dataStart, needed));
    return { shape, data: fortranOrder ? rowMajor(stored, shape) : stored };
  });
}

/** A file whose bytes are read where they lie: on a disk, or in a store of objects. */
export interface ByteSource {
  /** What errors call it. */
  readonly name: string;
  readonly byteLength: number;
  /** Bytes from `start` up to, without, `end`. */
  read(start: number, end: number): Promise<Uint8Array>;
}

/** A matrix whose rows are read as they are asked for. */
export interface NpyRows {
  readonly rows: number;
  readonly columns: number;
  /**
   * Rows from `start` up to, without, `end`.
   *
   * @throws InputError for an element that is not finite, naming row and column
   */
  read(start: number, end: number): Promise<Matrix>;
}

/**
 * Opens a matrix to read some of its rows, and no more of the file than those and the header.
 *
 * @throws InputError as {@link readNpyMatrix}, also where rows do not lie together (Fortran order)
 */
export async function openNpyRows(source: ByteSource): Promise<NpyRows> {
  const { name, byteLength } = source;
  const start = Buffer.from(await source.read(0, Math.min(START_BYTES + MAX_HEADER_BYTES, byteLength)));
  const { dtype, fortranOrder, shape, dataStart } = parseHeader(name, start, byteLength);
  const [rows, columns] = shape;
  if (rows === undefined || columns === undefined) {
    throw new InputError(name, `has one axis (${rows} elements), not two`, RESHAPE);
  }
  if (fortranOrder) throw new InputError(name, 'has its columns one after another, not its rows', SAVE_AGAIN);
  const rowBytes = columns * DTYPES[dtype].bytes;
  if (byteLength - dataStart !== rows * rowBytes) {
    const what = `has ${byteLength - dataStart} bytes of data but ${dtype} (${shape.join(', ')}) needs ${rows * rowBytes}`;
    throw new InputError(name, what, WRITE_AGAIN);
  }
  return {
    rows,
    columns,
    async read(first, end) {
      const bytes = await source.read(dataStart + first * rowBytes, dataStart + end * rowBytes);
      // Elements must lie where their size divides the address.
      const data = finite(name, DTYPES[dtype].read(new Uint8Array(bytes).buffer), columns, first);
      return { rows: end - first, columns, data };
    },
  };
}

/**
 * Reads a matrix of finite numbers, features [photos, features] for instance.
 *
 * @throws InputError as {@link readNpy}; when the array has one axis; when an element is NaN, infinite, or an
 * integer that a double cannot hold, naming row and column counted from 1
 */
export async function readNpyMatrix(path: string): Promise<Matrix> {
  const { shape, data } = await readNpy(path);
  const [rows, columns] = shape;
  if (rows === undefined || columns === undefined) {
    throw new InputError(path, `has one axis (${rows} elements), not two`, RESHAPE);
  }
  return { rows, columns, data: finite(path, data, columns) };
}

/** Elements as doubles. @throws InputError for one that is no finite number, naming row and column */
function finite(path: string, data: Elements, columns: number, firstRow = 0): Float64Array {
  const result = new Float64Array(data.length);
  for (let i = 0; i < result.length; i++) {
    const element = data[i] as number | bigint;
    const value = Number(element);
    if (!Number.isFinite(value) || (typeof element === 'bigint' && !Number.isSafeInteger(value))) {
      throw notUsable(path, i + firstRow * columns, columns, String(element));
    }
    result[i] = value;
  }
  return result;
}

/**
 * Writes a row-major matrix as float32 `.npy` version 1.0, atomically; doubles are rounded. The same matrix
 * gives the same bytes.
 *
 * @throws InputError before anything is written, when `data` has not rows × columns elements, or when a finite
 * double is too large for float32, naming row and column counted from 1
 */
export async function writeNpyFloat32(
  path: string,
  matrix: { readonly rows: number; readonly columns: number; readonly data: Float32Array | Float64Array },
): Promise<void> {
  const { rows, columns, data } = matrix;
  const isShape = [rows, columns].every((axis) => Number.isSafeInteger(axis) && axis >= 0);
  if (!isShape || rows * columns !== data.length) {
    const what = `${data.length} elements do not fit ${rows} rows of ${columns}`;
    throw new InputError(path, what, 'give the matrix the shape its data has');
  }
  const singles = data instanceof Float32Array ? data : rounded(path, data, columns);
  await writePartsAtomically(path, [headerBytes(rows, columns), singles]);
}

/**
 * Writes as {@link writeNpyFloat32} does, of parts that come one after another, so that memory holds one of them.
 *
 * @throws InputError when the disk refuses
 * @throws RangeError when the parts have other rows in all than was said
 */
export async function writeNpyParts(
  path: string,
  rows: number,
  columns: number,
  parts: AsyncIterable<Float32Array>,
): Promise<void> {
  await writeAtomically(path, async (aside) => {
    const file = await open(aside, 'wx');
    try {
      await file.writeFile(headerBytes(rows, columns));
      let elements = 0;
      for await (const part of parts) {
        await file.writeFile(new Uint8Array(part.buffer, part.byteOffset, part.byteLength));
        elements += part.length;
      }
      if (elements !== rows * columns) throw new RangeError(`${elements} elements of ${rows} x ${columns}`);
    } finally {
      await file.close();
    }
  });
}

function headerBytes(rows: number, columns: number): Uint8Array {
  const dictionary = `{'descr': '<f4', 'fortran_order': False, 'shape': (${rows}, ${columns}), }`;
  const bytes = Buffer.alloc(Math.ceil((10 + dictionary.length + 1) / ALIGNMENT) * ALIGNMENT, ' ');
  bytes.set([...MAGIC, 1, 0]);
  bytes.writeUInt16LE(bytes.length - 10, 8);
  bytes.write(dictionary, 10, 'latin1');
  bytes.write('\n', bytes.length - 1, 'latin1');
  return bytes;
}

/**
 * The header in the first bytes of a file.
 *
 * @throws InputError when this is no `.npy` file of version 1, 2 or 3, the header is absurdly long or reaches beyond
 * the file, or describes an array of another dtype or number of axes
 */
function parseHeader(path: string, start: Buffer, fileBytes: number): Header {
  if (start.length < START_BYTES || !start.subarray(0, MAGIC.length).equals(MAGIC)) {
    throw new InputError(path, `is not an .npy file${butKind(start)}`, 'give an array written by numpy.save');
  }
  const [major, minor] = [start.readUInt8(6), start.readUInt8(7)];
  if (major < 1 || major > 3 || minor !== 0) {
    throw new InputError(path, `has the unknown .npy version ${major}.${minor}`, SAVE_AGAIN);
  }
  const offset = major === 1 ? 10 : 12;
  const length = major === 1 ? start.readUInt16LE(8) : start.readUInt32LE(8);
  if (length > MAX_HEADER_BYTES) throw new InputError(path, `states a header of ${length} bytes`, SAVE_AGAIN);
  const dataStart = offset + length;
  if (dataStart > fileBytes) throw new InputError(path, 'ends inside its header', WRITE_AGAIN);
  const members = parseDictionary(path, start.toString(major === 3 ? 'utf8' : 'latin1', offset, dataStart));
  const [descr, order, shape] = ['descr', 'fortran_order', 'shape'].map((key) => members.get(key) ?? '');
  if (members.size !== 3 || (order !== 'True' && order !== 'False')) throw garbage(path);
  const dtype = knownDtype(path, descr ?? '');
  return { dtype, fortranOrder: order === 'True', shape: parseShape(path, shape ?? ''), dataStart };
}

/** A member of the dictionary: its name, and a text, a tuple, a word, or the start of a record's list. */
const MEMBER = /\s*(['"])([^'"]*)\1\s*:\s*('[^']*'|"[^"]*"|\([^()]*\)|[^\s'"{}():,[\]]+|\[)\s*/y;

/** The dictionary's values as written, without white space. */
function parseDictionary(path: string, text: string): Map<string, string> {
  const [, inside] = /^\s*\{([^{}]*)\}\s*$/.exec(text) ?? [];
  if (inside === undefined) throw garbage(path);
  const members = new Map<string, string>();
  MEMBER.lastIndex = 0;
  while (inside.slice(MEMBER.lastIndex).trim() !== '') {
    const [, , key = '', value = ''] = MEMBER.exec(inside) ?? [];
    if (value === '' || members.has(key)) throw garbage(path);
    if (value === '[') throw new InputError(path, 'holds records', SAVE_AGAIN);
    members.set(key, /^['"]/.test(value) ? value : value.replaceAll(/\s/g, ''));
    if (inside[MEMBER.lastIndex] === ',') MEMBER.lastIndex++;
    else if (MEMBER.lastIndex < inside.length) throw garbage(path);
  }
  return members;
}

function knownDtype(path: string, literal: string): Dtype {
  if (!/^(['"]).*\1$/s.test(literal)) throw garbage(path);
  const descr = literal.slice(1, -1);
  if (Object.hasOwn(DTYPES, descr)) return descr as Dtype;
  // A hostile file's text, made fit for one line.
  const shown = descr.slice(0, 20).replace(/[^\x20-\x7e]/g, '?');
  const known = Object.keys(DTYPES).join(', ');
  const what = descr.startsWith('|O')
    ? 'holds Python objects, which are never loaded'
    : descr.startsWith('>')
      ? `is big-endian (${shown})`
      : `holds elements of type ${shown}, not ${known}`;
  throw new InputError(path, what, SAVE_AGAIN);
}

/** `()`, `(5,)`, `(5,3)` or `(5,3,)`, without white space. */
function parseShape(path: string, tuple: string): number[] {
  if (!/^\((?:\d+,(?:\d+,)*(?:\d+)?)?\)$/.test(tuple)) throw garbage(path);
  const shape = (tuple.match(/\d+/g) ?? []).map(Number);
  if (shape.length === 1 || shape.length === 2) return shape;
  throw new InputError(path, `has ${shape.length} axes`, RESHAPE);
}

function garbage(path: string): InputError {
  return new InputError(path, 'has a header that numpy.save does not write', WRITE_AGAIN);
}

function rowMajor(stored: Elements, shape: readonly number[]): Elements {
  const [rows, columns] = shape;
  if (rows === undefined || columns === undefined) return stored;
  const result = stored.slice();
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      result[row * columns + column] = stored[column * rows + row] as number & bigint;
    }
  }
  return result;
}

function rounded(path: string, data: Float64Array, columns: number): Float32Array {
  const singles = new Float32Array(data);
  const tooLarge = singles.findIndex((value, i) => !Number.isFinite(value) && Number.isFinite(data[i]));
  if (tooLarge < 0) return singles;
  throw notUsable(path, tooLarge, columns, `${data[tooLarge]}, too large for float32`);
}

function notUsable(path: string, index: number, columns: number, value: string): InputError {
  const row = Math.floor(index / columns) + 1;
  const what = `column ${(index % columns) + 1} is ${value}`;
  return new InputError(`${path} row ${row}`, what, 'drop that row or compute its features again');
}
