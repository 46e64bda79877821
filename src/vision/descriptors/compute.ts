import { availableParallelism } from 'node:os';
import { startWorkersOr } from '../../ground/worker-pool.ts';
import { type PhotoMatrix, type PhotoVectorOptions, photoVectors } from '../photo-vectors.ts';
import { decodeOpenPhoto, type OpenPhoto, type Photo } from '../photos/index.ts';
import {
  DESCRIBED_PIXELS,
  DESCRIPTOR_NAMES,
  DESCRIPTOR_VERSION,
  DESCRIPTOR_VIEWS,
  type DescriptorView,
} from './describe.ts';
import describe, { type DescribeTask } from './describe-worker.ts';

interface DescriptorOptions extends PhotoVectorOptions {
  /** Worker threads; default one a core. With 1 or less the work is done on the calling thread. */
  readonly threads?: number;
  /** The only views wanted, whose columns follow one another: a third less work than all. Default: all descriptors. */
  readonly views?: readonly DescriptorView[];
}

/** Describes photos; its threads start with the first that need them and stay until it is closed. */
export interface Describer {
  /**
   * The descriptors of photo files (see `describePhoto`), remembered by content.
   *
   * @returns columns as {@link DESCRIPTOR_NAMES} names them, or those of `views`
   * @throws InputError for a photo that cannot be used, unless `onError` is given
   */
  describe(photos: readonly Photo[], options?: PhotoVectorOptions): Promise<PhotoMatrix>;
  close(): Promise<void>;
}

/** Makes a describer; nothing is started yet. */
export function openDescriber({
  threads = availableParallelism(),
  views,
}: Pick<DescriptorOptions, 'threads' | 'views'> = {}): Describer {
  const start = (count: number) =>
    startWorkersOr<DescribeTask, Float64Array>(import.meta.url, 'describe-worker', count, describe);
  let pool: ReturnType<typeof start> | undefined;
  const here = start(0);
  return {
    describe(photos, options = {}) {
      const wanted = Math.min(threads, photos.length);
      const isAlone = wanted <= 1 && pool === undefined;
      const maker = {
        stage: 'Describing photos',
        kind: [`descriptors-v${DESCRIPTOR_VERSION}`, ...(views ?? [])].join('-'),
        columns: (views?.flatMap((view) => DESCRIPTOR_VIEWS[view]) ?? DESCRIPTOR_NAMES).length,
        // One more than threads, so that a file is being read while all threads compute.
        atOnce: isAlone ? 1 : wanted + 1,
        async vectorOf(photo: OpenPhoto) {
          const pixels = await decodeOpenPhoto(photo, { maxPixels: DESCRIBED_PIXELS });
          if (!isAlone) pool ??= start(threads);
          return (pool ?? here).run({ pixels, ...(views && { views }) });
        },
      };
      return photoVectors(photos, maker, options);
    },
    async close() {
      await pool?.close();
      pool = undefined;
    },
  };
}

/** Descriptors of photos by a describer of their own. @throws as its `describe` */
export async function computeDescriptors(
  photos: readonly Photo[],
  { threads = availableParallelism(), views, ...options }: DescriptorOptions = {},
): Promise<PhotoMatrix> {
  const describer = openDescriber({ threads: Math.min(threads, photos.length), ...(views && { views }) });
  try {
    return await describer.describe(photos, options);
  } finally {
    await describer.close();
  }
}
