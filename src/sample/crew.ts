import sharp from 'sharp';
import { writeFileAtomically } from '../ground/files.ts';
import { startWorkers } from '../ground/worker-pool.ts';
import type { Components } from '../pasture/targets.ts';
import type { RenderedPhoto } from './photo.ts';
import renderPhotoTask, { type PhotoTask } from './photo-worker.ts';
import type { FieldReadings } from './readings.ts';

/** A photo to render, and where its JPEG goes. */
export interface PhotoOrder {
  readonly task: PhotoTask;
  readonly path: string;
}

/** What is known of a photo once it is written. */
export interface PhotoResult {
  readonly components: Components;
  readonly readings: FieldReadings;
}

/**
 * Renders photos on worker threads, or in this thread when `threads` is at most 1 or nothing is built, and
 * writes them.
 *
 * @param finished called after each photo
 * @returns results in the order of `orders`
 */
export async function renderPhotos(
  orders: readonly PhotoOrder[],
  threads: number,
  finished: () => void,
): Promise<PhotoResult[]> {
  const crew = Math.min(threads, orders.length);
  const workers =
    crew > 1 ? startWorkers<PhotoTask, RenderedPhoto>(import.meta.url, 'photo-worker', crew) : undefined;
  const render = workers ? workers.run : async (task: PhotoTask) => renderPhotoTask(task);
  const results: PhotoResult[] = [];
  let next = 0;
  const takeTurns = async (): Promise<void> => {
    for (let index = next++; index < orders.length; index = next++) {
      const { task, path } = orders[index] as PhotoOrder;
      results[index] = await written(path, task, await render(task));
      finished();
    }
  };
  try {
    // One turn more than threads, so that a picture is encoded while all threads render.
    await Promise.all(Array.from({ length: workers ? crew + 1 : 1 }, takeTurns));
    return results;
  } finally {
    await workers?.close();
  }
}

async function written(path: string, task: PhotoTask, photo: RenderedPhoto): Promise<PhotoResult> {
  const raw = { width: photo.width, height: photo.height, channels: 3 } as const;
  const quality = task.plan.session.camera.jpegQuality;
  await writeFileAtomically(path, await sharp(photo.pixels, { raw }).jpeg({ quality }).toBuffer());
  return { components: photo.components, readings: { ndvi: photo.ndvi, heightCm: photo.heightCm } };
}
