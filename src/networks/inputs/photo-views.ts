import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { environment } from '../../ground/environment.ts';
import type { Matrix } from '../../ground/matrix.ts';
import { type RandomStream, randomStream } from '../../ground/random.ts';
import { type Feed, Sessions } from '../../tensor/index.ts';
import {
  type AugmentationSettings,
  augmentationPreset,
  type BatchMix,
  changesPictures,
  mixBatch,
  mixTargets,
} from '../../vision/augment/index.ts';
import { decodeForViews } from '../../vision/features/index.ts';
import { openPhoto, type Photo, type Pixels, photoHash, photoKey } from '../../vision/photos/index.ts';
import { COVARIATES } from '../heads/covariates.ts';
import { ArrayFile } from './array-file.ts';
import { BoundedCache } from './bounded-cache.ts';
import { type ExampleBatch, type Examples, inBatches } from './input.ts';
import { EXTRA, IMAGES, type PhotoBackbone } from './photos.ts';
import { rowReader } from './rows.ts';
import { Trunk, type TrunkPhoto } from './trunk.ts';
import { ViewThreads } from './view-threads.ts';

/** What stays for all folds of a training: photos in memory, and what works on them. */
export interface PhotoMemory {
  /** Decoded photos by content. */
  readonly photos: BoundedCache<Pixels>;
  /** Views that come again, by content and turn or draw. */
  readonly views: BoundedCache<Float32Array>;
  /** What frozen beginnings of the backbone make of such views. */
  readonly trunks: ArrayFile;
  /** Sessions of programs that later folds run again. */
  readonly sessions: Sessions;
  /** What makes views. */
  readonly threads: ViewThreads;
}

/** Disk for what a frozen beginning makes of photos, MiB. */
const TRUNK_CACHE = 4096;

/**
 * @param mebibytes half of it for decoded photos, half for finished views
 * @param trunkMebibytes disk for what a frozen beginning of the backbone makes of views
 */
export function photoMemory(mebibytes: number, trunkMebibytes = TRUNK_CACHE): PhotoMemory {
  const half = mebibytes * 2 ** 19;
  return {
    sessions: new Sessions(),
    threads: new ViewThreads(),
    trunks: new ArrayFile(join(environment().cacheFolder, 'trunks'), trunkMebibytes * 2 ** 20),
    photos: new BoundedCache(half, ({ data }) => data.byteLength),
    views: new BoundedCache(half, ({ byteLength }) => byteLength),
  };
}

/** A photo turned (0 to 7) and otherwise as it is, or in one of its draws: its views are the same every time. */
type SamePhoto = { readonly photo: Photo } & ({ readonly turn: number } | { readonly draw: number });

/** One photo whose views are wanted, those of a new draw maybe. */
type WantedPhoto = SamePhoto | { readonly photo: Photo; readonly random: RandomStream };

/** Photos to read examples of. */
export interface PhotoList {
  readonly photos: readonly Photo[];
  /** How views are turned, 0 to 7. Default 0. */
  readonly turn?: number;
  /** Further features of the photos, a row each, which are fed beside their views. */
  readonly extra?: Matrix | null;
  /** Covariates of the photos, a row each, likewise. */
  readonly covariates?: Matrix | null;
  /** Features of a photo as it is, by its place, where nothing of the backbone is trained and they were made before. */
  readonly made?: (item: number) => Float32Array;
}

/** How photos are augmented for training. */
export interface Drawing {
  readonly augmentation: AugmentationSettings;
  /** In how many ways a photo is ever augmented; undefined: in a new one every time. */
  readonly draws?: number | undefined;
}

/** Whether the views a training sees of a photo come again, in later epochs and other folds. */
const viewsComeAgain = ({ augmentation, draws }: Drawing): boolean =>
  (draws !== undefined || !changesPictures(augmentation)) && augmentation.batch.probability === 0;

/** Photos of each kind that are begun with, at most. */
const BEGUN = 8;

/** Makes views of photos on threads of their own, and what a frozen beginning of the backbone makes of them. */
export class PhotoViews {
  readonly #backbone: PhotoBackbone;
  readonly #memory: PhotoMemory;
  readonly #asItIs = augmentationPreset('none');
  readonly #augmentation: AugmentationSettings;
  readonly #draws: number | undefined;
  #isClosed = false;
  #begun: Promise<unknown> = Promise.resolve();
  /** Takes the place of views in examples where it stands: once a graph has entered it. */
  readonly trunk: Trunk;

