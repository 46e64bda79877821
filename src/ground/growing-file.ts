import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { forgetTemporary, makeFolder, temporaryNameBeside, writeFailure } from './files.ts';

/** A file that is written piece by piece under a name of its own, until it is put somewhere or removed. */
export class GrowingFile {
  readonly path: string;
  readonly #toldAs: string;
  readonly #file: FileHandle;

  private constructor(path: string, toldAs: string, file: FileHandle) {
    this.path = path;
    this.#toldAs = toldAs;
    this.#file = file;
  }

  /**
   * An empty one beside a place.
   *
   * @param toldAs what errors call it; default its own name
   * @throws InputError when the disk refuses
   */
  static async open(place: string, toldAs?: string): Promise<GrowingFile> {
    const path = temporaryNameBeside(place);
    try {
      await makeFolder(dirname(path));
      return new GrowingFile(path, toldAs ?? path, await open(path, 'wx+'));
    } catch (error) {
      forgetTemporary(path);
      throw writeFailure(toldAs ?? path, error);
    }
  }

  /** @throws InputError when the disk refuses */
  async write(content: string | Uint8Array): Promise<void> {
    try {
      // A single write may stop half-way on a disk that fills.
      await this.#file.writeFile(content);
    } catch (error) {
      throw writeFailure(this.#toldAs, error);
    }
  }

  /** Some of its bytes. */
  async read(start: number, end: number): Promise<Buffer> {
    const content = Buffer.alloc(end - start);
    for (let read = 0; read < content.byteLength; ) {
      const { bytesRead } = await this.#file.read(content, read, content.byteLength - read, start + read);
      if (bytesRead === 0) throw new RangeError(`${this.path} has become shorter`);
      read += bytesRead;
    }
    return content;
  }

  /** Says that nothing is written any more. */
  close(): Promise<void> {
    return this.#file.close();
  }

  /** Puts it where it belongs. @throws InputError when the disk refuses */
  async moveTo(path: string): Promise<void> {
    try {
      await this.#file.close();
      await rename(this.path, path);
      forgetTemporary(this.path);
    } catch (error) {
      throw writeFailure(path, error);
    }
  }

  /** Removes it, closed or not. */
  async remove(): Promise<void> {
    await this.#file.close().catch(() => {});
    await rm(this.path, { force: true }).catch(() => {});
    forgetTemporary(this.path);
  }
}
