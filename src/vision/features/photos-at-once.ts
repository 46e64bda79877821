/** Copies of a backbone's constants, besides the first, that are held for the sake of speed: bytes. */
const MOST_COPIED_BYTES = 2 ** 30;

/** More sessions than this are never open: each has buffers of its own besides. */
const MOST_SESSIONS = 8;

/** How many photos a network takes at the same time, and how many threads each of them has. */
export interface PhotosAtOnce {
  readonly photos: number;
  readonly threads: number;
}

/**
 * One thread a photo, where copies of the constants are small enough: threads that share a photo wait for each other after
 * every product, and do so by spinning, which takes the processor from whoever decodes the next. Larger networks have
 * fewer photos at once, with as many threads together.
 *
 * @param cores processors
 * @param constantBytes of one copy of what is constant in the network
 */
export function photosAtOnce(cores: number, constantBytes: number): PhotosAtOnce {
  const affordable = 1 + Math.floor(MOST_COPIED_BYTES / constantBytes);
  const threads = Math.ceil(cores / Math.min(cores, affordable, MOST_SESSIONS));
  return { photos: Math.max(1, Math.floor(cores / threads)), threads };
}
