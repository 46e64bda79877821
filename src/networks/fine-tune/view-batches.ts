import { inBatches } from '../network/feature-rows.ts';
import type { PhotoViews, WantedPhoto } from './photo-views.ts';

/** Views of some photos, ready for a network. */
export interface ViewBatch {
  /** Which of the photos wanted; at least one, at most a batch. */
  readonly items: readonly number[];
  /** `[batch · views, 3, size, size]`; the last photo's repeat until the batch is full. */
  readonly images: Float32Array;
}

/**
 * Views of all photos, batch by batch and in order; the next are made while the caller works with one.
 *
 * @throws InputError when a photo cannot be used
 */
export async function* viewBatches(
  views: PhotoViews,
  wanted: readonly WantedPhoto[],
  batch: number,
): AsyncGenerator<ViewBatch> {
  const batches = inBatches(wanted.length, batch);
  const made = (items: readonly number[] | undefined): Promise<Float32Array> | undefined => {
    const photos = items?.map((item) => wanted[item] as WantedPhoto);
    const coming = photos && views.batch(photos, batch);
    // A failure is met when its turn comes; until then it must not count as unhandled.
    coming?.catch(() => {});
    return coming;
  };
  let coming = made(batches[0]);
  for (const [index, items] of batches.entries()) {
    const images = (await coming) as Float32Array;
    coming = made(batches[index + 1]);
    yield { items, images };
  }
}
