import { availableParallelism } from 'node:os';
import { startWorkersOr } from '../../ground/worker-pool.ts';
import { type PhotoMatrix, type PhotoVectorOptions, photoVectors } from '../photo-vectors.ts';
import { decodeOpenPhoto, type Photo } from '../photos/index.ts';
import { DESCRIPTOR_NAMES, DESCRIPTOR_VERSION, DESCRIPTOR_VIEWS, type DescriptorView } from './describe.ts';
import describe, { type DescribeTask } from './describe-worker.ts';

/** More pixels than this add nothing at the working size, so larger photos are shrunk while decoding. */
const MAX_PIXELS = 12_000_000;

interface DescriptorOptions extends PhotoVectorOptions {
  /** Worker threads; default one a core. With 1 or less the work is done on the calling thread. */
  readonly threads?: number;
  /** The only views wanted, whose columns follow one another: a third less work than all. Default: all descriptors. */
  readonly views?: readonly DescriptorView[];
}

/**
 * The descriptors of photo files (see `describePhoto`), on worker threads, remembered by content.
 *
 * @returns columns as {@link DESCRIPTOR_NAMES} names them, or those of `views`
 * @throws InputError for a photo that cannot be used, unless `onError` is given
 */
export async function computeDescriptors(
  photos: readonly Photo[],
  { threads = availableParallelism(), views, ...options }: DescriptorOptions = {},
): Promise<PhotoMatrix> {
  const wanted = Math.min(threads, photos.length);
  const started = wanted > 1 ? wanted : 0;
  // Threads start with the first photo that is new.
  const start = () =>
    startWorkersOr<DescribeTask, Float64Array>(import.meta.url, 'describe-worker', started, describe);
  let describer: ReturnType<typeof start> | undefined;
  try {
    return await photoVectors(
      photos,
      {
        stage: 'Describing photos',
        kind: [`descriptors-v${DESCRIPTOR_VERSION}`, ...(views ?? [])].join('-'),
        columns: (views?.flatMap((view) => DESCRIPTOR_VIEWS[view]) ?? DESCRIPTOR_NAMES).length,
        // One more than threads, so that a file is being read while all threads compute.
        atOnce: started + 1,
        async vectorOf(photo) {
          describer ??= start();
          const pixels = await decodeOpenPhoto(photo, { maxPixels: MAX_PIXELS });
          return describer.run({ pixels, ...(views && { views }) });
        },
      },
      options,
    );
  } finally {
    await describer?.close();
  }
}
