import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { randomStream } from '../../../src/ground/random.ts';
import { PhotoViews, photoMemory } from '../../../src/networks/inputs/photo-views.ts';
import { openPhotoBackbone, type PhotoBackbone } from '../../../src/networks/inputs/photos.ts';
import { massObjective } from '../../../src/networks/objectives/masses.ts';
import type { BatchSource } from '../../../src/networks/training/epochs.ts';
import type { TrainingSamples } from '../../../src/samples/samples.ts';
import prepareViews from '../../../src/vision/features/prepare-worker.ts';
import { decodePhoto } from '../../../src/vision/photos/index.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { HALVES, tinySettings, writeTinyBackbone, writeTinyPhotos } from '../tiny-photos.ts';

const root = temporaryFolder('photo-source');
const BATCH = 4;
const LENGTH = 2 * 3 * 28 * 28;
const open: PhotoViews[] = [];
let net: PhotoBackbone;
let photos: TrainingSamples;

beforeAll(async () => {
  net = await openPhotoBackbone(await writeTinyBackbone(join(root, 'tiny.safetensors')), HALVES);
  photos = await writeTinyPhotos(join(root, 'photos'), 5);
});

afterAll(() => Promise.all(open.map((views) => views.close())));

function source(augmentation: unknown): BatchSource {
  const settings = tinySettings({ augmentation, batch: BATCH });
  const views = new PhotoViews(net, photoMemory(64), settings);
  open.push(views);
  const examples = views.examples(photos);
  const objective = massObjective(photos, settings);
  return {
    count: examples.count,
    async batch(items, random) {
      const { feeds, mix } = await examples.drawn(items, BATCH, random);
      return { ...feeds, ...objective.feeds(photos, items, BATCH, { random, mix }) };
    },
  };
}

async function imagesOf(from: BatchSource, items: readonly number[], seed = 1): Promise<Float32Array> {
  const { images } = await from.batch(items, randomStream(seed));
  if (images instanceof Float32Array) return images;
  throw new Error('no images were fed');
}

/** The views of one row of a batch. */
const row = (images: Float32Array, index: number): Float32Array =>
  images.slice(index * LENGTH, (index + 1) * LENGTH);

describe('batches of photos', () => {
  it('are what prediction sees where nothing is augmented, the last photo filling the batch', async () => {
    const images = await imagesOf(source('none'), [3, 1]);
    for (const [index, item] of [3, 1, 1, 1].entries()) {
      const pixels = await decodePhoto(photos.photos[item] as string);
      expect(row(images, index)).toEqual(prepareViews({ pixels, recipe: net.recipe }));
    }
  });

  it('are augmented by the stream they are given and by nothing else', async () => {
    const heavy = { preset: 'seed1', batch: { probability: 0 } };
    const [one, other] = [source(heavy), source(heavy)];
    const first = await imagesOf(one, [0, 1, 2]);
    expect(await imagesOf(other, [0, 1, 2])).toEqual(first);
    expect(await imagesOf(one, [0, 1, 2], 2)).not.toEqual(first);
    // A photo's augmentation does not depend on the company it is in.
    expect(row(await imagesOf(other, [2, 4]), 0)).toEqual(row(first, 2));
    expect(row(first, 0)).not.toEqual(row(await imagesOf(source('none'), [0]), 0));
  });

  it('are mixed together with their labels', async () => {
    const settings = { batch: { probability: 1, cutmixAlpha: 0 } };
    const feeds = await source(settings).batch([0, 1, 2], randomStream(3));
    const plain = await source('none').batch([0, 1, 2], randomStream(3));
    const [images, own] = [feeds.images, plain.images] as [Float32Array, Float32Array];
    const [targets, labels] = [feeds['label.targets'], plain['label.targets']] as [
      Float32Array,
      Float32Array,
    ];
    // Some λ and partner explain masses and pictures alike.
    const explained = [0, 1, 2].map((item) =>
      [0, 1, 2].some((partner) => {
        const difference = (labels[5 * item] as number) - (labels[5 * partner] as number);
        const lambda =
          partner === item
            ? 1
            : ((targets[5 * item] as number) - (labels[5 * partner] as number)) / difference;
        const [a, b, mixed] = [row(own, item), row(own, partner), row(images, item)];
        return mixed.every(
          (value, at) =>
            Math.abs(value - lambda * (a[at] as number) - (1 - lambda) * (b[at] as number)) < 1e-3,
        );
      }),
    );
    expect(explained).toEqual([true, true, true]);
    expect(row(images, 0)).not.toEqual(row(own, 0));
    expect(row(images, 3)).toEqual(row(own, 3));
  });
});
