import { createHash } from 'node:crypto';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { environment } from '../../ground/environment.ts';
import { forgetTemporary, makeFolder, temporaryNameBeside, writeFailure } from '../../ground/files.ts';
import type { Store } from '../../storage/index.ts';

/** What was stored. */
export interface StoredContent {
  readonly bytes: number;
  readonly sha256: string;
}

/** A text that grows on this machine's disk until it is put into a store. */
export class StoredText {
  readonly #path: string;
  readonly #file: FileHandle;
  readonly #hash = createHash('sha256');
  #bytes = 0;

  private constructor(path: string, file: FileHandle) {
    this.#path = path;
    this.#file = file;
  }

  /** @throws InputError when the disk refuses */
  static async open(): Promise<StoredText> {
    const path = temporaryNameBeside(join(environment().cacheFolder, 'text'));
    try {
      await makeFolder(dirname(path));
      return new StoredText(path, await open(path, 'wx'));
    } catch (error) {
      forgetTemporary(path);
      throw writeFailure(path, error);
    }
  }

  async write(text: string): Promise<void> {
    const content = Buffer.from(text);
    this.#hash.update(content);
    this.#bytes += content.byteLength;
    try {
      await this.#file.writeFile(content);
    } catch (error) {
      throw writeFailure(this.#path, error);
    }
  }

  /** Puts it into a store, after which it is gone here. */
  async storeAs(store: Store, key: string): Promise<StoredContent> {
    try {
      await this.#file.close();
      const sha256 = this.#hash.digest('hex');
      await store.upload(key, this.#path, sha256);
      return { bytes: this.#bytes, sha256 };
    } finally {
      await this.discard();
    }
  }

  async discard(): Promise<void> {
    await this.#file.close().catch(() => {});
    await rm(this.#path, { force: true }).catch(() => {});
    forgetTemporary(this.#path);
  }
}
