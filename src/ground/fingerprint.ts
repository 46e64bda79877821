import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { requireFile, unreadable } from './whole-file.ts';

/** Read at once: with Node's own 64 KiB the reading takes longer than the hash. */
const CHUNK_BYTES = 2 ** 20;

/** SHA-256 of a file's bytes, hexadecimal. @throws UnreadableFile */
export async function fileFingerprint(path: string): Promise<string> {
  await requireFile(path);
  const hash = createHash('sha256');
  try {
    await pipeline(createReadStream(path, { highWaterMark: CHUNK_BYTES }), hash);
  } catch (error) {
    throw await unreadable(path, error);
  }
  return hash.digest('hex');
}

/** SHA-256 of a value as JSON, hexadecimal. Keys count in the order they are written. */
export function valueFingerprint(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex');
}
