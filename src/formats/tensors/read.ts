import { fileVersion, withOpenFile } from '../../ground/positioned-file.ts';
import { type SafetensorsDtype, type StoredArray, storedArray } from './dtypes.ts';
import { float32FromFloat8 } from './float8.ts';
import { float32FromBfloat16, float32FromFloat16 } from './half.ts';
import { readTensorRows, type Strided } from './strided.ts';
import { quoted, tensorError } from './wording.ts';

/** Names that an error about a missing tensor lists. */
const LISTED_NAMES = 3;

/** A file of tensors, of whatever format, whose directory has been read; no handle is kept. */
export interface TensorFile {
  readonly path: string;
  readonly byteLength: number;
  /** Identifies the file as it was when opened; reading refuses any other. */
  readonly version: string;
  readonly tensors: ReadonlyMap<string, Strided>;
  /** What those are that would be tensors but cannot be read, such as sparse ones. */
  readonly unreadable?: ReadonlyMap<string, string>;
}

/** Stored elements as binary32, by dtype: F64 rounded, the others exact. Integers have none. */
const TO_FLOAT32: Readonly<
  Partial<Record<SafetensorsDtype, (bytes: ArrayBuffer) => Float32Array<ArrayBuffer>>>
> = {
  F64: (bytes) => new Float32Array(new Float64Array(bytes)),
  F32: (bytes) => new Float32Array(bytes),
  F16: (bytes) => float32FromFloat16(new Uint16Array(bytes)),
  BF16: (bytes) => float32FromBfloat16(new Uint16Array(bytes)),
  F8_E4M3: (bytes) => float32FromFloat8('F8_E4M3', new Uint8Array(bytes)),
  F8_E5M2: (bytes) => float32FromFloat8('F8_E5M2', new Uint8Array(bytes)),
  F8_E8M0: (bytes) => float32FromFloat8('F8_E8M0', new Uint8Array(bytes)),
  F8_E4M3FNUZ: (bytes) => float32FromFloat8('F8_E4M3FNUZ', new Uint8Array(bytes)),
  F8_E5M2FNUZ: (bytes) => float32FromFloat8('F8_E5M2FNUZ', new Uint8Array(bytes)),
};

/** Elements of a floating type as binary32; undefined for other types. */
export const asFloat32 = (
  dtype: SafetensorsDtype,
  bytes: ArrayBuffer,
): Float32Array<ArrayBuffer> | undefined => TO_FLOAT32[dtype]?.(bytes);

/**
 * Reads one tensor into memory: row-major elements, whatever its strides, in the array of its dtype (`ArrayOfDtype`;
 * half floats as raw bits). Of the file only what the tensor spans is read.
 *
 * @throws InputError when there is no such tensor, or the file was changed since it was opened
 */
export async function readTensor(file: TensorFile, name: string): Promise<StoredArray> {
  const [array] = await readTensors(file, [name]);
  return array as StoredArray;
}

/** As {@link readTensor}, for several of one opening of the file, in the order of their names. @throws as there */
export async function readTensors(file: TensorFile, names: readonly string[]): Promise<StoredArray[]> {
  const tensors = names.map((name) => ({ name, tensor: requireTensor(file, name) }));
  const bytes = await readUnchanged(file, tensors);
  return tensors.map(({ tensor }, index) => storedArray(tensor.dtype, bytes[index] as ArrayBuffer));
}

/**
 * As {@link readTensor}, for tensors of floats, as binary32: F64 rounded, all others exact.
 *
 * @throws InputError as readTensor, and when the tensor holds integers
 */
export async function readTensorAsFloat32(
  file: TensorFile,
  name: string,
): Promise<Float32Array<ArrayBuffer>> {
  const tensor = requireTensor(file, name);
  const toFloat32 = TO_FLOAT32[tensor.dtype];
  if (toFloat32 === undefined) {
    const remedy = file.unreadable
      ? 'give a checkpoint that stores it as one'
      : 'use a file that stores it as F32 or F16';
    throw tensorError(file.path, name, `is ${tensor.dtype}, not a float`, remedy);
  }
  const [bytes] = await readUnchanged(file, [{ name, tensor }]);
  return toFloat32(bytes as ArrayBuffer);
}

/** @throws InputError when one of the tensors is there but of a kind that is not read */
export function requireReadable({ path, unreadable }: TensorFile, names: Iterable<string>): void {
  for (const name of names) {
    const what = unreadable?.get(name);
    if (what === undefined) continue;
    throw tensorError(path, name, `is ${what}, which is not read`, 'store it as a plain dense tensor');
  }
}

function requireTensor(file: TensorFile, name: string): Strided {
  const { path, tensors } = file;
  const tensor = tensors.get(name);
  if (tensor !== undefined) return tensor;
  requireReadable(file, [name]);
  const listed = [...tensors.keys()].slice(0, LISTED_NAMES).map(quoted).join(', ');
  const remedy = tensors.size === 0 ? 'the file holds none' : `it holds ${tensors.size}, such as ${listed}`;
  throw tensorError(path, name, 'is not in the file', remedy);
}

/** Reads tensors from a file that is still the one that was opened, also after they were read. */
function readUnchanged(
  { path, version }: TensorFile,
  tensors: readonly { readonly name: string; readonly tensor: Strided }[],
): Promise<ArrayBuffer[]> {
  const requireVersion = (found: string): void => {
    if (found === version) return;
    throw tensorError(
      path,
      tensors[0]?.name ?? '',
      'the file has changed since it was opened',
      'start again',
    );
  };
  return withOpenFile(path, async (open) => {
    requireVersion(open.version);
    const bytes: ArrayBuffer[] = [];
    for (const { tensor } of tensors) bytes.push(await readTensorRows(path, open.handle, tensor));
    // A writer that started after the first check leaves a mixture of old and new bytes.
    requireVersion(fileVersion(await open.handle.stat({ bigint: true })));
    return bytes;
  });
}
