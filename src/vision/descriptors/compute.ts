import { availableParallelism } from 'node:os';
import { startWorkersOr } from '../../ground/worker-pool.ts';
import { type PhotoMatrix, type PhotoVectorOptions, photoVectors } from '../photo-vectors.ts';
import { decodeOpenPhoto, type Photo, type Pixels } from '../photos/index.ts';
import { DESCRIPTOR_NAMES, DESCRIPTOR_VERSION, describePhoto } from './describe.ts';

/** More pixels than this add nothing at the working size, so larger photos are shrunk while decoding. */
const MAX_PIXELS = 12_000_000;

interface DescriptorOptions extends PhotoVectorOptions {
  /** Worker threads; default one a core. With 1 or less the work is done on the calling thread. */
  readonly threads?: number;
}

/**
 * The descriptors of photo files (see `describePhoto`), on worker threads, remembered by content.
 *
 * @returns columns as {@link DESCRIPTOR_NAMES} names them
 * @throws InputError for a photo that cannot be used, unless `onError` is given
 */
export async function computeDescriptors(
  photos: readonly Photo[],
  { threads = availableParallelism(), ...options }: DescriptorOptions = {},
): Promise<PhotoMatrix> {
  const wanted = Math.min(threads, photos.length);
  const started = wanted > 1 ? wanted : 0;
  // Threads start with the first photo that is new.
  const start = () =>
    startWorkersOr<Pixels, Float64Array>(import.meta.url, 'describe-worker', started, describePhoto);
  let describer: ReturnType<typeof start> | undefined;
  try {
    return await photoVectors(
      photos,
      {
        stage: 'Describing photos',
        kind: `descriptors-v${DESCRIPTOR_VERSION}`,
        columns: DESCRIPTOR_NAMES.length,
        // One more than threads, so that a file is being read while all threads compute.
        atOnce: started + 1,
        async vectorOf(photo) {
          describer ??= start();
          return describer.run(await decodeOpenPhoto(photo, { maxPixels: MAX_PIXELS }));
        },
      },
      options,
    );
  } finally {
    await describer?.close();
  }
}
