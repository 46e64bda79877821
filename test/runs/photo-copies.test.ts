import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { randomStream } from '../../src/ground/random.ts';
import { copyKeys, photoCopies } from '../../src/runs/photo-copies.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const folder = temporaryFolder('photo-copies');
const at = (name: string): string => join(folder, name);

/** A photo of coarse patches of green. */
async function patches(name: string, seed: number): Promise<void> {
  const random = randomStream(seed);
  const raw = Buffer.from(Array.from({ length: 12 * 8 * 3 }, () => 255 * random.uniform()));
  await sharp(raw, { raw: { width: 12, height: 8, channels: 3 } })
    .resize(360, 240)
    .jpeg()
    .toFile(at(name));
}

describe('copies of photos', () => {
  beforeAll(async () => {
    await patches('a.jpg', 1);
    await patches('b.jpg', 2);
    copyFileSync(at('a.jpg'), at('same.jpg'));
    await sharp(at('a.jpg')).resize(200).jpeg({ quality: 60 }).toFile(at('smaller.jpg'));
    await sharp(at('a.jpg')).modulate({ brightness: 1.1 }).png().toFile(at('brighter.png'));
    for (const [name, grey] of [
      ['flat.png', 90],
      ['flat-too.png', 120],
    ] as const) {
      await sharp({
        create: { width: 200, height: 200, channels: 3, background: { r: grey, g: grey, b: grey } },
      })
        .png()
        .toFile(at(name));
    }
    writeFileSync(at('broken.jpg'), 'no photo');
  });

  it('are known byte for byte, and resized, brightened or saved anew; other photos are none', async () => {
    const names = [
      'a.jpg',
      'b.jpg',
      'same.jpg',
      'smaller.jpg',
      'brighter.png',
      'flat.png',
      'flat-too.png',
      'broken.jpg',
    ];
    const copies = await photoCopies(names.map(at));
    expect(copies).toEqual([
      null,
      null,
      { of: 0, isExact: true },
      { of: 0, isExact: false },
      { of: 0, isExact: false },
      null,
      null,
      null,
    ]);
    expect(copyKeys(copies)).toEqual(['0', '1', '0', '0', '0', '5', '6', '7']);
    // What photos show is remembered, and is the same to the last bit.
    expect(await photoCopies(names.map(at))).toEqual(copies);
  });
});
