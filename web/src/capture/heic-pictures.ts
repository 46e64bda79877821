import { FORMAT_BYTES, formatOf } from '../../../src/vision/photos/format.ts';
import { Engine } from '../engine/engine.ts';
import type { FarmStore } from '../store/farm-store.ts';
import type { KeptPhoto } from '../store/records.ts';
import { ask } from '../sync/farm-server.ts';

/** Pictures of HEIC photos, which most browsers do not show: made once, one after another, and kept. */
export class HeicPictures {
  readonly #store: FarmStore;
  #last: Promise<unknown> = Promise.resolve();

  constructor(store: FarmStore) {
    this.#store = store;
  }

  /** A JPEG of a photo; null where it is no HEIC. @throws Error where it cannot be had, or does not decode */
  of(photo: KeptPhoto): Promise<Blob | null> {
    const made = this.#last.then(() => this.#make(photo));
    this.#last = made.catch(() => {});
    return made;
  }

  async #make({ id, fileName }: KeptPhoto): Promise<Blob | null> {
    const { keeping } = this.#store;
    const kept = await keeping.thumb(id);
    if (kept) return kept;
    const file = (await keeping.file(id)) ?? (await (await ask(`/api/photos/${id}/file`)).blob());
    const start = new Uint8Array(await file.slice(0, FORMAT_BYTES).arrayBuffer());
    if (formatOf(start) !== 'heif') return null;
    const engine = new Engine();
    try {
      const blob = await engine.preview(fileName, file);
      await keeping.write({ thumbs: [{ id, blob }] });
      return blob;
    } finally {
      engine.close();
    }
  }
}
