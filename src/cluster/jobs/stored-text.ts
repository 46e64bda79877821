import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { environment } from '../../ground/environment.ts';
import { GrowingFile } from '../../ground/growing-file.ts';
import type { Store } from '../../storage/index.ts';

/** What was stored. */
export interface StoredContent {
  readonly bytes: number;
  readonly sha256: string;
}

/** A text that grows on this machine's disk until it is put into a store. */
export class StoredText implements AsyncDisposable {
  readonly #file: GrowingFile;
  readonly #hash = createHash('sha256');
  #bytes = 0;

  private constructor(file: GrowingFile) {
    this.#file = file;
  }

  /** @throws InputError when the disk refuses */
  static async open(): Promise<StoredText> {
    return new StoredText(await GrowingFile.open(join(environment().cacheFolder, 'text')));
  }

  /** @throws InputError when the disk refuses */
  async write(text: string): Promise<void> {
    const content = Buffer.from(text);
    this.#hash.update(content);
    this.#bytes += content.byteLength;
    await this.#file.write(content);
  }

  /** Puts it into a store, after which it is gone here. */
  async storeAs(store: Store, key: string): Promise<StoredContent> {
    try {
      await this.#file.close();
      const sha256 = this.#hash.digest('hex');
      await store.upload(key, this.#file.path, sha256);
      return { bytes: this.#bytes, sha256 };
    } finally {
      await this.discard();
    }
  }

  discard(): Promise<void> {
    return this.#file.remove();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.discard();
  }
}
