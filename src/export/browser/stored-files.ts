import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PIECE_BYTES, type StoredFile } from '../../portable/model.ts';

/** Pieces are called by the start of their hash, so that what two models share has one name. */
const NAME_DIGITS = 32;

/** Writes bytes into a folder in pieces that are called by their content. */
export async function writeStored(folder: string, bytes: Uint8Array): Promise<StoredFile> {
  const pieces: StoredFile['pieces'] = [];
  for (let start = 0; start < bytes.length; start += PIECE_BYTES) {
    const piece = bytes.subarray(start, start + PIECE_BYTES);
    const sha256 = createHash('sha256').update(piece).digest('hex');
    const file = `${sha256.slice(0, NAME_DIGITS)}.bin`;
    await writeFile(join(folder, file), piece);
    pieces.push({ file, bytes: piece.length, sha256 });
  }
  return { bytes: bytes.length, pieces };
}