  constructor(backbone: PhotoBackbone, memory: PhotoMemory, drawing?: Drawing) {
    this.#backbone = backbone;
    this.#memory = memory;
    this.#augmentation = drawing?.augmentation ?? this.#asItIs;
    this.#draws = drawing?.draws;
    memory.threads.enter();
    this.trunk = new Trunk(memory.trunks, viewsComeAgain({ augmentation: this.#augmentation, ...drawing }));
  }

  /**
   * Begins what a training asks for first, so that other threads work while its programs are compiled.
   *
   * @param plain photos that are wanted as they are
   * @param drawn photos that are wanted augmented, by whatever is drawn then
   */
  async begin(plain: readonly Photo[], drawn: readonly Photo[]): Promise<void> {
    this.#memory.threads.start();
    this.#begun = Promise.allSettled([
      ...plain.slice(0, BEGUN).map((photo) => this.#viewsOf({ photo, turn: 0 })),
      ...drawn.slice(0, BEGUN).map(async (photo) => this.#pixels(photo, await keyOf(photo))),
    ]);
    // Files are looked at first; only then threads have something to do.
    await Promise.allSettled([...plain.slice(0, BEGUN), ...drawn.slice(0, BEGUN)].map(keyOf));
    await setImmediate();
  }

  /**
   * Photos as examples of a network: views `[batch · views, 3, size, size]`, or what the trunk made of them, with further
   * features and covariates.
   */
  examples({ photos, turn = 0, extra, covariates, made }: PhotoList): Examples {
    const { trunk } = this;
    const readers = Object.entries({ [EXTRA]: extra, [COVARIATES]: covariates }).flatMap(([name, rows]) =>
      rows ? [{ name, read: rowReader(rows) }] : [],
    );
    const further = (items: readonly number[], batch: number): Record<string, Float32Array> =>
      Object.fromEntries(readers.map(({ name, read }) => [name, read(items, batch)]));
    const plain = async (items: readonly number[], batch: number): Promise<ExampleBatch> => {
      const wanted = items.map((item) => ({ photo: photos[item] as Photo, turn }));
      const fed = trunk.stands('plain')
        ? await trunk.feeds(
            (await this.#same(wanted)).map((photo, row) => ({
              ...photo,
              ...(made && { made: made(items[row] as number) }),
            })),
            batch,
          )
        : { [IMAGES]: await this.batch(wanted, batch) };
      return { items, feeds: { ...fed, ...further(items, batch) } };
    };
    return {
      count: photos.length,
      batches: (batch) => oneAhead(inBatches(photos.length, batch), (items) => plain(items, batch)),
      drawn: async (items, batch, random) => {
        const wanted = items.map((item) =>
          this.#drawn(photos[item] as Photo, random.fork('augment').fork(item)),
        );
        if (trunk.stands('training')) {
          const again = wanted.flatMap((one) => ('random' in one ? [] : [one]));
          return {
            feeds: { ...(await trunk.feeds(await this.#same(again), batch)), ...further(items, batch) },
          };
        }
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
        result.set(await this.#viewsOf(photo), row * length);
      }),
    );
    const last = (wanted.length - 1) * length;
    for (let row = wanted.length; row < batch; row++) result.copyWithin(row * length, last, last + length);
    return result;
  }

  /** How a photo is seen in a batch of training. */
  #drawn(photo: Photo, random: RandomStream): WantedPhoto {
    if (!changesPictures(this.#augmentation)) return { photo, turn: 0 };
    return this.#draws === undefined ? { photo, random } : { photo, draw: random.integer(this.#draws) };
  }

  async #viewsOf(wanted: WantedPhoto): Promise<Float32Array> {
    const { photo } = wanted;
    const key = await keyOf(photo);
    if (!('random' in wanted)) return this.#sameViews(wanted, key).views();
    return this.#made(photo, key, 0, wanted.random.integer(2 ** 31));
  }

  #same(photos: readonly SamePhoto[]): Promise<TrunkPhoto[]> {
    return Promise.all(photos.map(async (wanted) => this.#sameViews(wanted, await keyOf(wanted.photo))));
  }

  #sameViews(wanted: SamePhoto, content: string): TrunkPhoto {
    const { photo } = wanted;
    const [key, make] =
      'draw' in wanted
        ? [
            `draw ${wanted.draw} ${content}`,
            () => this.#made(photo, content, 0, seedOf(content, wanted.draw)),
          ]
        : [`${wanted.turn} ${content}`, () => this.#made(photo, content, wanted.turn, null)];
    return { key, views: () => this.#memory.views.get(key, make) };
  }

  /** @param seed of the augmentation; null: there is none */
  async #made(photo: Photo, content: string, turn: number, seed: number | null): Promise<Float32Array> {
    return this.#memory.threads.run({
      pixels: await this.#pixels(photo, content),
      recipe: { ...this.#backbone.recipe, turn },
      augmentation: seed === null ? this.#asItIs : this.#augmentation,
      seed: seed ?? 0,
    });
  }

  #pixels(photo: Photo, key: string): Promise<Pixels> {
    return this.#memory.photos.get(key, async () =>
      sharedPixels(await decodeForViews(await openPhoto(photo), this.#backbone.plan)),
    );
  }

  /** Leaves the threads, and gives the trunk's memory back. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#begun;
    await this.#memory.threads.leave();
    await this.trunk.close();
  }
}

/** Pixels in memory that threads read where it lies: every view of a photo would take a copy of it along otherwise. */
function sharedPixels({ width, height, data }: Pixels): Pixels {
  const shared = new Uint8Array(new SharedArrayBuffer(data.length));
  shared.set(data);
  return { width, height, data: shared };
}

/** A draw follows from the photo and its number alone, so that all epochs, folds and runs have the same ones. */
const seedOf = (content: string, draw: number): number =>
  randomStream(0)
    .fork(content)
    .fork(draw)
    .integer(2 ** 31);

const keyOf = async (photo: Photo): Promise<string> => photoKey(photo, await photoHash(photo));

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
