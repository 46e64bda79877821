import { InputError } from '../../ground/errors.ts';
import { readBytes, withOpenFile } from '../../ground/positioned-file.ts';
import { ARRAY_TYPES, type TensorArray } from './dtypes.ts';
import { type Header, headerLength, LENGTH_BYTES, parseHeader, type TensorEntry } from './header.ts';
import { missingTensor, readUnchanged, TO_FLOAT32 } from './stored.ts';
import { FETCH_AGAIN, tensorError } from './wording.ts';

/** A safetensors file whose header has been read and checked; no handle is kept, so nothing needs closing. */
export interface SafetensorsFile extends Header {
  readonly path: string;
  readonly byteLength: number;
  /** Identifies the file as it was when opened; reading refuses any other. */
  readonly version: string;
}

/**
 * Reads and checks the header of a safetensors file (https://huggingface.co/docs/safetensors, "Format").
 * Tensor data is not touched: take it with {@link readTensor}, or hand `path`, `byteOffset` and `byteLength`
 * to ONNX Runtime as external data.
 *
 * @throws InputError when the file is missing, cut, or its header is not what the format allows or lies
 */
export async function openSafetensors(path: string): Promise<SafetensorsFile> {
  return withOpenFile(path, async ({ handle, byteLength, version }) => {
    if (byteLength < LENGTH_BYTES) {
      throw new InputError(path, `has ${byteLength} bytes, too few for a safetensors file`, FETCH_AGAIN);
    }
    const length = headerLength(path, await readBytes(path, handle, 0, LENGTH_BYTES), byteLength);
    const header = parseHeader(path, await readBytes(path, handle, LENGTH_BYTES, length), byteLength);
    return { path, byteLength, version, ...header };
  });
}

/**
 * Reads one tensor into memory: row-major elements in the array of its dtype (`ArrayOfDtype`; F16 and BF16 as
 * raw bits in a Uint16Array). The host must be little-endian, as every platform of ONNX Runtime's package is.
 *
 * @throws InputError when there is no such tensor, or the file was changed since it was opened
 */
export async function readTensor(file: SafetensorsFile, name: string): Promise<TensorArray> {
  const entry = requireEntry(file, name);
  return new ARRAY_TYPES[entry.dtype](await readEntryBytes(file, entry));
}

/**
 * As {@link readTensor}, for F64 (rounded), F32, F16 and BF16 (both exact) tensors, as binary32.
 *
 * @throws InputError as readTensor, and when the tensor holds integers or 8-bit floats
 */
export async function readTensorAsFloat32(
  file: SafetensorsFile,
  name: string,
): Promise<Float32Array<ArrayBuffer>> {
  const entry = requireEntry(file, name);
  const toFloat32 = TO_FLOAT32[entry.dtype];
  if (toFloat32 === undefined) {
    throw tensorError(
      file.path,
      name,
      `is ${entry.dtype}, not a float`,
      'use a file that stores it as F32 or F16',
    );
  }
  return toFloat32(await readEntryBytes(file, entry));
}

function requireEntry(file: SafetensorsFile, name: string): TensorEntry {
  const entry = file.tensors.get(name);
  if (entry === undefined) throw missingTensor(file, name);
  return entry;
}

function readEntryBytes(
  file: SafetensorsFile,
  { name, byteOffset, byteLength }: TensorEntry,
): Promise<ArrayBuffer> {
  return readUnchanged(file, name, (handle) => readBytes(file.path, handle, byteOffset, byteLength));
}
