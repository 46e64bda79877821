import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../../src/ground/errors.ts';
import { decodePhoto } from '../../../src/vision/photos/decode.ts';
import { findPhotos, listPhotos } from '../../../src/vision/photos/list.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const root = temporaryFolder('list');

function folderOf(name: string, files: readonly string[]): string {
  const folder = join(root, name);
  mkdirSync(folder);
  for (const file of files) writeFileSync(join(folder, file), 'x');
  return folder;
}

const namesIn = (folder: string, paths: readonly string[]): string[] =>
  paths.map((path) => path.slice(folder.length + 1));

describe('photos of one name', () => {
  it('in several folders are told apart by their paths; others keep their names', async () => {
    const parts = ['farm', 'farm/north', 'farm/south', 'farm/south/wet'].map((name) => folderOf(name, []));
    for (const folder of parts.slice(1)) writeFileSync(join(folder, 'IMG_1.jpg'), 'x');
    writeFileSync(join(root, 'farm/north/ID7.jpg'), 'x');
    const found = await findPhotos(parts.slice(1));
    expect(found.map(({ imageId, shownPath }) => [imageId, shownPath])).toEqual([
      ['ID7', 'ID7.jpg'],
      ['north/IMG_1', 'north/IMG_1.jpg'],
      ['south/IMG_1', 'south/IMG_1.jpg'],
      ['south/wet/IMG_1', 'south/wet/IMG_1.jpg'],
    ]);
  });

  it('in one folder are refused, and the same photo given twice is one', async () => {
    const folder = folderOf('twice', ['a.jpg', 'a.png']);
    await expect(findPhotos([folder])).rejects.toThrow(/a\.png: has the same id a as .*a\.jpg; rename/);
    const path = join(folder, 'a.jpg');
    expect((await findPhotos([path, join(folder, '..', 'twice', 'a.jpg')])).length).toBe(1);
  });
});

describe('listing photos', () => {
  it('gives the photos of a folder in the order of their names, and says what else is there', async () => {
    const photos = ['B.png', 'a.jpeg', 'b.JPG', 'c.tif', 'd.webp', 'e.HEIC', 'f.jfif', 'g.bmp', 'h.avif'];
    const others = ['notes.txt', 'IMG_1.MOV', 'IMG_2.mov', 'LICENCE', '.hidden.jpg', '.DS_Store'];
    const folder = folderOf('mixed', [...photos, ...others]);
    mkdirSync(join(folder, 'sub.jpg'));
    const listed = await listPhotos(folder);
    expect(namesIn(folder, listed.photos)).toEqual(photos);
    expect(listed.leftOut).toBe(
      '2 .mov, 1 .txt, 1 without an ending (not named like photos), 1 folder (not searched)',
    );
    expect((await listPhotos(folderOf('plain', ['a.jpg', '.x']))).leftOut).toBeNull();
  });

  it('takes a single file for what its first bytes say, whatever it is called', async () => {
    const png = await sharp({ create: { width: 4, height: 4, channels: 3, background: '#448844' } })
      .png()
      .toBuffer();
    for (const name of ['IMG_1', 'IMG_1.jpg', 'IMG_1.dat']) {
      const path = join(root, name);
      writeFileSync(path, png);
      expect(await listPhotos(path)).toEqual({ photos: [path], leftOut: null });
      expect((await decodePhoto(path)).width).toBe(4);
    }
    const text = join(root, 'list.csv');
    writeFileSync(text, 'sample_id,target\n');
    await expect(listPhotos(text)).rejects.toThrow(/list.csv: is not a photo; give JPEG, PNG/);
    await expect(listPhotos(join(root, 'nowhere'))).rejects.toThrow('no such photo or folder');
  });
});

describe('finding photos', () => {
  it('says of each folder what is left out, and is an error where no photo is', async () => {
    const some = folderOf('some', ['a.jpg', 'b.mov']);
    const none = folderOf('none', ['c.mov', 'd.mov', 'e.txt']);
    const lines: string[] = [];
    const found = await findPhotos([some, none], (line) => lines.push(line));
    expect(found.map(({ imageId }) => imageId)).toEqual(['a']);
    expect(lines).toEqual([
      `${some}: left out: 1 .mov (not named like photos)`,
      `${none}: there is no photo in it (left out: 2 .mov, 1 .txt (not named like photos))`,
    ]);
    const failure = await findPhotos([none]).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(InputError);
    expect((failure as InputError).message).toMatch(
      /none: there is no photo in it \(left out: 2 .mov, 1 .txt/,
    );
  });

  it('calls a photo by its name in the folder, or by its path as given, never by an absolute one', async () => {
    const folder = folderOf('shown', ['a.jpg', 'b.jpg']);
    const shown = async (paths: string[]): Promise<string[]> =>
      (await findPhotos(paths)).map(({ shownPath }) => shownPath);
    expect(await shown([folder])).toEqual(['a.jpg', 'b.jpg']);
    expect(await shown([join(folder, 'b.jpg')])).toEqual(['b.jpg']);
    const before = process.cwd();
    process.chdir(root);
    try {
      expect(await shown(['shown/b.jpg', './shown'])).toEqual(['b.jpg', 'a.jpg'].sort().reverse());
    } finally {
      process.chdir(before);
    }
  });
});

describe('what never ends', () => {
  const folder = join(root, 'endless');
  mkdirSync(folder);

  it.skipIf(process.platform === 'win32')('is refused before it is read', { timeout: 20_000 }, async () => {
    execFileSync('mkfifo', [join(folder, 'pipe.jpg')]);
    symlinkSync('/dev/zero', join(folder, 'zero.jpg'));
    const server = createServer().listen(join(folder, 'socket.jpg'));
    await new Promise((listening) => server.once('listening', listening));
    try {
      for (const [name, kind] of [
        ['pipe', 'named pipe'],
        ['zero', 'device'],
        ['socket', 'socket'],
      ]) {
        const path = join(folder, `${name}.jpg`);
        for (const ask of [listPhotos, decodePhoto]) {
          await expect(ask(path)).rejects.toThrow(`${path}: is a ${kind}, not a file; copy the photo`);
        }
      }
      // In a folder they are named like photos: told of when they are read, as any that cannot be.
      expect((await listPhotos(folder)).photos).toHaveLength(3);
    } finally {
      server.close();
    }
  });

  it.skipIf(process.platform !== 'linux')('is refused as a file of the system', async () => {
    await expect(decodePhoto('/proc/kmsg')).rejects.toThrow(InputError);
  });

  it('is refused as a file that is too large', async () => {
    const path = join(folder, 'large.jpg');
    writeFileSync(path, '');
    truncateSync(path, 600 * 2 ** 20);
    await expect(decodePhoto(path)).rejects.toThrow('the file has 600 MiB, the limit is 512');
  });
});
