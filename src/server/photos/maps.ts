import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { writeFileAtomically } from '../../ground/files.ts';
import { Refusal } from '../answers/refusal.ts';
import type { InferencePool } from '../inference/pool.ts';
import type { FarmRun } from '../runs/library.ts';
import type { PhotoStore } from '../storage/photo-store.ts';
import type { StoredPhoto } from './stored-photo.ts';

const Kept = z.object({ png: z.base64(), scaleTop: z.number() });

/** A photo under the heat map of its total mass. */
interface PhotoMap {
  readonly png: Uint8Array<ArrayBuffer>;
  /** Value at the top of the colours, kg DM/ha. */
  readonly scaleTop: number;
}

/** Maps of where in photos runs see mass, drawn when they are first asked for and kept in the farm's cache. */
export class PhotoMaps {
  readonly #folder: string;
  readonly #cache: string;
  readonly #store: PhotoStore;
  readonly #pool: InferencePool;
  /** Whether runs make maps, by their hashes; a promise until it is known. */
  readonly #known = new Map<string, boolean | Promise<boolean>>();

  constructor(cache: string, store: PhotoStore, pool: InferencePool) {
    this.#folder = join(cache, 'maps');
    this.#cache = cache;
    this.#store = store;
    this.#pool = pool;
  }

  /** Whether a run makes maps; false while that is being found out, which this begins. */
  areOf(run: FarmRun): boolean {
    this.#make(run).catch(() => {});
    return this.#known.get(run.hash) === true;
  }

  /** The map of a photo. @throws Refusal where the run makes none, and as the pool does */
  async of(photo: StoredPhoto, run: FarmRun): Promise<PhotoMap> {
    if (!(await this.#make(run))) throw new Refusal(404, 'no-map', 'the farm’s run makes no maps');
    const path = this.#pathOf(photo, run);
    const kept = await readFile(path, 'utf8').then(
      (text) => Kept.parse(JSON.parse(text)),
      () => null,
    );
    const { png, scaleTop } = kept ?? (await this.#draw(photo, run, path));
    return { png: new Uint8Array(Buffer.from(png, 'base64')), scaleTop };
  }

  /** Forgets maps of a photo that is removed. */
  forget(sha256: string): Promise<void> {
    return rm(join(this.#folder, sha256), { recursive: true, force: true });
  }

  async #make({ hash, folder }: FarmRun): Promise<boolean> {
    const known =
      this.#known.get(hash) ??
      this.#pool.ask<'open'>({ kind: 'open', run: folder, cache: this.#cache }).then(({ maps }) => maps);
    this.#known.set(hash, known);
    try {
      const makes = await known;
      this.#known.set(hash, makes);
      return makes;
    } catch (error) {
      // What could not be found out is asked again.
      this.#known.delete(hash);
      throw error;
    }
  }

  async #draw(
    { sha256, height }: StoredPhoto,
    { folder: run }: FarmRun,
    place: string,
  ): Promise<z.output<typeof Kept>> {
    const path = this.#store.pathOf(sha256);
    const task = { kind: 'map', run, cache: this.#cache, path, facts: { height } } as const;
    const map = await this.#pool.ask<'map'>(task);
    await writeFileAtomically(place, JSON.stringify(map));
    return map;
  }

  /** By all that a map is made of. */
  #pathOf({ sha256, height }: StoredPhoto, { hash }: FarmRun): string {
    const told = height ? `-${height.method}-${height.centimetres}` : '';
    return join(this.#folder, sha256, `${hash}${told}.json`);
  }
}
