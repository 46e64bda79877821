import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { environment } from '../../ground/environment.ts';
import { writeAtomically } from '../../ground/files.ts';
import { GrowingFile } from '../../ground/growing-file.ts';

/** Items that are found together: one place a block is kept in memory. */
const BLOCK = 16;

/** Bytes that are written together. */
const WRITTEN_AT_ONCE = 2 ** 16;

/** Items that are read together where all are gone through. */
const READ_AT_ONCE = 1024;

/** A list of records that lies on this machine's disk, as JSON a line, so that memory does not grow with it. */
export class DiskList<Item> implements AsyncDisposable {
  readonly #file: GrowingFile;
  /** Where each block begins. */
  readonly #places: number[] = [];
  #waiting: string[] = [];
  #waitingBytes = 0;
  #bytes = 0;
  #count = 0;

  private constructor(file: GrowingFile) {
    this.#file = file;
  }

  /** An empty list in the cache's folder. @throws InputError when the disk refuses */
  static async open<Item>(): Promise<DiskList<Item>> {
    return new DiskList<Item>(await GrowingFile.open(join(environment().cacheFolder, 'list')));
  }

  static async write<Item>(items: AsyncIterable<Item>): Promise<DiskList<Item>> {
    const list = await DiskList.open<Item>();
    try {
      for await (const item of items) await list.add(item);
      return list;
    } catch (error) {
      await list.close();
      throw error;
    }
  }

  get count(): number {
    return this.#count;
  }

  /** @throws InputError when the disk refuses */
  async add(item: Item): Promise<void> {
    if (this.#count++ % BLOCK === 0) this.#places.push(this.#bytes + this.#waitingBytes);
    const line = `${JSON.stringify(item)}\n`;
    this.#waiting.push(line);
    this.#waitingBytes += Buffer.byteLength(line);
    if (this.#waitingBytes >= WRITTEN_AT_ONCE) await this.#flush();
  }

  async #flush(): Promise<void> {
    if (this.#waiting.length === 0) return;
    const content = Buffer.from(this.#waiting.join(''));
    this.#waiting = [];
    this.#waitingBytes = 0;
    await this.#file.write(content);
    this.#bytes += content.byteLength;
  }

  /** Copies it to a file, a line of JSON an item. @throws InputError when the disk refuses */
  async copyTo(path: string): Promise<void> {
    await this.#flush();
    await writeAtomically(path, (temporary) => copyFile(this.#file.path, temporary));
  }

  /** Some of the items. @param end the first that is not wanted */
  async read(start: number, end: number): Promise<Item[]> {
    await this.#flush();
    const first = Math.floor(start / BLOCK);
    const from = this.#places[first] ?? this.#bytes;
    const to = this.#places[Math.ceil(end / BLOCK)] ?? this.#bytes;
    const content = await this.#file.read(from, to);
    return content
      .toString()
      .split('\n')
      .slice(start - first * BLOCK, Math.min(end, this.#count) - first * BLOCK)
      .map((line) => JSON.parse(line) as Item);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Item> {
    for (let start = 0; start < this.#count; start += READ_AT_ONCE) {
      yield* await this.read(start, start + READ_AT_ONCE);
    }
  }

  /** Removes it. */
  close(): Promise<void> {
    return this.#file.remove();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
