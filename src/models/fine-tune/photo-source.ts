import type { Feed } from '../../tensor/index.ts';
import { mixBatch, mixTargets } from '../../vision/augment/index.ts';
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
  { recipe, views: count }: Pick<PhotoBackbone, 'recipe' | 'views'>,
): BatchSource {
  const { batch, mixup, augmentation } = settings;
  const { size } = recipe;
  return {
    count: paths.length,
    async batch(items, random) {
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
      if (mix) own.set(pictures);
      const feeds = labelFeeds(labels, items, batch, codec);
      // Rows that only fill the batch are mixed with themselves.
      const partners = Array.from({ length: batch }, (_, row) => mix?.partners[row] ?? row);
      return {
        [IMAGES]: images,
        ...(mix ? mixedFeeds(feeds, { ...mix, partners }) : feeds),
        ...(mixup.probability > 0 && mixupFeeds(random, items.length, batch, mixup)),
      };
    },
  };
}

function mixedFeeds(
  feeds: Readonly<Record<string, Feed>>,
  mix: Parameters<typeof mixTargets>[1],
): Record<string, Feed> {
  return Object.fromEntries(
    Object.entries(feeds).map(([name, feed]) => [
      name,
      feed instanceof Float32Array ? mixTargets(feed, mix) : feed,
    ]),
  );
}
