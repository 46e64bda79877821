import { startWorkersOr, type WorkerPool } from '../../ground/worker-pool.ts';
import augmentedViews, { type AugmentationTask } from './augmented-views-worker.ts';

/**
 * Augments and prepares photos for a network, on threads of their own where sward is built: `[views, 3, size, size]`,
 * normalised; the same for the same task, whatever runs beside it. Close it whatever happened.
 */
export function startAugmenter(
  threads: number,
): Pick<WorkerPool<AugmentationTask, Float32Array>, 'run' | 'close'> {
  return startWorkersOr(import.meta.url, 'augmented-views-worker', threads, augmentedViews);
}
