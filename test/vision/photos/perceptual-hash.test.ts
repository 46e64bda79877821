import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp, { type Sharp } from 'sharp';
import { describe, expect, it } from 'vitest';
import { decodePhoto } from '../../../src/vision/photos/decode.ts';
import {
  type PerceptualHash,
  perceptualDistance,
  perceptualHash,
} from '../../../src/vision/photos/perceptual-hash.ts';
import { photoFrom } from '../../../src/vision/photos/photo.ts';

const hashOf = async (bytes: Uint8Array): Promise<PerceptualHash> =>
  perceptualHash(await decodePhoto(photoFrom('photo', bytes)));

/** Bits below which two photos count as one. */
const COPY = 10;

const COPIES: Readonly<Record<string, (photo: Sharp) => Sharp>> = {
  recompressed: (photo) => photo.jpeg({ quality: 40 }),
  'half as wide': (photo) => photo.resize({ width: 500 }).jpeg(),
  'three times as wide': (photo) => photo.resize({ width: 3000 }).jpeg(),
  'another format': (photo) => photo.webp({ quality: 50 }),
  brighter: (photo) => photo.modulate({ brightness: 1.15 }).jpeg(),
};

/** Blobs of brightness where a seed puts them. */
function blobs(seed: number): Sharp {
  const [width, height] = [400, 200];
  const data = Buffer.alloc(width * height * 3);
  for (let pixel = 0; pixel < width * height; pixel++) {
    const [x, y] = [(pixel % width) / width, Math.floor(pixel / width) / height];
    const wave = (n: number): number =>
      Math.sin(seed * n * 1.7 + n * (x * 5 + seed) + (n % 3) * y * 7 * seed);
    data.fill(128 + 20 * (wave(1) + wave(2) + wave(3) + wave(5)), pixel * 3, pixel * 3 + 3);
  }
  return sharp(data, { raw: { width, height, channels: 3 } });
}

describe('the hash of what a photo shows', () => {
  it.each(Object.keys(COPIES))('is nearly that of a copy: %s', async (name) => {
    for (const seed of [1, 2, 3]) {
      const hash = await hashOf(await blobs(seed).png().toBuffer());
      const copy = COPIES[name]?.(sharp(await blobs(seed).png().toBuffer())) as Sharp;
      expect(perceptualDistance(hash, await hashOf(await copy.toBuffer()))).toBeLessThanOrEqual(COPY);
    }
  });

  it('is another of another photo', async () => {
    const hashes = await Promise.all([1, 2, 3, 4].map(async (s) => hashOf(await blobs(s).png().toBuffer())));
    hashes.forEach((one, index) => {
      for (const other of hashes.slice(index + 1)) {
        expect(perceptualDistance(one, other)).toBeGreaterThan(COPY);
      }
    });
  });

  it('is of 64 bits, also of a picture smaller than its grid or of one colour', async () => {
    const plain = sharp({ create: { width: 5, height: 3, channels: 3, background: '#448844' } });
    expect(await hashOf(await plain.png().toBuffer())).toEqual([2 ** 31, 0]);
    expect(perceptualDistance([0, 0], [2 ** 32 - 1, 2 ** 32 - 1])).toBe(64);
    expect(perceptualDistance([2 ** 31, 5], [0, 4])).toBe(2);
    expect(perceptualDistance([5, 2 ** 31], [5, 2 ** 31])).toBe(0);
  });
});

const csiro = join(process.env.SWARD_SHARED ?? '../shared', 'csiro', 'train');

describe.skipIf(!existsSync(csiro))('the hashes of photos of quadrats', () => {
  it('tell copies from other photos', async () => {
    const names = readdirSync(csiro).filter((name) => name.endsWith('.jpg'));
    const hashes = await Promise.all(names.map((name) => hashOf(readFileSync(join(csiro, name)))));
    const between = hashes.flatMap((one, index) =>
      hashes.slice(index + 1).map((other) => perceptualDistance(one, other)),
    );
    expect(names.length).toBeGreaterThan(80);
    expect(Math.min(...between)).toBeGreaterThan(COPY + 4);
    for (const [index, name] of names.slice(0, 6).entries()) {
      for (const copied of Object.values(COPIES)) {
        const copy = await copied(sharp(readFileSync(join(csiro, name)))).toBuffer();
        expect(perceptualDistance(hashes[index] as PerceptualHash, await hashOf(copy))).toBeLessThanOrEqual(
          6,
        );
      }
    }
  });
});
