import { InputError } from '../../ground/errors.ts';
import { readBytes, withOpenFile, writePartsAtomically } from '../../ground/positioned-file.ts';
import { float32FromFloat16 } from '../safetensors/half.ts';
import {
  NPY_START_BYTES,
  type NpyDtype,
  npyHeaderBytes,
  parseNpyHeader,
  placeNpyHeader,
  WRITE_AGAIN,
} from './npy-header.ts';

/** The elements of an `.npy` file, row-major. */
export type NpyData = Float32Array | Float64Array | Int32Array | BigInt64Array;

/** An array of one or two axes. */
export interface NpyArray {
  readonly shape: readonly number[];
  readonly data: NpyData;
}

/** Finite numbers [rows, columns], row-major. */
export interface NpyMatrix {
  readonly rows: number;
  readonly columns: number;
  readonly data: Float64Array;
}

/**
 * Reads an `.npy` file (numpy.lib.format, versions 1 to 3) of one or two axes with little-endian elements:
 * f4 and f2 (exact) as Float32Array, f8 as Float64Array, i4 as Int32Array, i8 as BigInt64Array. Fortran order
 * is transposed to row-major. The host must be little-endian.
 *
 * @throws InputError when the file is missing, cut, longer than its header says, or holds anything else
 */
export async function readNpy(path: string): Promise<NpyArray> {
  return withOpenFile(path, async ({ handle, byteLength }) => {
    const start = await readBytes(path, handle, 0, Math.min(NPY_START_BYTES, byteLength));
    const place = placeNpyHeader(path, start, byteLength);
    const text = Buffer.from(await readBytes(path, handle, place.offset, place.byteLength));
    const header = parseNpyHeader(path, text.toString(place.encoding));
    const dataStart = place.offset + place.byteLength;
    const present = byteLength - dataStart;
    if (present !== header.dataBytes) {
      const shape = `(${header.shape.join(', ')})`;
      const what = `has ${present} bytes of data but ${header.dtype} ${shape} needs ${header.dataBytes}`;
      throw new InputError(path, what, WRITE_AGAIN);
    }
    const stored = elements(header.dtype, await readBytes(path, handle, dataStart, header.dataBytes));
    return { shape: header.shape, data: header.fortranOrder ? rowMajor(stored, header.shape) : stored };
  });
}

/**
 * Reads a matrix of finite numbers, features [photos, features] for instance.
 *
 * @throws InputError as {@link readNpy}; when the array has one axis; when an element is NaN, infinite, or an
 * integer that a double cannot hold, naming row and column counted from 1
 */
export async function readNpyMatrix(path: string): Promise<NpyMatrix> {
  const { shape, data } = await readNpy(path);
  const [rows, columns] = shape;
  if (rows === undefined || columns === undefined) {
    const remedy = 'reshape it to [photos, features] and save it again';
    throw new InputError(path, `has one axis (${rows} elements), not two`, remedy);
  }
  const result = new Float64Array(data.length);
  for (let i = 0; i < result.length; i++) {
    const element = data[i] as number | bigint;
    const value = Number(element);
    if (!Number.isFinite(value) || (typeof element === 'bigint' && !Number.isSafeInteger(value))) {
      throw notUsable(path, i, columns, String(element));
    }
    result[i] = value;
  }
  return { rows, columns, data: result };
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
  await writePartsAtomically(path, [npyHeaderBytes(rows, columns), singles]);
}

function elements(dtype: NpyDtype, bytes: ArrayBuffer): NpyData {
  switch (dtype) {
    case '<f2':
      return float32FromFloat16(new Uint16Array(bytes));
    case '<f4':
      return new Float32Array(bytes);
    case '<f8':
      return new Float64Array(bytes);
    case '<i4':
      return new Int32Array(bytes);
    case '<i8':
      return new BigInt64Array(bytes);
  }
}

function rowMajor(stored: NpyData, shape: readonly number[]): NpyData {
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
  for (let i = 0; i < singles.length; i++) {
    if (Number.isFinite(data[i]) && !Number.isFinite(singles[i])) {
      throw notUsable(path, i, columns, `${data[i]}, too large for float32`);
    }
  }
  return singles;
}

function notUsable(path: string, index: number, columns: number, value: string): InputError {
  const row = Math.floor(index / columns) + 1;
  const what = `column ${(index % columns) + 1} is ${value}`;
  return new InputError(`${path} row ${row}`, what, 'drop that row or compute its features again');
}
