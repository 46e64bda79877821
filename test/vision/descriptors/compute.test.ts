import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { configure } from '../../../src/ground/environment.ts';
import { InputError, type SwardError } from '../../../src/ground/errors.ts';
import { takeColumns } from '../../../src/ground/matrix.ts';
import { computeDescriptors } from '../../../src/vision/descriptors/compute.ts';
import { DESCRIPTOR_NAMES, describePhoto, viewColumns } from '../../../src/vision/descriptors/describe.ts';
import { describeAhead } from '../../../src/vision/descriptors/describe-ahead.ts';
import type { PhotoMatrix } from '../../../src/vision/photo-vectors.ts';
import { decodePhoto } from '../../../src/vision/photos/decode.ts';
import { photoName } from '../../../src/vision/photos/index.ts';
import { meadow } from './pictures.ts';

let folder: string;
let photos: string[];
/** What is described of each photo, by itself. */
let described: PhotoMatrix[];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sward-descriptors-'));
  photos = [];
  for (let i = 0; i < 4; i++) {
    const { width, height, data } = meadow(60 * (i + 1), i, 420, 180);
    const path = join(folder, `photo${i}.jpg`);
    await sharp(data, { raw: { width, height, channels: 3 } })
      .jpeg()
      .toFile(path);
    photos.push(path);
  }
  described = [];
  for (const [i, photo] of photos.entries()) {
    described.push(await computeDescriptors([photo], { cacheFolder: cacheOf(i), threads: 1 }));
  }
});
afterAll(() => rm(folder, { recursive: true, force: true }));

let caches = 0;
function freshCache(): string {
  caches += 1;
  return join(folder, `cache${caches}`);
}

/** Where one photo, and nothing else, was described into. */
const cacheOf = (photo: number): string => join(folder, `described${photo}`);

/** A cache of its own of photos that are described. */
async function cacheWith(...of: number[]): Promise<string> {
  const cacheFolder = freshCache();
  for (const photo of of) await cp(cacheOf(photo), cacheFolder, { recursive: true });
  return cacheFolder;
}

/** Rows of photos below each other. */
const rowsOf = (count: number): Float64Array =>
  Float64Array.from(described.slice(0, count).flatMap(({ data }) => [...data]));

