import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeToCache } from '../ground/cache-file.ts';
import { environment } from '../ground/environment.ts';
import { SwardError } from '../ground/errors.ts';
import type { Matrix } from '../ground/matrix.ts';
import { type Progress, SILENT } from '../ground/progress.ts';
import { hashPhoto, knownHash, type OpenPhoto, openPhoto, type Photo, photoKey } from './photos/index.ts';

/** Raised when files are decoded to other pixels than before: 2, bands of TIFFs by their tags. */
const DECODING_VERSION = 2;

/** One row a photo, in the order given. */
export interface PhotoMatrix extends Matrix {
  /** How many rows were computed now; the others came from the cache. */
  readonly computed: number;
}

export interface PhotoVectorOptions {
  /** Where vectors are remembered by photo content and by what made them; default: as configured. */
  readonly cacheFolder?: string;
  readonly progress?: Progress;
  /** Told of every photo that cannot be used, whose row is then all NaN. Without it the first error is thrown. */
  readonly onError?: (photo: Photo, error: SwardError) => void;
}

/** What makes a vector of a photo. */
interface VectorMaker {
  /** What is told while it works: `Describing photos`. */
  readonly stage: string;
  /** What made the vectors, down to its version and settings. */
  readonly kind: string;
  readonly columns: number;
  /** How many photos are under way together. */
  readonly atOnce: number;
  vectorOf(photo: OpenPhoto): Promise<Float64Array>;
}

/**
 * A vector of each photo, remembered by the content of its file and what of it counts: the next call computes only what is new. Values and
 * order do not depend on how many photos are under way together.
 *
 * @throws InputError for the first photo that cannot be used, unless `onError` is given
 */
export async function photoVectors(
  photos: readonly Photo[],
  { stage, kind, columns, atOnce, vectorOf }: VectorMaker,
  { cacheFolder = environment().cacheFolder, progress = SILENT, onError }: PhotoVectorOptions,
): Promise<PhotoMatrix> {
  const cache = vectorCache(cacheFolder, `${kind}-decoding-v${DECODING_VERSION}`, columns);
  const data = new Float64Array(photos.length * columns).fill(Number.NaN);
  const failures: { readonly row: number; readonly error: unknown }[] = [];
  let computed = 0;
  let next = 0;
  const takeTurns = async (): Promise<void> => {
    for (let row = next++; row < photos.length; row = next++) {
      const photo = photos[row] as Photo;
      try {
        const known = await knownHash(photo);
        const { hash, bytes } = known === undefined ? await hashPhoto(photo) : { hash: known };
        const key = photoKey(photo, hash);
        let values = await cache.read(key);
        if (values === undefined) {
          values = await vectorOf(await openPhoto(photo, bytes));
          if (environment().rememberPhotos !== false) await cache.write(key, values);
          computed++;
        }
        data.set(values, row * columns);
      } catch (error) {
        if (onError === undefined || !(error instanceof SwardError)) {
          next = photos.length;
          failures.push({ row, error });
          return;
        }
        onError(photo, error);
      }
      progress.advance();
    }
  };
  progress.stage(stage, photos.length, 'photos');
  try {
    await Promise.all(Array.from({ length: atOnce }, takeTurns));
  } finally {
    progress.done();
  }
  const [first] = failures.sort((a, b) => a.row - b.row);
  if (first !== undefined) throw first.error;
  return { rows: photos.length, columns, data, computed };
}

/** Remembers one vector a photo by its key. */
interface VectorCache {
  /** The remembered vector, or undefined when there is none or its file is damaged. */
  read(key: string): Promise<Float64Array | undefined>;
  /** Remembers a vector; the file appears whole or not at all. */
  write(key: string, values: Float64Array): Promise<void>;
}

/**
 * A cache in `folder/kind`, one file a photo: the values as little-endian doubles, then their SHA-256. A file of
 * another length or with another hash counts as absent and is written anew.
 *
 * @param kind what made the vectors, down to its version and settings
 * @param length values a photo has
 */
function vectorCache(folder: string, kind: string, length: number): VectorCache {
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
      await writeToCache(pathOf(hash), Buffer.concat([payload, digestOf(payload)]));
    },
  };
}

const DIGEST_BYTES = 32;

function digestOf(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}
