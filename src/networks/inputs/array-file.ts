import { closeSync, openSync, read, rmSync, write } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { forgetTemporary, makeFolder, temporaryNameBeside } from '../../ground/files.ts';

const readAt = promisify(read);
const writeAt = promisify(write);

/**
 * Arrays that cost much to make, kept in a file of this process's own up to a limit; what does not fit is made again.
 * The file has no name once it is open, so it is gone when the process ends, however it ends. Arrays that were kept
 * stay: whoever goes round through more than fits finds the first ones again every time. Who asks for an array that is
 * being made waits for it.
 */
export class ArrayFile {
  readonly #folder: string;
  readonly limitBytes: number;
  readonly #places = new Map<string, { readonly at: number; readonly length: number }>();
  readonly #making = new Map<string, Promise<Float32Array>>();
  #file: number | undefined;
  #end = 0;
  /** Writing takes turns: there is one end of the file. */
  #written: Promise<void> = Promise.resolve();
  #isRefused = false;

  /**
   * @param folder where the file lies; made when the first array is kept
   * @param limitBytes what the file may take
   */
  constructor(folder: string, limitBytes: number) {
    this.#folder = folder;
    this.limitBytes = limitBytes;
  }

  /** The array of a key, made where it is not kept. A failure is not remembered. */
  get(key: string, make: () => Promise<Float32Array>): Promise<Float32Array> {
    const place = this.#places.get(key);
    if (place) return this.#read(place);
    const coming = this.#making.get(key) ?? this.#made(key, make);
    this.#making.set(key, coming);
    return coming;
  }

  async #made(key: string, make: () => Promise<Float32Array>): Promise<Float32Array> {
    try {
      const values = await make();
      this.#written = this.#written.then(() => this.#keep(key, values));
      await this.#written;
      return values;
    } finally {
      this.#making.delete(key);
    }
  }

  async #keep(key: string, values: Float32Array): Promise<void> {
    if (this.#isRefused || this.#end + values.byteLength > this.limitBytes) return;
    const at = this.#end;
    try {
      this.#file ??= await this.#opened();
      const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
      for (let done = 0; done < bytes.length; ) {
        const { bytesWritten } = await writeAt(this.#file, bytes, done, bytes.length - done, at + done);
        done += bytesWritten;
      }
      this.#end += bytes.length;
      this.#places.set(key, { at, length: values.length });
    } catch {
      // The disk is full, or not to be written: what is kept stays, and everything else is made again.
      this.#isRefused = true;
    }
  }

  async #opened(): Promise<number> {
    await makeFolder(this.#folder);
    const name = temporaryNameBeside(join(this.#folder, 'kept'));
    const file = openSync(name, 'wx+', 0o600);
    rmSync(name);
    forgetTemporary(name);
    OPEN.register(this, file);
    return file;
  }

  async #read({ at, length }: { readonly at: number; readonly length: number }): Promise<Float32Array> {
    const values = new Float32Array(length);
    const bytes = new Uint8Array(values.buffer);
    for (let done = 0; done < bytes.length; ) {
      const { bytesRead } = await readAt(this.#file as number, bytes, done, bytes.length - done, at + done);
      if (bytesRead === 0) throw new RangeError('a kept array ends before its end');
      done += bytesRead;
    }
    return values;
  }
}

/** Gives the disk back where nobody can ask any more: whoever keeps arrays lives as long as a model does. */
const OPEN = new FinalizationRegistry<number>(closeSync);
