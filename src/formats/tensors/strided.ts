import type { FileHandle } from 'node:fs/promises';
import { readBytes } from '../../ground/positioned-file.ts';
import { ARRAY_TYPES, type SafetensorsDtype } from './dtypes.ts';

/** Up to this many bytes are read at once even if few of them are wanted. */
const SMALL_SPAN = 2 ** 24;

/** Where a tensor's elements lie in its file. */
export interface Strided {
  readonly dtype: SafetensorsDtype;
  readonly shape: readonly number[];
  /** First byte of the first element, counted from the start of the file; any value, aligned or not. */
  readonly byteOffset: number;
  /** What the elements take row by row. */
  readonly byteLength: number;
  /** Steps of each axis in elements, where the elements do not lie row by row. */
  readonly strides?: readonly number[];
}

/** One tensor as a file describes it, checked against the file. */
export interface TensorEntry extends Strided {
  readonly name: string;
}

/**
 * Number of elements, or undefined where the product of the axes passes what a number holds exactly (even if
 * a later axis is 0).
 */
export function elementCount(shape: readonly number[]): number | undefined {
  let count = 1;
  for (const axis of shape) {
    count *= axis;
    if (!Number.isSafeInteger(count)) return undefined;
  }
  return count;
}

/** The elements of a tensor row by row, from an open file. @throws InputError when the file ends early */
export async function readTensorRows(
  path: string,
  handle: FileHandle,
  tensor: Strided,
): Promise<ArrayBuffer> {
  const { byteOffset, byteLength, strides } = tensor;
  if (strides === undefined) return readBytes(path, handle, byteOffset, byteLength);
  const rows = new Uint8Array(byteLength);
  await fillRows(path, handle, tensor, rows);
  return rows.buffer;
}

/** Reads a strided tensor at once, or part by part where most of what it spans is not its own. */
async function fillRows(path: string, handle: FileHandle, tensor: Strided, into: Uint8Array): Promise<void> {
  const span = spanOf(tensor);
  if (span <= Math.max(2 * tensor.byteLength, SMALL_SPAN)) {
    gatherRows(tensor, new Uint8Array(await readBytes(path, handle, tensor.byteOffset, span)), into);
    return;
  }
  let at = 0;
  for (const part of partsOf(tensor)) {
    await fillRows(path, handle, part, into.subarray(at, at + part.byteLength));
    at += part.byteLength;
  }
}

/**
 * The elements of a strided tensor row by row.
 *
 * @param span the bytes from its first element to its last
 * @param into memory for `byteLength` bytes
 */
function gatherRows({ dtype, shape, strides = [] }: Strided, span: Uint8Array, into: Uint8Array): void {
  const itemBytes = ARRAY_TYPES[dtype].BYTES_PER_ELEMENT;
  const index = new Array<number>(shape.length).fill(0);
  let from = 0;
  for (let to = 0; to < into.byteLength; to += itemBytes) {
    for (let byte = 0; byte < itemBytes; byte++) into[to + byte] = span[from * itemBytes + byte] as number;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const stride = strides[axis] as number;
      const next = (index[axis] as number) + 1;
      if (next < (shape[axis] as number)) {
        index[axis] = next;
        from += stride;
        break;
      }
      from -= stride * (next - 1);
      index[axis] = 0;
    }
  }
}

/** Bytes from the first element of a tensor to its last. */
function spanOf({ dtype, shape, strides, byteLength }: Strided): number {
  if (strides === undefined || byteLength === 0) return byteLength;
  const last = shape.reduce((sum, length, axis) => sum + (length - 1) * (strides[axis] ?? 0), 0);
  return (last + 1) * ARRAY_TYPES[dtype].BYTES_PER_ELEMENT;
}

/** The parts of a tensor along its first axis, in order. */
function partsOf(tensor: Strided): Strided[] {
  const { dtype, shape, strides = [], byteOffset, byteLength } = tensor;
  const [count = 1, ...rest] = shape;
  const [stride = 0, ...further] = strides;
  const step = stride * ARRAY_TYPES[dtype].BYTES_PER_ELEMENT;
  return Array.from({ length: count }, (_, index) => ({
    dtype,
    shape: rest,
    strides: further,
    byteOffset: byteOffset + index * step,
    byteLength: byteLength / count,
  }));
}
