import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import { type PhotoResult, type PhotoTask, runPhotoTask } from './photo-task.ts';

/**
 * Runs photo tasks on worker threads, or in this thread when `threads` is at most 1.
 *
 * @param finished called after each photo
 * @returns results in the order of `tasks`
 */
export async function runPhotoTasks(
  tasks: readonly PhotoTask[],
  threads: number,
  finished: () => void,
): Promise<PhotoResult[]> {
  const worker = workerFile(import.meta.url);
  const crew = Math.min(threads, tasks.length);
  if (crew <= 1 || worker === undefined) {
    const results: PhotoResult[] = [];
    for (const task of tasks) {
      results.push(await runPhotoTask(task));
      finished();
    }
    return results;
  }
  const pool = new Piscina<PhotoTask, PhotoResult>({
    filename: worker,
    minThreads: crew,
    maxThreads: crew,
  });
  try {
    return await Promise.all(
      tasks.map(async (task) => {
        const result = await pool.run(task);
        finished();
        return result;
      }),
    );
  } finally {
    await pool.destroy();
  }
}

/**
 * The compiled worker beside the compiled caller. Node starts workers from JavaScript only, so a caller that
 * runs from its TypeScript source takes the worker from the last build; without one there is no worker, and
 * the photos, which do not depend on it, are rendered in this thread.
 */
function workerFile(callerUrl: string): string | undefined {
  const compiled = callerUrl.endsWith('.ts')
    ? new URL('./photo-worker.js', callerUrl.replace(/\/src\/(?!.*\/src\/)/, '/dist/'))
    : new URL('./photo-worker.js', callerUrl);
  return existsSync(fileURLToPath(compiled)) ? compiled.href : undefined;
}
