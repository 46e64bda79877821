import sharp from 'sharp';
import { writeFileAtomically } from '../ground/files.ts';
import { startWorkers } from '../ground/worker-pool.ts';
import type { RenderedPhoto } from './photo.ts';
import renderPhotoTask, { type PhotoTask } from './photo-worker.ts';

/** A photo to render, and where its JPEG goes. */
export interface PhotoOrder {
  readonly task: PhotoTask;
  readonly path: string;
}

/** What is known of a photo once it is written. */
export type WrittenPhoto<Order> = Order & Omit<RenderedPhoto, 'pixels'>;

/**
 * Renders photos on worker threads, or in this thread when `threads` is at most 1 or nothing is built, and
 * writes them.
 *
 * @param finished called after each photo
 * @returns `orders` in their order, with what is known of each
 */
export async function renderPhotos<Order extends PhotoOrder>(
  orders: readonly Order[],
  threads: number,
  finished: () => void,
): Promise<WrittenPhoto<Order>[]> {
  const count = Math.min(threads, orders.length);
  const workers =
    count > 1 ? startWorkers<PhotoTask, RenderedPhoto>(import.meta.url, 'photo-worker', count) : undefined;
  const written: WrittenPhoto<Order>[] = [];
  const waiting = orders.entries();
  const takeTurns = async (): Promise<void> => {
    for (const [index, order] of waiting) {
      const { task, path } = order;
      const { pixels, ...known } = await (workers ? workers.run(task) : renderPhotoTask(task));
      const raw = { width: task.width, height: task.height, channels: 3 } as const;
      const quality = task.plan.session.camera.jpegQuality;
      await writeFileAtomically(path, await sharp(pixels, { raw }).jpeg({ quality }).toBuffer());
      written[index] = { ...order, ...known };
      finished();
    }
  };
  try {
    // One turn more than threads, so that a picture is encoded while all threads render.
    await Promise.all(Array.from({ length: workers ? count + 1 : 1 }, takeTurns));
    return written;
  } finally {
    await workers?.close();
  }
}