async function cacheFiles(cacheFolder: string): Promise<string[]> {
  const entries = await readdir(cacheFolder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

describe('describing many photos', () => {
  it('gives one row a photo, in the order asked for, equal to describing each', async () => {
    const order = [photos[2], photos[0]] as string[];
    const table = await computeDescriptors(order, { cacheFolder: freshCache(), threads: 1 });
    expect([table.rows, table.columns, table.computed]).toEqual([2, DESCRIPTOR_NAMES.length, 2]);
    for (const [row, path] of order.entries()) {
      const alone = describePhoto(await decodePhoto(path));
      expect(table.data.subarray(row * table.columns, (row + 1) * table.columns)).toEqual(alone);
    }
  });

  it('gives the same numbers on two threads as on one', async () => {
    const two = await computeDescriptors(photos, { cacheFolder: freshCache(), threads: 2 });
    expect(two.computed).toBe(photos.length);
    expect(two.data).toEqual(rowsOf(photos.length));
  });

  it.each([1, 2])(
    'gives only the views that are wanted, on %i threads, apart from all in the cache',
    async (threads) => {
      const [pair, cacheFolder] = [photos.slice(0, 2), await cacheWith(0, 1)];
      const all = await computeDescriptors(pair, { cacheFolder, threads });
      expect(all.computed).toBe(0);
      const views = ['scatter', 'contrast'] as const;
      const some = await computeDescriptors(pair, { cacheFolder, threads, views });
      expect(some.computed).toBe(pair.length);
      const { rows, columns, data } = takeColumns(all, views.flatMap(viewColumns));
      expect(some).toMatchObject({ rows, columns, data });
      expect((await computeDescriptors(pair, { cacheFolder, threads })).computed).toBe(0);
    },
  );

  it('computes only what the cache does not have', async () => {
    const cacheFolder = freshCache();
    const wanted = photos.slice(0, 3);
    const first = await computeDescriptors(wanted.slice(0, 2), { cacheFolder, threads: 1 });
    const second = await computeDescriptors(wanted, { cacheFolder, threads: 1 });
    const third = await computeDescriptors(wanted, { cacheFolder, threads: 1 });
    expect([first.computed, second.computed, third.computed]).toEqual([2, 1, 0]);
    expect(second.data).toEqual(rowsOf(3));
    expect(third.data).toEqual(second.data);
    expect((await cacheFiles(cacheFolder)).length).toBe(wanted.length);
  });

  it('knows a photo by its content, not its name', async () => {
    const cacheFolder = await cacheWith(0);
    const twin = join(folder, 'twin.jpg');
    await writeFile(twin, await readFile(photos[0] as string));
    expect((await computeDescriptors([twin], { cacheFolder, threads: 1 })).computed).toBe(0);
    await writeFile(twin, await readFile(photos[1] as string));
    expect((await computeDescriptors([twin], { cacheFolder, threads: 1 })).computed).toBe(1);
  });

  it.each<[string, (content: Buffer) => Uint8Array]>([
    ['emptied', () => new Uint8Array()],
    ['cut short', (content) => content.subarray(0, 100)],
    ['changed', (content) => content.map((byte, i) => (i === 20 ? byte ^ 1 : byte))],
  ])('computes a cache entry again that was %s, and repairs it', async (_, damage) => {
    const cacheFolder = await cacheWith(2);
    const one = [photos[2] as string];
    const [entry = ''] = await cacheFiles(cacheFolder);
    await writeFile(entry, damage(await readFile(entry)));
    const repaired = await computeDescriptors(one, { cacheFolder, threads: 1 });
    expect(repaired.computed).toBe(1);
    expect(repaired.data).toEqual(described[2]?.data);
    expect((await computeDescriptors(one, { cacheFolder, threads: 1 })).computed).toBe(0);
  });

  it('tells how far it is', async () => {
    const stages: [string, number][] = [];
    let steps = 0;
    let ended = 0;
    const wanted = photos.slice(0, 2);
    await computeDescriptors(wanted, {
      cacheFolder: freshCache(),
      threads: 1,
      progress: {
        stage: (title, total) => stages.push([title, total]),
        advance: (count = 1) => {
          steps += count;
        },
        done: () => {
          ended += 1;
        },
      },
    });
    expect(stages).toEqual([['Describing photos', wanted.length]]);
    expect([steps, ended]).toEqual([wanted.length, 1]);
  });

  it.each([1, 2])('names a photo that does not decode, on %i threads', async (threads) => {
    const broken = join(folder, `broken${threads}.jpg`);
    const whole = await readFile(photos[0] as string);
    await writeFile(broken, whole.subarray(0, whole.length / 2));
    const paths = [photos[0] as string, broken, photos[1] as string];
    const attempt = computeDescriptors(paths, { cacheFolder: freshCache(), threads });
    await expect(attempt).rejects.toThrow(InputError);
    await expect(attempt).rejects.toThrow(broken);
  });

  it('goes on past bad photos when asked to, leaving their rows empty', async () => {
    const text = join(folder, 'text.jpg');
    await writeFile(text, 'no photo');
    const missing = join(folder, 'missing.jpg');
    const told: [string, SwardError][] = [];
    const table = await computeDescriptors([text, photos[0] as string, missing], {
      cacheFolder: freshCache(),
      threads: 1,
      onError: (photo, error) => told.push([photoName(photo), error]),
    });
    expect(told.map(([path]) => path)).toEqual([text, missing]);
    expect(told.every(([path, error]) => error.message.includes(path))).toBe(true);
    const row = (index: number): number[] => [
      ...table.data.subarray(index * table.columns, (index + 1) * table.columns),
    ];
    expect(row(0).every(Number.isNaN)).toBe(true);
    expect(row(1).every(Number.isFinite)).toBe(true);
    expect(row(2).every(Number.isNaN)).toBe(true);
  });

  it('gives an empty table for no photos', async () => {
    const table = await computeDescriptors([], { cacheFolder: freshCache() });
    expect([table.rows, table.data.length, table.computed]).toEqual([0, 0, 0]);
  });
});

describe('describing photos ahead', () => {
  it('leaves in the cache what is asked for later', async () => {
    const cacheFolder = freshCache();
    configure({ cacheFolder });
    const ahead = describeAhead([...photos, ...photos, join(folder, 'missing.jpg')]);
    expect(ahead).not.toBeNull();
    await vi.waitFor(async () => {
      // What is being written is not there yet.
      const written = (await cacheFiles(cacheFolder)).filter((path) => path.endsWith('.bin'));
      expect(written).toHaveLength(photos.length);
    }, 240_000);
    await ahead?.end();
    const later = await computeDescriptors(photos);
    expect(later.computed).toBe(0);
    expect(later.data).toEqual(rowsOf(photos.length));
  });

  it('is ended before it is through, and leaves the rest to whoever asks', async () => {
    configure({ cacheFolder: freshCache() });
    await describeAhead([...photos, ...photos])?.end();
    expect((await computeDescriptors(photos.slice(0, 1))).computed).toBe(1);
  });

  it('is not begun for a few photos, nor where nothing is remembered', () => {
    expect(describeAhead(photos)).toBeNull();
    configure({ rememberPhotos: false });
    expect(describeAhead([...photos, ...photos])).toBeNull();
    configure({ rememberPhotos: true });
  });
});
