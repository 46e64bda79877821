import { ARRAY_TYPES } from '../safetensors/dtypes.ts';
import { elementCount, type TensorEntry } from '../safetensors/header.ts';
import { FETCH_AGAIN, shownShape, tensorError } from '../safetensors/wording.ts';
import type { PickleTensor } from './pickle-values.ts';

/** Where a storage's bytes lie in the file. */
export interface StoredBytes {
  readonly byteOffset: number;
  readonly byteLength: number;
}

/**
 * One tensor of a checkpoint, checked against the file. `byteOffset` is where its first element lies, `byteLength` what
 * its elements take row by row; without `strides` they lie so in the file.
 */
export interface TorchTensor extends TensorEntry {
  /** Steps of each axis in elements, where the elements do not lie row by row. */
  readonly strides?: readonly number[];
  /** The bytes the tensor is a view of, which others may share. */
  readonly storage: StoredBytes;
}

/** What reading a tensor's elements takes. */
export type Strided = Pick<TorchTensor, 'dtype' | 'shape' | 'strides' | 'byteOffset' | 'byteLength'>;

/**
 * A tensor from its description and the bytes it is a view of.
 *
 * @throws InputError when shape, strides and bytes do not fit each other
 */
export function checkedTensor(
  path: string,
  name: string,
  { dtype, offset, shape, strides }: PickleTensor,
  storage: StoredBytes,
): TorchTensor {
  const itemBytes = ARRAY_TYPES[dtype].BYTES_PER_ELEMENT;
  const count = elementCount(shape);
  if (count === undefined || !Number.isSafeInteger(count * itemBytes)) {
    throw tensorError(path, name, `has the absurd shape ${shownShape(shape)}`, FETCH_AGAIN);
  }
  if (strides.length !== shape.length) {
    const what = `has ${strides.length} strides for the shape ${shownShape(shape)}`;
    throw tensorError(path, name, what, FETCH_AGAIN);
  }
  const byteLength = count * itemBytes;
  if (count === 0) return { name, dtype, shape, byteOffset: storage.byteOffset, byteLength, storage };
  const last = shape.reduce((sum, length, axis) => sum + (length - 1) * (strides[axis] ?? 0), offset);
  const end = (last + 1) * itemBytes;
  if (!Number.isSafeInteger(end) || end > storage.byteLength) {
    const what = `reaches to byte ${end} of a storage of ${storage.byteLength} bytes`;
    throw tensorError(path, name, what, FETCH_AGAIN);
  }
  const byteOffset = storage.byteOffset + offset * itemBytes;
  const entry = { name, dtype, shape, byteOffset, byteLength, storage };
  return lieRowByRow(shape, strides) ? entry : { ...entry, strides };
}

/** Whether elements follow each other as in a row-major array; axes of length 1 may have any stride. */
function lieRowByRow(shape: readonly number[], strides: readonly number[]): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const length = shape[axis] as number;
    if (length !== 1 && strides[axis] !== expected) return false;
    expected *= length;
  }
  return true;
}

/**
 * The elements of a strided tensor row by row.
 *
 * @param span the bytes from its first element to its last
 * @param into memory for `byteLength` bytes
 */
export function gatherRows(
  { dtype, shape, strides = [] }: Strided,
  span: Uint8Array,
  into: Uint8Array,
): void {
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
export function spanOf({ dtype, shape, strides, byteLength }: Strided): number {
  if (strides === undefined || byteLength === 0) return byteLength;
  const last = shape.reduce((sum, length, axis) => sum + (length - 1) * (strides[axis] ?? 0), 0);
  return (last + 1) * ARRAY_TYPES[dtype].BYTES_PER_ELEMENT;
}

/** The parts of a tensor along its first axis, in order. */
export function partsOf(tensor: Strided): Strided[] {
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
