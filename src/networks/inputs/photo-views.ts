import { availableParallelism } from 'node:os';
import type { Matrix } from '../../ground/matrix.ts';
import type { RandomStream } from '../../ground/random.ts';
import type { Feed } from '../../tensor/index.ts';
import {
  type AugmentationSettings,
  augmentationPreset,
  type BatchMix,
  mixBatch,
  mixTargets,
  startAugmenter,
} from '../../vision/augment/index.ts';
import { decodeForViews } from '../../vision/features/index.ts';
import { openPhoto, type Photo, type Pixels, photoHash } from '../../vision/photos/index.ts';
import { COVARIATES } from '../heads/covariates.ts';
import { BoundedCache } from './bounded-cache.ts';
import { type ExampleBatch, type Examples, inBatches } from './input.ts';
import { EXTRA, IMAGES, type PhotoBackbone } from './photos.ts';
import { rowReader } from './rows.ts';

/** More threads than this wait for the network anyway. */
const MOST_THREADS = 4;

const AS_IT_IS = augmentationPreset('none');

/** What of photos stays in memory, for all folds of a training. */
export interface PhotoMemory {
  /** Decoded photos by content. */
  readonly photos: BoundedCache<Pixels>;
  /** Views that were not augmented, by content and turn. */
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
interface WantedPhoto {
  readonly photo: Photo;
  /** Draws its augmentation; absent: as prediction sees it. */
  readonly random?: RandomStream;
  /** How views are turned, 0 to 7. Default 0. */
  readonly turn?: number;
}

/** Photos to read examples of. */
export interface PhotoList {
  readonly photos: readonly Photo[];
  /** How views are turned, 0 to 7. Default 0. */
  readonly turn?: number;
  /** Further features of the photos, a row each, which are fed beside their views. */
  readonly extra?: Matrix | null;
  /** Covariates of the photos, a row each, likewise. */
  readonly covariates?: Matrix | null;
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

  /** Photos as examples of a network: views `[batch · views, 3, size, size]`, further features and covariates. */
  examples({ photos, turn = 0, extra, covariates }: PhotoList): Examples {
    const readers = Object.entries({ [EXTRA]: extra, [COVARIATES]: covariates }).flatMap(([name, rows]) =>
      rows ? [{ name, read: rowReader(rows) }] : [],
    );
    const further = (items: readonly number[], batch: number): Record<string, Float32Array> =>
      Object.fromEntries(readers.map(({ name, read }) => [name, read(items, batch)]));
    const plain = async (items: readonly number[], batch: number): Promise<ExampleBatch> => {
      const wanted = items.map((item) => ({ photo: photos[item] as Photo, turn }));
      return { items, feeds: { [IMAGES]: await this.batch(wanted, batch), ...further(items, batch) } };
    };
    return {
      count: photos.length,
      batches: (batch) => oneAhead(inBatches(photos.length, batch), (items) => plain(items, batch)),
      drawn: async (items, batch, random) => {
        const wanted = items.map((item) => ({
          photo: photos[item] as Photo,
          random: random.fork('augment').fork(item),
        }));
        const images = await this.batch(wanted, batch);
        const mix = this.#mixed(images, items.length, batch, random.fork('mix'));
        const feeds: Record<string, Feed> = { [IMAGES]: images };
        for (const [name, own] of Object.entries(further(items, batch))) {
          feeds[name] = mix ? mixTargets(own, mix) : own;
        }
        return { feeds, ...(mix && { mix }) };
      },
    };
  }

  /** Mixes the pictures of a batch where the settings say so. @returns how its labels `[batch, …]` are to be mixed */
  #mixed(images: Float32Array, photos: number, batch: number, random: RandomStream): BatchMix | undefined {
    const { recipe, views } = this.#backbone;
    const { size } = recipe;
    const own = images.subarray(0, photos * views * 3 * size ** 2);
    const { pictures, mix } = mixBatch(
      { pictures: own, photos, views, height: size, width: size },
      this.#augmentation.batch,
      random,
    );
    if (!mix) return undefined;
    own.set(pictures);
    // Rows that only fill the batch are mixed with themselves.
    return { ...mix, partners: Array.from({ length: batch }, (_, row) => mix.partners[row] ?? row) };
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

  async #augmented({ photo, turn = 0 }: WantedPhoto, random: RandomStream): Promise<Float32Array> {
    return this.#augmenter.run({
      pixels: await this.#pixels(photo, await photoHash(photo)),
      recipe: { ...this.#backbone.recipe, turn },
      augmentation: this.#augmentation,
      seed: random.integer(2 ** 31),
    });
  }

  async #plain({ photo, turn = 0 }: WantedPhoto): Promise<Float32Array> {
    const hash = await photoHash(photo);
    return this.#memory.views.get(`${turn} ${hash}`, async () =>
      this.#augmenter.run({
        pixels: await this.#pixels(photo, hash),
        recipe: { ...this.#backbone.recipe, turn },
        augmentation: AS_IT_IS,
        seed: 0,
      }),
    );
  }

  #pixels(photo: Photo, hash: string): Promise<Pixels> {
    return this.#memory.photos.get(hash, async () =>
      decodeForViews(await openPhoto(photo), this.#backbone.plan),
    );
  }

  /** Ends the threads. */
  close(): Promise<void> {
    return this.#augmenter.close();
  }
}

/** Makes one value of each item, in order; the next is made while the caller works with one. */
async function* oneAhead<Item, Value>(
  items: readonly Item[],
  make: (item: Item) => Promise<Value>,
): AsyncGenerator<Value> {
  const begin = (item: Item | undefined): Promise<Value> | undefined => {
    const coming = item === undefined ? undefined : make(item);
    // A failure is met when its turn comes; until then it must not count as unhandled.
    coming?.catch(() => {});
    return coming;
  };
  let coming = begin(items[0]);
  for (let index = 0; coming; index++) {
    const value = await coming;
    coming = begin(items[index + 1]);
    yield value;
  }
}
