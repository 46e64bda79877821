import type { FileHandle } from 'node:fs/promises';
import { readBytes } from '../../ground/positioned-file.ts';
import { ARRAY_TYPES, type TensorArray } from '../safetensors/dtypes.ts';
import { missingTensor, readUnchanged, TO_FLOAT32 } from '../safetensors/stored.ts';
import { tensorError } from '../safetensors/wording.ts';
import type { TorchCheckpoint } from './open.ts';
import { gatherRows, partsOf, type Strided, spanOf, type TorchTensor } from './tensor-view.ts';

/** Up to this many bytes are read at once even if few of them are wanted. */
const SMALL_SPAN = 2 ** 24;

/**
 * Reads one tensor into memory: row-major elements in the array of its dtype (`ArrayOfDtype`; half floats as raw bits),
 * whatever its strides. Of the file only what the tensor spans is read.
 *
 * @throws InputError when there is no such tensor, or the file was changed since it was opened
 */
export async function readTorchTensor(file: TorchCheckpoint, name: string): Promise<TensorArray> {
  const tensor = requireTensor(file, name);
  return new ARRAY_TYPES[tensor.dtype](await readRows(file, tensor));
}

/**
 * As {@link readTorchTensor}, for F64 (rounded), F32, F16 and BF16 (both exact) tensors, as binary32.
 *
 * @throws InputError as readTorchTensor, and when the tensor holds integers or 8-bit floats
 */
export async function readTorchTensorAsFloat32(
  file: TorchCheckpoint,
  name: string,
): Promise<Float32Array<ArrayBuffer>> {
  const tensor = requireTensor(file, name);
  const toFloat32 = TO_FLOAT32[tensor.dtype];
  if (toFloat32 === undefined) {
    throw tensorError(
      file.path,
      name,
      `is ${tensor.dtype}, not a float`,
      'give a checkpoint that stores it as one',
    );
  }
  return toFloat32(await readRows(file, tensor));
}

function requireTensor(file: TorchCheckpoint, name: string): TorchTensor {
  const tensor = file.tensors.get(name);
  if (tensor !== undefined) return tensor;
  requireReadable(file, [name]);
  throw missingTensor(file, name);
}

/** @throws InputError when one of the tensors is there but of a kind that is not read */
export function requireReadable(file: TorchCheckpoint, names: Iterable<string>): void {
  for (const name of names) {
    const what = file.unreadable.get(name);
    if (what === undefined) continue;
    throw tensorError(file.path, name, `is ${what}, which is not read`, 'store it as a plain dense tensor');
  }
}

function readRows(file: TorchCheckpoint, tensor: TorchTensor): Promise<ArrayBuffer> {
  return readUnchanged(file, tensor.name, (handle) => readTensorRows(file.path, handle, tensor));
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
