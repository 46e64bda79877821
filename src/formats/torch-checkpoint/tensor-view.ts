import type { InputError } from '../../ground/errors.ts';
import { ARRAY_TYPES } from '../tensors/dtypes.ts';
import { elementCount, type TensorEntry } from '../tensors/strided.ts';
import { shownShape, tensorError } from '../tensors/wording.ts';
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
  /** The bytes the tensor is a view of, which others may share. */
  readonly storage: StoredBytes;
}

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
  const bad = (what: string): InputError => tensorError(path, name, what);
  const itemBytes = ARRAY_TYPES[dtype].BYTES_PER_ELEMENT;
  const count = elementCount(shape);
  if (count === undefined || !Number.isSafeInteger(count * itemBytes)) {
    throw bad(`has the absurd shape ${shownShape(shape)}`);
  }
  if (strides.length !== shape.length) {
    throw bad(`has ${strides.length} strides for the shape ${shownShape(shape)}`);
  }
  const byteLength = count * itemBytes;
  if (count === 0) return { name, dtype, shape, byteOffset: storage.byteOffset, byteLength, storage };
  const last = shape.reduce((sum, length, axis) => sum + (length - 1) * (strides[axis] ?? 0), offset);
  const end = (last + 1) * itemBytes;
  if (!Number.isSafeInteger(end) || end > storage.byteLength) {
    throw bad(`reaches to byte ${end} of a storage of ${storage.byteLength} bytes`);
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
