import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PIECE_BYTES, type StoredFile } from '../../portable/model.ts';

/** Pieces are called by the start of their hash, so that what two models share has one name. */
const NAME_DIGITS = 32;

/** A file in pieces, and the content of each. */
export interface CutFile {
  readonly stored: StoredFile;
  readonly contents: readonly Uint8Array[];
}

/** Cuts bytes into pieces that are called by their content. */
export function cutFile(bytes: Uint8Array): CutFile {
  const contents: Uint8Array[] = [];
  for (let start = 0; start < bytes.length; start += PIECE_BYTES) {
    contents.push(bytes.subarray(start, start + PIECE_BYTES));
  }
  const pieces = contents.map((content) => {
    const sha256 = createHash('sha256').update(content).digest('hex');
    return { file: `${sha256.slice(0, NAME_DIGITS)}.bin`, bytes: content.length, sha256 };
  });
  return { stored: { bytes: bytes.length, pieces }, contents };
}

/** Writes bytes into a folder in pieces. */
export async function writeStored(folder: string, bytes: Uint8Array): Promise<StoredFile> {
  const { stored, contents } = cutFile(bytes);
  for (const [index, { file }] of stored.pieces.entries()) {
    await writeFile(join(folder, file), contents[index] as Uint8Array);
  }
  return stored;
}
