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
