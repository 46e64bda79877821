import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { renderSample } from '../../../src/sample/index.ts';
import { findFrame, LOOKED_AT } from '../../../src/vision/framing/index.ts';
import { decodePhoto, type Pixels, photoFrom, type Quadrilateral } from '../../../src/vision/photos/index.ts';
import {
  cornerError,
  DISTRACTORS,
  framedScene,
  intersectionOverUnion,
  type SceneOptions,
} from '../../support/framed-scenes.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const SCENES = 24;
const SIZE = { width: 800, height: 600 };

const folder = temporaryFolder('find-frame');
let swards: Pixels[] = [];
let photos: string[] = [];

beforeAll(async () => {
  const out = join(folder, 'sample');
  await renderSample({ out, count: 10, testCount: 1, seed: 5, width: 820 });
  photos = readdirSync(join(out, 'train')).map((name) => join(out, 'train', name));
  swards = await Promise.all(photos.map((path) => decodePhoto(path)));
});
afterAll(() => {
  swards = [];
});

/** A frame as it is found in a photo, in the photo's own pixels. */
async function foundIn(photo: Pixels): Promise<Quadrilateral | null> {
  const { data, width, height } = photo;
  const jpeg = await sharp(data, { raw: { width, height, channels: 3 } })
    .jpeg({ quality: 80 })
    .toBuffer();
  const shrunk = await decodePhoto(photoFrom('scene.jpg', jpeg), { maxPixels: LOOKED_AT });
  const scale = width / shrunk.width;
  const found = findFrame(shrunk);
  return found && (found.map(({ x, y }) => ({ x: x * scale, y: y * scale })) as unknown as Quadrilateral);
}

async function look(seed: number, options: Partial<SceneOptions> = {}) {
  const scene = framedScene(seed, swards, { ...SIZE, ...options });
  return { ...scene, seed, found: await foundIn(scene.pixels) };
}

describe('findFrame', () => {
  it('finds nearly every frame of pipe, bar or board, overgrown, aslant, in shade, and none elsewhere', async () => {
    const looked = [];
    for (let seed = 1; seed <= SCENES; seed++) looked.push(await look(seed, { hardness: (seed % 8) / 10 }));
    const found = looked.flatMap(({ corners, found, told }) =>
      corners && found
        ? [
            {
              told,
              error: cornerError(found, corners, SIZE),
              overlap: intersectionOverUnion(found, corners),
            },
          ]
        : [],
    );
    expect(found.length, 'frames found').toBeGreaterThanOrEqual(SCENES - 2);
    for (const { told, error, overlap } of found) {
      expect(error, told).toBeLessThan(0.02);
      expect(overlap, told).toBeGreaterThan(0.9);
    }
    const overlaps = found.map(({ overlap }) => overlap).sort((a, b) => a - b);
    expect(overlaps[Math.floor(overlaps.length / 2)]).toBeGreaterThan(0.97);
  });

  it('finds none where a card, a tape measure, wires, a boot or shadows lie and no frame', async () => {
    for (let seed = 1; seed <= 8; seed++) {
      const { found, told } = await look(seed, { hasFrame: false, distractors: DISTRACTORS });
      expect(found, told).toBeNull();
    }
  });

  it('finds none in photos of the inside of a quadrat', async () => {
    for (const path of photos) {
      expect(findFrame(await decodePhoto(path, { maxPixels: LOOKED_AT })), path).toBeNull();
    }
  });

  it.each([
    ['of one colour', () => [90, 120, 60]],
    ['of stripes', (x: number) => (x % 40 < 20 ? [200, 200, 200] : [60, 90, 40])],
    [
      'of a chessboard',
      (x: number, y: number) => (((x >> 6) + (y >> 6)) % 2 ? [230, 230, 230] : [20, 20, 20]),
    ],
    ['of black', () => [0, 0, 0]],
  ] as const)('answers for a picture %s', (_, colour: (x: number, y: number) => readonly number[]) => {
    const data = new Uint8Array(400 * 300 * 3);
    for (let y = 0; y < 300; y++) {
      for (let x = 0; x < 400; x++) data.set(colour(x, y), 3 * (y * 400 + x));
    }
    expect(findFrame({ width: 400, height: 300, data })).toBeNull();
  });

  it('answers for pictures of a few pixels', () => {
    for (const side of [1, 2, 3, 8]) {
      expect(findFrame({ width: side, height: side, data: new Uint8Array(side * side * 3) })).toBeNull();
    }
  });

  it('gives the same corners every time', async () => {
    const { pixels } = framedScene(2, swards, { ...SIZE, hardness: 0.3 });
    expect(await foundIn(pixels)).toEqual(await foundIn(pixels));
  });
});
