import { availableParallelism } from 'node:os';
import type { RandomStream } from '../../ground/random.ts';
import { type AugmentationSettings, augmentationPreset, startAugmenter } from '../../vision/augment/index.ts';
import { decodeForViews } from '../../vision/features/index.ts';
import { openPhoto, type Pixels } from '../../vision/photos/index.ts';
import { BoundedCache } from './bounded-cache.ts';
import type { PhotoBackbone } from './photo-backbone.ts';

/** More threads than this wait for the network anyway. */
const MOST_THREADS = 4;

const AS_IT_IS = augmentationPreset('none');

/** What of photos stays in memory, for all folds of a training. */
export interface PhotoMemory {
  /** Decoded photos by path. */
  readonly photos: BoundedCache<Pixels>;
  /** Views that were not augmented, by path and turn. */
  readonly views: BoundedCache<Float32Array>;
}

/** @param mebibytes half of it for decoded photos, half for finished views */
export function photoMemory(mebibytes: number): PhotoMemory {
  const half = mebibytes * 2 ** 19;
  return {
    photos: new BoundedCache(half, ({ data }) => data.byteLength),
    views: new BoundedCache(half, ({ byteLength }) => byteLength),
  };
}

/** One photo whose views are wanted. */
export interface WantedPhoto {
  readonly path: string;
  /** Draws its augmentation; absent: as prediction sees it. */
  readonly random?: RandomStream;
  /** How views are turned, 0 to 7. Default 0. */
  readonly turn?: number;
}

/** Makes views of photos on threads of their own. */
export class PhotoViews {
  readonly #augmenter = startAugmenter(Math.min(MOST_THREADS, availableParallelism()));
  readonly #backbone: PhotoBackbone;
  readonly #memory: PhotoMemory;
  readonly #augmentation: AugmentationSettings;

  constructor(backbone: PhotoBackbone, memory: PhotoMemory, augmentation: AugmentationSettings = AS_IT_IS) {
    this.#backbone = backbone;
    this.#memory = memory;
    this.#augmentation = augmentation;
  }

  /**
   * Views of photos, normalised; the last photo's repeat until the batch is full.
   *
   * @returns `[batch · views, 3, size, size]`
   * @throws InputError when a photo cannot be used
   */
  async batch(wanted: readonly WantedPhoto[], batch: number): Promise<Float32Array> {
    const { recipe, views } = this.#backbone;
    const length = views * 3 * recipe.size ** 2;
    const result = new Float32Array(batch * length);
    await Promise.all(
      wanted.map(async (photo, row) => {
        const made = await (photo.random ? this.#augmented(photo, photo.random) : this.#plain(photo));
        result.set(made, row * length);
      }),
    );
    const last = (wanted.length - 1) * length;
    for (let row = wanted.length; row < batch; row++) result.copyWithin(row * length, last, last + length);
    return result;
  }

  async #augmented({ path, turn = 0 }: WantedPhoto, random: RandomStream): Promise<Float32Array> {
    return this.#augmenter.run({
      pixels: await this.#memory.photos.get(path, () => decoded(path)),
      recipe: { ...this.#backbone.recipe, turn },
      augmentation: this.#augmentation,
      seed: random.integer(2 ** 31),
    });
  }

  #plain({ path, turn = 0 }: WantedPhoto): Promise<Float32Array> {
    return this.#memory.views.get(`${turn} ${path}`, async () =>
      this.#augmenter.run({
        pixels: await this.#memory.photos.get(path, () => decoded(path)),
        recipe: { ...this.#backbone.recipe, turn },
        augmentation: AS_IT_IS,
        seed: 0,
      }),
    );
  }

  /** Ends the threads. */
  close(): Promise<void> {
    return this.#augmenter.close();
  }
}

const decoded = async (path: string): Promise<Pixels> => decodeForViews(await openPhoto(path));
