import { availableParallelism } from 'node:os';
import { environment } from '../../ground/environment.ts';
import { SwardError } from '../../ground/errors.ts';
import { type Progress, SILENT } from '../../ground/progress.ts';
import { startWorkers } from '../../ground/worker-pool.ts';
import { decodeOpenPhoto, type Pixels } from '../photos/decode.ts';
import { openPhoto } from '../photos/open.ts';
import { photoHash, type VectorCache, vectorCache } from '../vector-cache.ts';
import { DESCRIPTOR_NAMES, DESCRIPTOR_VERSION } from './describe.ts';
import describePixels, { type Description } from './describe-worker.ts';

/** More pixels than this add nothing at the working size, so larger photos are shrunk while decoding. */
const MAX_PIXELS = 12_000_000;

/** Descriptors of many photos, one row a photo. */
export interface DescriptorTable {
  readonly rows: number;
  readonly columns: number;
  /** Names of the columns. */
  readonly names: readonly string[];
  /** [rows, columns], in the order of the paths given. */
  readonly data: Float64Array;
  /** How many rows were computed now; the others came from the cache. */
  readonly computed: number;
}

export interface ComputeOptions {
  /** Where descriptors are remembered by photo content; default: as configured. */
  readonly cacheFolder?: string;
  /** Worker threads; default one a core. With 1 or less the work is done on the calling thread. */
  readonly threads?: number;
  readonly progress?: Progress;
  /** Told of every photo that cannot be used, whose row is then all NaN. Without it the first error is thrown. */
  readonly onError?: (path: string, error: SwardError) => void;
}

/**
 * The descriptors of photo files (see `describePhoto`), on worker threads, remembered by content so that the
 * next call computes only what is new. Values and order do not depend on the number of threads.
 *
 * @throws InputError for a photo that cannot be used, unless `onError` is given
 */
export async function computeDescriptors(
  photoPaths: readonly string[],
  options: ComputeOptions = {},
): Promise<DescriptorTable> {
  const progress = options.progress ?? SILENT;
  const columns = DESCRIPTOR_NAMES.length;
  const cache = vectorCache(
    options.cacheFolder ?? environment().cacheFolder,
    `descriptors-v${DESCRIPTOR_VERSION}`,
    columns,
  );
  const threads = Math.min(options.threads ?? availableParallelism(), photoPaths.length);
  const describer = threads <= 1 ? inlineDescriber() : pooledDescriber(threads);
  const data = new Float64Array(photoPaths.length * columns).fill(Number.NaN);
  let computed = 0;
  let next = 0;
  progress.stage('Describing photos', photoPaths.length, 'photos');
  const takeTurns = async (): Promise<void> => {
    for (let row = next++; row < photoPaths.length; row = next++) {
      const path = photoPaths[row] as string;
      try {
        const found = await describedFile(path, cache, describer);
        data.set(found.values, row * columns);
        if (!found.remembered) computed++;
      } catch (error) {
        if (options.onError === undefined || !(error instanceof SwardError)) {
          next = photoPaths.length;
          throw error;
        }
        options.onError(path, error);
      }
      progress.advance();
    }
  };
  try {
    // One turn more than threads, so that a file is being read while all threads compute.
    const turns = Array.from({ length: threads <= 1 ? 1 : threads + 1 }, takeTurns);
    const outcomes = await Promise.allSettled(turns);
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  } finally {
    await describer.close();
    progress.done();
  }
  return { rows: photoPaths.length, columns, names: DESCRIPTOR_NAMES, data, computed };
}

interface Describer {
  describe(pixels: Pixels): Promise<Description>;
  close(): Promise<void>;
}

async function describedFile(
  path: string,
  cache: VectorCache,
  describer: Describer,
): Promise<{ values: Float64Array; remembered: boolean }> {
  const photo = await openPhoto(path);
  const hash = photoHash(photo.bytes);
  const remembered = await cache.read(hash);
  if (remembered !== undefined) return { values: remembered, remembered: true };
  const { values, version } = await describer.describe(
    await decodeOpenPhoto(photo, { maxPixels: MAX_PIXELS }),
  );
  if (version !== DESCRIPTOR_VERSION) {
    throw new Error('the built worker is older than the source; run npm run build');
  }
  await cache.write(hash, values);
  return { values, remembered: false };
}

function inlineDescriber(): Describer {
  return { describe: async (pixels) => describePixels(pixels), close: async () => {} };
}

function pooledDescriber(threads: number): Describer {
  const workers = startWorkers<Pixels, Description>(import.meta.url, 'describe-worker', threads);
  if (workers === undefined) throw new Error('the describe worker is not built; run npm run build');
  return { describe: (pixels) => workers.run(pixels), close: () => workers.close() };
}
