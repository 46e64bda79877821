import { startWorkers } from '../../ground/worker-pool.ts';
import augmentedViews, { type AugmentationTask } from './augmented-views-worker.ts';

export type { AugmentationTask };

/** Augments and prepares photos for a network, several at a time. */
export interface Augmenter {
  /** @returns [views, 3, size, size], normalised; the same for the same task, whatever runs beside it */
  run(task: AugmentationTask): Promise<Float32Array>;
  /** Ends the threads. Call it whatever happened. */
  close(): Promise<void>;
}

/** Photos are augmented on threads of their own where sward is built, else here. */
export function startAugmenter(threads: number): Augmenter {
  const workers = startWorkers<AugmentationTask, Float32Array>(
    import.meta.url,
    'augmented-views-worker',
    threads,
  );
  if (!workers) return { run: async (task) => augmentedViews(task), close: async () => {} };
  return { run: (task) => workers.run(task), close: () => workers.close() };
}
