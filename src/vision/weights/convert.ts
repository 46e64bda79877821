import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { headerBytes } from '../../formats/safetensors/index.ts';
import { ARRAY_TYPES } from '../../formats/tensors/dtypes.ts';
import { asFloat32 } from '../../formats/tensors/read.ts';
import { readTensorRows } from '../../formats/torch-checkpoint/index.ts';
import { InputError } from '../../ground/errors.ts';
import { writeAtomically } from '../../ground/files.ts';
import { convertedDtype, type Piece, rowAxis, type TargetTensor } from './map-tensors.ts';

/**
 * Writes the planned tensors into a safetensors file of their own, piece by piece, so that memory holds one
 * tensor at a time; it appears whole or not at all.
 *
 * @param metadata free text stored beside them
 * @returns SHA-256 of what was written, hexadecimal
 * @throws InputError where the source ends early, or tensors to be added up are not float32
 */
export async function writeConverted(
  sourcePath: string,
  targets: readonly TargetTensor[],
  path: string,
  metadata: Readonly<Record<string, string>>,
): Promise<string> {
  const hash = createHash('sha256');
  const source = await open(sourcePath, 'r');
  try {
    await writeAtomically(path, async (temporary) => {
      const out = await open(temporary, 'wx');
      const append = async (bytes: Uint8Array): Promise<void> => {
        hash.update(bytes);
        await out.appendFile(bytes);
      };
      try {
        await append(headerBytes(path, targets, metadata));
        for (const target of targets) {
          if (target.join === 'add') await append(await summed(sourcePath, source, target));
          else {
            for (const piece of target.pieces) await append(await pieceBytes(sourcePath, source, piece));
          }
        }
        await out.sync();
      } finally {
        await out.close();
      }
    });
  } finally {
    await source.close();
  }
  return hash.digest('hex');
}

function byteLength({ shape, dtype }: Pick<TargetTensor, 'shape' | 'dtype'>): number {
  return shape.reduce((product, axis) => product * axis, 1) * ARRAY_TYPES[dtype].BYTES_PER_ELEMENT;
}

async function pieceBytes(
  sourcePath: string,
  file: FileHandle,
  { source, firstRow, rows }: Piece,
): Promise<Uint8Array<ArrayBuffer>> {
  const all = await readTensorRows(sourcePath, file, source);
  const rowBytes = all.byteLength / (source.shape[rowAxis(source.shape)] ?? 1);
  const own = new Uint8Array(all, firstRow * rowBytes, rows * rowBytes);
  if (convertedDtype(source.dtype) === source.dtype) return own;
  const widened = asFloat32(source.dtype, own.slice().buffer);
  if (widened === undefined) throw new Error(`${source.dtype} has no binary32`);
  return new Uint8Array(widened.buffer);
}

async function summed(sourcePath: string, source: FileHandle, target: TargetTensor): Promise<Uint8Array> {
  if (target.dtype !== 'F32') {
    const name = target.pieces[0]?.source.name ?? target.name;
    throw new InputError(`${sourcePath} tensor "${name}"`, `is ${target.dtype}`, 'give a file stored as F32');
  }
  const sum = new Float32Array(byteLength(target) / 4);
  for (const piece of target.pieces) {
    const { buffer, byteOffset, byteLength: length } = await pieceBytes(sourcePath, source, piece);
    const values = new Float32Array(buffer, byteOffset, length / 4);
    for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) + (values[i] as number);
  }
  return new Uint8Array(sum.buffer);
}
