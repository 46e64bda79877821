import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { writeFileAtomically } from '../../ground/files.ts';

/** Where sward keeps what it can compute again: `SWARD_CACHE`, or `.cache/sward` in the home folder. */
export function defaultCacheFolder(environment: NodeJS.ProcessEnv = process.env): string {
  const chosen = environment.SWARD_CACHE;
  return chosen !== undefined && chosen !== '' ? chosen : join(homedir(), '.cache', 'sward');
}

/** Remembers the descriptors of photos by the content of their files. */
export interface DescriptorCache {
  /** The remembered vector, or undefined when there is none or its file is damaged. */
  read(photoHash: string): Promise<Float64Array | undefined>;
  /** Remembers a vector; the file appears whole or not at all. */
  write(photoHash: string, values: Float64Array): Promise<void>;
}

/** The name a photo's descriptors are remembered under: SHA-256 of the file's bytes, hexadecimal. */
export function photoHash(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/**
 * A cache in `folder/descriptors-v<version>`, one file a photo: the values as little-endian doubles, then their
 * SHA-256. A file of another length or with another hash counts as absent and is written anew.
 *
 * @param length values a photo has
 */
export function descriptorCache(folder: string, version: number, length: number): DescriptorCache {
  const pathOf = (hash: string): string =>
    join(folder, `descriptors-v${version}`, hash.slice(0, 2), `${hash.slice(2)}.bin`);
  return {
    async read(hash) {
      let content: Buffer;
      try {
        content = await readFile(pathOf(hash));
      } catch {
        // Absent or unreadable alike: the descriptors are computed again.
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
