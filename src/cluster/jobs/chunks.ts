import { UsageError } from '../../ground/errors.ts';

/** Photos of one unit: minutes of work for a backbone, and few enough units for any queue. */
export const CHUNK_PHOTOS = 256;

/** Photos that a run is asked about together, so that chunks break none of these up and every number stays. */
const TOGETHER = 16;

/** @throws UsageError for a size that would break up photos that are predicted together */
export function requireChunk(photos: number): number {
  if (photos > 0 && photos % TOGETHER === 0) return photos;
  throw new UsageError(`--chunk ${photos}: give a multiple of ${TOGETHER}`);
}

/** Items in chunks, each with the place of its first item. */
export function* chunksOf<T>(
  items: readonly T[],
  size: number,
): Generator<{ readonly start: number; readonly items: readonly T[] }> {
  for (let start = 0; start < items.length; start += size) {
    yield { start, items: items.slice(start, start + size) };
  }
}
