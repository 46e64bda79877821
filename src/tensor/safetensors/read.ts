import type { FileHandle } from 'node:fs/promises';
import { InputError } from '../../ground/errors.ts';
import { fileVersion, readBytes, withOpenFile } from '../../ground/positioned-file.ts';
import { ARRAY_TYPES, type TensorArray } from './dtypes.ts';
import { float32FromBfloat16, float32FromFloat16 } from './half.ts';
import { type Header, headerLength, LENGTH_BYTES, parseHeader, type TensorEntry } from './header.ts';
import { FETCH_AGAIN, quoted, tensorError } from './wording.ts';

/** Names that an error about a missing tensor lists. */
const LISTED_NAMES = 3;

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
  const { dtype } = entry;
  if (dtype !== 'F64' && dtype !== 'F32' && dtype !== 'F16' && dtype !== 'BF16') {
    throw tensorError(file.path, name, `is ${dtype}, not a float`, 'use a file that stores it as F32 or F16');
  }
  const bytes = await readEntryBytes(file, entry);
  if (dtype === 'F64') return new Float32Array(new Float64Array(bytes));
  if (dtype === 'F16') return float32FromFloat16(new Uint16Array(bytes));
  if (dtype === 'BF16') return float32FromBfloat16(new Uint16Array(bytes));
  return new Float32Array(bytes);
}

function requireEntry(file: SafetensorsFile, name: string): TensorEntry {
  const entry = file.tensors.get(name);
  if (entry !== undefined) return entry;
  const listed = [...file.tensors.keys()].slice(0, LISTED_NAMES).map(quoted).join(', ');
  throw tensorError(
    file.path,
    name,
    'is not in the file',
    file.tensors.size === 0 ? 'the file holds none' : `it holds ${file.tensors.size}, such as ${listed}`,
  );
}

async function readEntryBytes(file: SafetensorsFile, entry: TensorEntry): Promise<ArrayBuffer> {
  return withOpenFile(file.path, async ({ handle, version }) => {
    if (version !== file.version) throw changed(file, entry);
    const bytes = await readBytes(file.path, handle, entry.byteOffset, entry.byteLength);
    // A writer that started after the first check leaves a mixture of old and new bytes.
    if ((await currentVersion(handle)) !== file.version) throw changed(file, entry);
    return bytes;
  });
}

async function currentVersion(handle: FileHandle): Promise<string> {
  return fileVersion(await handle.stat({ bigint: true }));
}

function changed(file: SafetensorsFile, entry: TensorEntry): InputError {
  return tensorError(file.path, entry.name, 'the file has changed since it was opened', 'start again');
}
