import { Piscina } from 'piscina';
import { workerFile } from '../../ground/worker-file.ts';
import { type PhotoResult, type PhotoTask, runPhotoTask } from './photo-task.ts';

/**
 * Runs photo tasks on worker threads, or in this thread when `threads` is at most 1 or nothing is built.
 *
 * @param finished called after each photo
 * @returns results in the order of `tasks`
 */
export async function runPhotoTasks(
  tasks: readonly PhotoTask[],
  threads: number,
  finished: () => void,
): Promise<PhotoResult[]> {
  const worker = workerFile(import.meta.url, 'photo-worker');
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
