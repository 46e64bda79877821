import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomically } from '../ground/files.ts';

/** Remembers one vector a photo by the content of its file. */
export interface VectorCache {
  /** The remembered vector, or undefined when there is none or its file is damaged. */
  read(photoHash: string): Promise<Float64Array | undefined>;
  /** Remembers a vector; the file appears whole or not at all. */
  write(photoHash: string, values: Float64Array): Promise<void>;
}

/** The name a photo's vector is remembered under: SHA-256 of the file's bytes, hexadecimal. */
export function photoHash(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/**
 * A cache in `folder/kind`, one file a photo: the values as little-endian doubles, then their SHA-256. A file of
 * another length or with another hash counts as absent and is written anew.
 *
 * @param kind what made the vectors, down to its version and settings
 * @param length values a photo has
 */
export function vectorCache(folder: string, kind: string, length: number): VectorCache {
  const pathOf = (hash: string): string => join(folder, kind, hash.slice(0, 2), `${hash.slice(2)}.bin`);
  return {
    async read(hash) {
      let content: Buffer;
      try {
        content = await readFile(pathOf(hash));
      } catch {
        // Absent or unreadable alike: the vector is computed again.
        return undefined;
      }
      const payload = content.subarray(0, length * 8);
      if (content.length !== length * 8 + DIGEST_BYTES) return undefined;
      if (!digestOf(payload).equals(content.subarray(length * 8))) return undefined;
      return Float64Array.from({ length }, (_, index) => payload.readDoubleLE(index * 8));
    },
    async write(hash, values) {
      const payload = Buffer.alloc(length * 8);
      values.forEach((value, index) => {
        payload.writeDoubleLE(value, index * 8);
      });
      await writeFileAtomically(pathOf(hash), Buffer.concat([payload, digestOf(payload)]));
    },
  };
}

const DIGEST_BYTES = 32;

function digestOf(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}
