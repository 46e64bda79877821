import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp, { type Sharp } from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { InputError } from '../../../src/ground/errors.ts';
import { inspectPhoto } from '../../../src/vision/photos/inspect.ts';
import { listPhotos } from '../../../src/vision/photos/list.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sward-inspect-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function plain(): Sharp {
  return sharp({ create: { width: 12, height: 6, channels: 3, background: '#448844' } });
}

describe('inspecting a photo', () => {
  it('reads the time and place of exposure', async () => {
    const path = join(folder, 'placed.jpg');
    await plain()
      .withExif({
        IFD2: { DateTimeOriginal: '2015:09:04 10:11:12' },
        IFD3: {
          GPSLatitudeRef: 'S',
          GPSLatitude: '41/1 30/1 36/1',
          GPSLongitudeRef: 'E',
          GPSLongitude: '147/1 15/1 0/1',
        },
      })
      .jpeg()
      .toFile(path);
    const facts = await inspectPhoto(path);
    expect(facts).toMatchObject({ width: 12, height: 6, orientation: 1 });
    expect(facts.takenAt?.toISOString()).toBe('2015-09-04T10:11:12.000Z');
    expect(facts.gps?.latitude).toBeCloseTo(-41.51, 6);
    expect(facts.gps?.longitude).toBeCloseTo(147.25, 6);
  });

  it('leaves out what the file does not say', async () => {
    const path = join(folder, 'bare.png');
    await plain().png().toFile(path);
    expect(await inspectPhoto(path)).toEqual({ width: 12, height: 6, orientation: 1 });
  });

  it('does not mind a malformed EXIF block', async () => {
    const path = join(folder, 'odd.jpg');
    const jpeg = await plain().jpeg().toBuffer();
    const block = Buffer.concat([Buffer.from('Exif\0\0MM\0*', 'latin1'), Buffer.alloc(9, 0xff)]);
    const marker = Buffer.from([0xff, 0xe1, 0, block.length + 2]);
    await writeFile(path, Buffer.concat([jpeg.subarray(0, 2), marker, block, jpeg.subarray(2)]));
    expect(await inspectPhoto(path)).toMatchObject({ width: 12, height: 6 });
  });
});

describe('listing photos', () => {
  it('gives the photos of a folder in the order of their names, and nothing else', async () => {
    const inside = join(folder, 'list');
    await mkdir(join(inside, 'sub.jpg'), { recursive: true });
    for (const name of ['b.JPG', 'a.jpeg', 'c.tif', 'B.png', 'd.webp', 'notes.txt', '.hidden.jpg']) {
      await writeFile(join(inside, name), 'x');
    }
    const names = (await listPhotos(inside)).map((path) => path.slice(inside.length + 1));
    expect(names).toEqual(['B.png', 'a.jpeg', 'b.JPG', 'c.tif', 'd.webp']);
  });

  it('gives a single file back', async () => {
    const path = join(folder, 'single.jpg');
    await writeFile(path, 'x');
    expect(await listPhotos(path)).toEqual([path]);
  });

  it('refuses what is not there or not named like a photo', async () => {
    const text = join(folder, 'list.csv');
    await writeFile(text, 'x');
    await expect(listPhotos(text)).rejects.toThrow(InputError);
    await expect(listPhotos(join(folder, 'nowhere'))).rejects.toThrow('no such photo or folder');
  });
});
