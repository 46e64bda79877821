import { availableParallelism } from 'node:os';
import { LimitedChild } from '../../ground/children/limited-child.ts';
import { environment } from '../../ground/environment.ts';
import { workerFile } from '../../ground/worker-pool.ts';
import { type Photo, wholePhoto } from '../photos/index.ts';
import type { DescribeAheadTask } from './describe-ahead-child.ts';

const CHILD = 'describe-ahead-child';

/** Fewer are described in less time than a process takes to start, or in little more. */
const FEWEST_PHOTOS = 8;

const LIMITS = { heapMebibytes: 512, residentMebibytes: 2048 };

/** A describing of photos that others need not wait for. */
export interface DescribingAhead {
  /** Ends it; what it has not come to, `computeDescriptors` makes. */
  end(): Promise<void>;
}

/**
 * Begins to describe photos into the cache while other work goes on: in a process of the lowest priority, which has what
 * processors would stand idle for. Null where that would not pay, or nothing is remembered.
 */
export function describeAhead(photos: readonly Photo[]): DescribingAhead | null {
  const { cacheFolder, rememberPhotos = true } = environment();
  const onDisk = photos.filter((photo) => typeof wholePhoto(photo) === 'string');
  const pays = onDisk.length >= FEWEST_PHOTOS && availableParallelism() > 1;
  if (!pays || !rememberPhotos || workerFile(import.meta.url, CHILD) === undefined) return null;
  const child = new LimitedChild<DescribeAheadTask, null>(import.meta.url, CHILD, LIMITS);
  const end = async (): Promise<void> => {
    if (child.isAlive) await child.end('SIGTERM');
  };
  // A process that came to grief has described less, and no more is lost.
  void child
    .run({ photos: onDisk, cacheFolder })
    .catch(() => {})
    .then(end);
  return { end };
}
