import { describe, expect, it } from 'vitest';
import { randomStream } from '../../../src/ground/random.ts';
import {
  augmentationPreset,
  augmentationSettings,
  augmentPixels,
  OPERATION_NAMES,
  type OperationName,
} from '../../../src/vision/augment/index.ts';
import type { Pixels } from '../../../src/vision/photos/pixels.ts';
import { meadow, picture } from '../descriptors/pictures.ts';

const photo = meadow(60, 1, 96, 96);

/** The picture with one operation for certain. */
function withOperation(name: OperationName, pixels: Pixels, seed = 1, ranges: object = {}): Pixels {
  const settings = augmentationSettings.parse({ [name]: { probability: 1, ...ranges } });
  const { pixels: result, applied } = augmentPixels(pixels, settings, randomStream(seed));
  expect(applied).toHaveLength(1);
  return result;
}

describe('augmenting a picture', () => {
  it('does nothing at probability 0', () => {
    const { pixels, applied } = augmentPixels(photo, augmentationPreset('none'), randomStream(1));
    expect(pixels).toBe(photo);
    expect(applied).toEqual([]);
  });

  it.each(OPERATION_NAMES)(
    '%s keeps the size, leaves its input alone and repeats itself for a seed',
    (name) => {
      for (const [width, height] of [
        [48, 48],
        [64, 32],
        [5, 3],
        [1, 1],
      ] as const) {
        const pixels = meadow(20, 2, width, height);
        const before = pixels.data.slice();
        const once = withOperation(name, pixels, 7);
        const again = withOperation(name, pixels, 7);
        expect([...pixels.data]).toEqual([...before]);
        expect(once.data.length).toBe(pixels.data.length);
        expect([once.width, once.height].sort()).toEqual([width, height].sort());
        expect([...again.data]).toEqual([...once.data]);
      }
    },
  );

  it('never writes into the memory of a picture that came as a Buffer', () => {
    const buffer = { ...photo, data: Buffer.from(photo.data) };
    for (const name of OPERATION_NAMES) withOperation(name, buffer, 3);
    expect([...buffer.data]).toEqual([...photo.data]);
  });

  it('draws anew for each picture from one stream, and alike from streams of one seed', () => {
    const heavy = augmentationPreset('heavy');
    const stream = randomStream(5);
    const drawn = Array.from({ length: 30 }, () => augmentPixels(photo, heavy, stream).applied.join());
    const repeated = randomStream(5);
    expect(Array.from({ length: 30 }, () => augmentPixels(photo, heavy, repeated).applied.join())).toEqual(
      drawn,
    );
    expect(new Set(drawn).size).toBeGreaterThan(15);
  });

  it('leaves the draws of other operations as they were when one is switched off', () => {
    const both = { horizontalFlip: { probability: 1 }, hue: { probability: 1 } };
    const applied = (settings: object): readonly string[] =>
      augmentPixels(photo, augmentationSettings.parse(settings), randomStream(8)).applied;
    expect(applied({ hue: both.hue })).toEqual(applied(both).slice(1));
  });

  it('applies each operation as often as its probability says', () => {
    const tiny = meadow(1, 1, 4, 4);
    const settings = augmentationSettings.parse({ verticalFlip: { probability: 0.3 } });
    const stream = randomStream(9);
    let count = 0;
    for (let i = 0; i < 2000; i++) count += augmentPixels(tiny, settings, stream).applied.length;
    expect(count / 2000).toBeGreaterThan(0.26);
    expect(count / 2000).toBeLessThan(0.34);
  });

  it('applies one member of a group, by weight, as often as the group says', () => {
    const tiny = meadow(1, 1, 4, 4);
    const settings = augmentationSettings.parse({
      brightness: { probability: 1 },
      contrast: { probability: 3 / 4 },
      hue: { probability: 1 / 4 },
      oneOf: [{ probability: 0.5, among: ['brightness', 'contrast', 'hue'] }],
    });
    const stream = randomStream(10);
    const counts = new Map<string, number>();
    for (let i = 0; i < 2000; i++) {
      const { applied } = augmentPixels(tiny, settings, stream);
      expect(applied.length).toBeLessThanOrEqual(1);
      const name = applied[0]?.split(' ')[0] ?? 'none';
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    const share = (name: string): number => (counts.get(name) ?? 0) / 2000;
    expect(share('none')).toBeCloseTo(0.5, 1);
    expect(Math.abs(share('brightness') - 0.25)).toBeLessThan(0.04);
    expect(Math.abs(share('contrast') - 0.1875)).toBeLessThan(0.04);
    expect(Math.abs(share('hue') - 0.0625)).toBeLessThan(0.03);
  });

  it('drops as much as its holes cover, and no more', () => {
    const white = picture(100, 100, () => [255, 255, 255]);
    const ranges = { holes: 1, side: 0.2 };
    const black = withOperation('coarseDropout', white, 4, ranges).data.filter((value) => value === 0);
    expect(black.length).toBe(20 * 20 * 3);
    const grey = picture(100, 100, (x) => (x < 50 ? [40, 80, 120] : [60, 100, 140]));
    const filled = withOperation('coarseDropout', grey, 4, { ...ranges, fill: 'mean' });
    const changed: number[] = [];
    filled.data.forEach((value, index) => {
      if (value !== grey.data[index]) changed.push(value);
    });
    expect([...new Set(changed)].sort((a, b) => a - b)).toEqual([50, 90, 130]);
    expect(changed).toHaveLength(20 * 20 * 3);
    for (let seed = 0; seed < 20; seed++) {
      const dropped =
        withOperation('coarseDropout', white, seed).data.filter((value) => value === 0).length / 3;
      expect(dropped).toBeGreaterThan(0);
      expect(dropped).toBeLessThanOrEqual(8 * 7 * 7);
    }
  });
});
