import { readBytes, withOpenFile } from '../../ground/positioned-file.ts';
import type { TensorFile } from '../tensors/read.ts';
import { damaged } from '../tensors/wording.ts';
import { type Header, headerLength, LENGTH_BYTES, parseHeader } from './header.ts';

/** A safetensors file whose header has been read and checked; no handle is kept, so nothing needs closing. */
export interface SafetensorsFile extends TensorFile, Header {
  readonly tensors: Header['tensors'];
}

/**
 * Reads and checks the header of a safetensors file (https://huggingface.co/docs/safetensors, "Format").
 * Tensor data is not touched: take it with `readTensor`, or hand `path`, `byteOffset` and `byteLength`
 * to ONNX Runtime as external data.
 *
 * @throws InputError when the file is missing, cut, or its header is not what the format allows or lies
 */
export async function openSafetensors(path: string): Promise<SafetensorsFile> {
  return withOpenFile(path, async ({ handle, byteLength, version }) => {
    if (byteLength < LENGTH_BYTES) {
      throw damaged(path, `has ${byteLength} bytes, too few for a safetensors file`);
    }
    const length = headerLength(path, await readBytes(path, handle, 0, LENGTH_BYTES), byteLength);
    const header = parseHeader(path, await readBytes(path, handle, LENGTH_BYTES, length), byteLength);
    return { path, byteLength, version, ...header };
  });
}
