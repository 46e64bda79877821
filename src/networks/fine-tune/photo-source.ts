import type { RandomStream } from '../../ground/random.ts';
import type { Feed } from '../../tensor/index.ts';
import { type BatchMix, mixBatch, mixTargets } from '../../vision/augment/index.ts';
import type { BatchSource } from '../network/epochs.ts';
import { type LabelCodec, type LabelledPhotos, labelFeeds } from '../network/labels.ts';
import { mixupFeeds } from '../network/mixup.ts';
import type { NetworkSettings } from '../network/settings.ts';
import { IMAGES, type PhotoBackbone } from './photo-backbone.ts';
import type { PhotoViews } from './photo-views.ts';

/**
 * Batches of augmented photos with their labels, mixed where the settings say so. What is random is drawn from the
 * batch's stream and the photo's place, so that it is the same however many threads there are.
 */
export function photoSource(
  views: PhotoViews,
  paths: readonly string[],
  labels: LabelledPhotos,
  codec: LabelCodec,
  settings: Pick<NetworkSettings, 'batch' | 'mixup' | 'augmentation'>,
  net: Pick<PhotoBackbone, 'recipe' | 'views'>,
): BatchSource {
  const { batch, mixup } = settings;
  return {
    count: paths.length,
    async batch(items, random) {
      const { images, mix } = await augmentedBatch(views, paths, items, settings, net, random);
      const feeds = labelFeeds(labels, items, batch, codec);
      return {
        [IMAGES]: images,
        ...(mix ? mixedFeeds(feeds, mix) : feeds),
        ...(mixup.probability > 0 && mixupFeeds(random, items.length, batch, mixup)),
      };
    },
  };
}

/**
 * Augmented views of some photos, mixed where the settings say so.
 *
 * @returns images `[batch · views, 3, size, size]`, and how labels `[batch, …]` are to be mixed
 * @throws InputError when a photo cannot be used
 */
export async function augmentedBatch(
  views: PhotoViews,
  paths: readonly string[],
  items: readonly number[],
  { batch, augmentation }: Pick<NetworkSettings, 'batch' | 'augmentation'>,
  { recipe: { size }, views: count }: Pick<PhotoBackbone, 'recipe' | 'views'>,
  random: RandomStream,
): Promise<{ readonly images: Float32Array; readonly mix?: BatchMix }> {
  const wanted = items.map((item) => ({
    path: paths[item] as string,
    random: random.fork('augment').fork(item),
  }));
  const images = await views.batch(wanted, batch);
  const own = images.subarray(0, items.length * count * 3 * size ** 2);
  const { pictures, mix } = mixBatch(
    { pictures: own, photos: items.length, views: count, height: size, width: size },
    augmentation.batch,
    random.fork('mix'),
  );
  if (!mix) return { images };
  own.set(pictures);
  // Rows that only fill the batch are mixed with themselves.
  const partners = Array.from({ length: batch }, (_, row) => mix.partners[row] ?? row);
  return { images, mix: { ...mix, partners } };
}

/** Labels mixed as the pictures of their photos were. */
export function mixedFeeds(feeds: Readonly<Record<string, Feed>>, mix: BatchMix): Record<string, Feed> {
  return Object.fromEntries(
    Object.entries(feeds).map(([name, feed]) => [
      name,
      feed instanceof Float32Array ? mixTargets(feed, mix) : feed,
    ]),
  );
}
