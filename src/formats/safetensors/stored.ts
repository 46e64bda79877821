import type { FileHandle } from 'node:fs/promises';
import type { InputError } from '../../ground/errors.ts';
import { fileVersion, withOpenFile } from '../../ground/positioned-file.ts';
import type { SafetensorsDtype } from './dtypes.ts';
import { float32FromBfloat16, float32FromFloat16 } from './half.ts';
import { quoted, tensorError } from './wording.ts';

/** Names that an error about a missing tensor lists. */
const LISTED_NAMES = 3;

/** A file of tensors, of whatever format, whose directory has been read. */
export interface StoredTensors {
  readonly path: string;
  /** Identifies the file as it was when opened. */
  readonly version: string;
  readonly tensors: ReadonlyMap<string, unknown>;
}

/** Stored elements as binary32, by dtype: F64 rounded, the others exact. Integers and 8-bit floats have none. */
export const TO_FLOAT32: Readonly<
  Partial<Record<SafetensorsDtype, (bytes: ArrayBuffer) => Float32Array<ArrayBuffer>>>
> = {
  F64: (bytes) => new Float32Array(new Float64Array(bytes)),
  F32: (bytes) => new Float32Array(bytes),
  F16: (bytes) => float32FromFloat16(new Uint16Array(bytes)),
  BF16: (bytes) => float32FromBfloat16(new Uint16Array(bytes)),
};

/** The error of asking for a tensor that is not there. */
export function missingTensor({ path, tensors }: StoredTensors, name: string): InputError {
  const listed = [...tensors.keys()].slice(0, LISTED_NAMES).map(quoted).join(', ');
  return tensorError(
    path,
    name,
    'is not in the file',
    tensors.size === 0 ? 'the file holds none' : `it holds ${tensors.size}, such as ${listed}`,
  );
}

/**
 * Reads bytes of a tensor from a file that is still the one that was opened.
 *
 * @throws InputError when it has changed, also while it was read
 */
export async function readUnchanged(
  file: StoredTensors,
  name: string,
  read: (handle: FileHandle) => Promise<ArrayBuffer>,
): Promise<ArrayBuffer> {
  return withOpenFile(file.path, async ({ handle, version }) => {
    const changed = (): InputError =>
      tensorError(file.path, name, 'the file has changed since it was opened', 'start again');
    if (version !== file.version) throw changed();
    const bytes = await read(handle);
    // A writer that started after the first check leaves a mixture of old and new bytes.
    if (fileVersion(await handle.stat({ bigint: true })) !== file.version) throw changed();
    return bytes;
  });
}
