import { type RandomStream, randomStream } from '../../ground/random.ts';
import prepareViews, { normaliseView, type ViewRecipe } from '../features/prepare-worker.ts';
import type { Pixels } from '../photos/pixels.ts';
import { type Box, resample } from '../preprocess/resample.ts';
import { viewBoxes, viewCount } from '../preprocess/views.ts';
import { augmentPixels } from './augment.ts';
import { type AugmentationSettings, changesPictures } from './settings.ts';

/** One photo to augment and prepare; plain data. */
export interface AugmentationTask {
  readonly pixels: Pixels;
  readonly recipe: ViewRecipe;
  readonly augmentation: AugmentationSettings;
  /** Any 32-bit integer: the same seed augments the same photo alike. */
  readonly seed: number;
}

/**
 * The augmented views of a photo as a network takes them. The whole photo, each half or each window is resized to the
 * view's size and augmented by itself, then turned and normalised as `prepareViews` does. Where halves are cut into
 * tiles, a half is resized to twice the view's size and augmented before it is cut, so that its tiles still
 * belong together. Settings that change no picture give exactly what `prepareViews` gives.
 *
 * @returns [views, 3, size, size], row-major
 */
export default function augmentedViews(task: AugmentationTask): Float32Array {
  const { pixels, recipe, augmentation, seed } = task;
  if (!changesPictures(augmentation)) return prepareViews({ pixels, recipe });
  const random = randomStream(seed);
  const views = recipe.plan === 'tiles' ? augmentedTiles(task, random) : augmentedBoxes(task, random);
  const values = new Float32Array(viewCount(recipe.plan) * 3 * recipe.size ** 2);
  const length = 3 * recipe.size ** 2;
  views.forEach((view, index) => {
    normaliseView(view.data, recipe, values.subarray(index * length, (index + 1) * length));
  });
  return values;
}

function augmentedBoxes({ pixels, recipe, augmentation }: AugmentationTask, random: RandomStream): Pixels[] {
  return viewBoxes(recipe.plan, pixels.width, pixels.height).map(
    (box) => augmentPixels(squared(pixels, box, recipe, 1), augmentation, random).pixels,
  );
}

function augmentedTiles({ pixels, recipe, augmentation }: AugmentationTask, random: RandomStream): Pixels[] {
  return viewBoxes('halves', pixels.width, pixels.height).flatMap((box) => {
    const half = augmentPixels(squared(pixels, box, recipe, 2), augmentation, random).pixels;
    return [0, 1, 2, 3].map((tile) => quarterOf(half, tile));
  });
}

function squared(pixels: Pixels, box: Box, { size, interpolation }: ViewRecipe, times: number): Pixels {
  return resample(pixels, box, { width: times * size, height: times * size }, interpolation);
}

/** The 2 × 2 tiles of a picture of even size, row by row. */
function quarterOf({ width, height, data }: Pixels, tile: number): Pixels {
  const across = width >> 1;
  const down = height >> 1;
  const left = (tile & 1) * across;
  const top = (tile >> 1) * down;
  const result = new Uint8Array(across * down * 3);
  for (let y = 0; y < down; y++) {
    const start = ((top + y) * width + left) * 3;
    result.set(data.subarray(start, start + across * 3), y * across * 3);
  }
  return { width: across, height: down, data: result };
}
