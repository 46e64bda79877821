import { describe, expect, it } from 'vitest';
import augmentedViews from '../../../src/vision/augment/augmented-views-worker.ts';
import {
  type AugmentationTask,
  augmentationPreset,
  augmentationSettings,
  startAugmenter,
} from '../../../src/vision/augment/index.ts';
import prepareViews, { type ViewRecipe } from '../../../src/vision/features/prepare-worker.ts';
import { meadow, mirrored, plain } from '../descriptors/pictures.ts';

const photo = meadow(120, 1, 120, 60);
const recipe: ViewRecipe = {
  plan: 'halves',
  size: 28,
  interpolation: 'bicubic',
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
  turn: 0,
};

const windows = { side: 2 / 3, across: 5, down: 2 };

function task(changes: Partial<AugmentationTask> = {}): AugmentationTask {
  return { pixels: photo, recipe, augmentation: augmentationPreset('heavy'), seed: 1, ...changes };
}

describe('augmented views', () => {
  it('are the prepared views where nothing is to change', () => {
    for (const plan of ['whole', 'halves', 'tiles', windows] as const) {
      const views = { ...recipe, plan, turn: 3 };
      expect(augmentedViews(task({ recipe: views, augmentation: augmentationPreset('none') }))).toEqual(
        prepareViews({ pixels: photo, recipe: views }),
      );
    }
  });

  it('repeat themselves for a seed, differ between seeds and between the halves of a photo', () => {
    expect(augmentedViews(task())).toEqual(augmentedViews(task()));
    expect(augmentedViews(task())).not.toEqual(augmentedViews(task({ seed: 2 })));
    const grey = plain([120, 110, 60], 120, 60);
    const settings = augmentationSettings.parse({ brightness: { probability: 1, range: 0.5 } });
    const views = augmentedViews(task({ pixels: grey, augmentation: settings }));
    const length = 3 * recipe.size ** 2;
    expect(views.length).toBe(2 * length);
    expect(views[0]).not.toBe(views[length]);
  });

  it('a certain flip gives the prepared views of each half in a mirror', () => {
    const settings = augmentationSettings.parse({ horizontalFlip: { probability: 1 } });
    const flipped = augmentedViews(task({ augmentation: settings }));
    const length = 3 * recipe.size ** 2;
    const mirror = prepareViews({ pixels: mirrored(photo), recipe });
    const swapped = Float32Array.from([...mirror.subarray(length), ...mirror.subarray(0, length)]);
    // Pillow's fixed-point weights of mirrored halves round to the other side now and then.
    flipped.forEach((value, i) => {
      expect(Math.abs(value - (swapped[i] ?? 0))).toBeLessThan(0.02);
    });
  });

  it('windows are augmented by themselves', () => {
    const grey = plain([120, 110, 60], 120, 60);
    const settings = augmentationSettings.parse({ brightness: { probability: 1, range: 0.5 } });
    const sliding = { ...recipe, plan: windows };
    const views = augmentedViews(task({ pixels: grey, recipe: sliding, augmentation: settings }));
    const length = 3 * recipe.size ** 2;
    expect(views.length).toBe(10 * length);
    expect(new Set(Array.from({ length: 10 }, (_, view) => views[view * length])).size).toBe(10);
  });

  it('tiles of a half stay parts of one picture: a flip swaps them', () => {
    const tiled = { ...recipe, plan: 'tiles' as const };
    // Black on the left of each half, white on the right.
    const pixels = {
      width: 80,
      height: 40,
      data: Uint8Array.from({ length: 80 * 40 * 3 }, (_, i) => (Math.floor(i / 3) % 40 < 20 ? 0 : 255)),
    };
    const settings = augmentationSettings.parse({ horizontalFlip: { probability: 1 } });
    const views = augmentedViews(task({ pixels, recipe: tiled, augmentation: settings }));
    const area = recipe.size ** 2;
    expect(views.length).toBe(8 * 3 * area);
    const middle = Array.from({ length: 8 }, (_, tile) => views[tile * 3 * area + Math.floor(area / 2)] ?? 0);
    expect(middle.map((value) => value > 0)).toEqual([true, false, true, false, true, false, true, false]);
  });

  it('come the same from the augmenter, whichever thread makes them', async () => {
    const augmenter = startAugmenter(2);
    try {
      const tasks = [1, 2, 3].map((seed) => task({ seed }));
      const made = await Promise.all(tasks.map((one) => augmenter.run(one)));
      expect(made.map((views) => [...views])).toEqual(tasks.map((one) => [...augmentedViews(one)]));
    } finally {
      await augmenter.close();
    }
  });
});
