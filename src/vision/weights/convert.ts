import { type FileHandle, open } from 'node:fs/promises';
import { ARRAY_TYPES } from '../../formats/safetensors/dtypes.ts';
import { readTensorRows } from '../../formats/torch-checkpoint/index.ts';
import { InputError } from '../../ground/errors.ts';
import { writeAtomically } from '../../ground/files.ts';
import type { Piece, StoredTensor, TargetTensor } from './map-tensors.ts';

const BUFFER_BYTES = 2 ** 23;

/**
 * Writes the planned tensors into a safetensors file of their own, copied range by range, so that memory stays
 * small whatever their size; it appears whole or not at all.
 *
 * @param metadata free text stored beside them
 * @throws InputError where the source ends early, or tensors to be added up are not float32
 */
export async function writeConverted(
  sourcePath: string,
  targets: readonly TargetTensor[],
  path: string,
  metadata: Readonly<Record<string, string>>,
): Promise<void> {
  const source = await open(sourcePath, 'r');
  try {
    await writeAtomically(path, async (temporary) => {
      const out = await open(temporary, 'wx');
      try {
        await out.appendFile(header(targets, metadata));
        for (const target of targets) {
          if (target.join === 'add') await out.appendFile(await summed(sourcePath, source, target));
          else for (const piece of target.pieces) await copyPiece(sourcePath, source, piece, out);
        }
        await out.sync();
      } finally {
        await out.close();
      }
    });
  } finally {
    await source.close();
  }
}

interface Range {
  readonly start: number;
  readonly length: number;
}

function header(targets: readonly TargetTensor[], metadata: Readonly<Record<string, string>>): Buffer {
  const members: [string, unknown][] = [['__metadata__', metadata]];
  let begin = 0;
  for (const target of targets) {
    const end = begin + byteLength(target);
    members.push([target.name, { dtype: target.dtype, shape: target.shape, data_offsets: [begin, end] }]);
    begin = end;
  }
  const json = Buffer.from(JSON.stringify(Object.fromEntries(members)), 'utf8');
  const length = Math.ceil(json.byteLength / 8) * 8;
  const bytes = Buffer.alloc(8 + length, ' ');
  bytes.writeBigUInt64LE(BigInt(length), 0);
  json.copy(bytes, 8);
  return bytes;
}

function byteLength({ shape, dtype }: Pick<TargetTensor, 'shape' | 'dtype'>): number {
  return shape.reduce((product, axis) => product * axis, 1) * ARRAY_TYPES[dtype].BYTES_PER_ELEMENT;
}

/** Where a piece lies, from the first byte of its tensor's rows. */
function rangeOf({ source, firstRow, rows }: Piece): Range {
  if (rows === 0) return { start: 0, length: 0 };
  const rowBytes = source.byteLength / rowsOf(source);
  return { start: firstRow * rowBytes, length: rows * rowBytes };
}

function rowsOf({ shape }: StoredTensor): number {
  return shape.find((length) => length !== 1) ?? 1;
}

function isStrided(source: StoredTensor): boolean {
  return 'strides' in source && source.strides !== undefined;
}

async function copyPiece(
  sourcePath: string,
  source: FileHandle,
  piece: Piece,
  out: FileHandle,
): Promise<void> {
  if (isStrided(piece.source)) {
    await out.appendFile(await pieceBytes(sourcePath, source, piece));
    return;
  }
  const { start, length } = rangeOf(piece);
  await copyRange(sourcePath, source, { start: piece.source.byteOffset + start, length }, out);
}

async function pieceBytes(sourcePath: string, source: FileHandle, piece: Piece): Promise<Uint8Array> {
  const { start, length } = rangeOf(piece);
  const rows = await readTensorRows(sourcePath, source, piece.source);
  return new Uint8Array(rows, start, length);
}

async function copyRange(
  sourcePath: string,
  source: FileHandle,
  { start, length }: Range,
  out: FileHandle,
): Promise<void> {
  const buffer = Buffer.alloc(Math.min(BUFFER_BYTES, length));
  for (let done = 0; done < length; ) {
    const wanted = Math.min(buffer.byteLength, length - done);
    const { bytesRead } = await source.read(buffer, 0, wanted, start + done);
    if (bytesRead === 0) throw endsEarly(sourcePath);
    await out.appendFile(buffer.subarray(0, bytesRead));
    done += bytesRead;
  }
}

async function summed(sourcePath: string, source: FileHandle, target: TargetTensor): Promise<Buffer> {
  if (target.dtype !== 'F32') {
    const name = target.pieces[0]?.source.name ?? target.name;
    throw new InputError(`${sourcePath} tensor "${name}"`, `is ${target.dtype}`, 'give a file stored as F32');
  }
  const sum = new Float32Array(byteLength(target) / 4);
  for (const piece of target.pieces) {
    const bytes = await pieceBytes(sourcePath, source, piece);
    if (bytes.byteLength !== sum.byteLength) throw endsEarly(sourcePath);
    const values = new Float32Array(bytes.buffer, bytes.byteOffset);
    for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) + (values[i] as number);
  }
  return Buffer.from(sum.buffer);
}

function endsEarly(path: string): InputError {
  return new InputError(path, 'ends early or changed while it was read', 'download or copy it again');
}
