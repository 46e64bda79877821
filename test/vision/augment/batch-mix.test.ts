import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ShapeError } from '../../../src/ground/errors.ts';
import { randomStream } from '../../../src/ground/random.ts';
import {
  cutmixBatch,
  mixBatch,
  mixTargets,
  mixupBatch,
  type PictureBatch,
} from '../../../src/vision/augment/index.ts';

/** Every pixel of a photo's view holds the photo's number, plus a hundredth for the second view. */
function numbered(photos: number, views: number, height: number, width: number): PictureBatch {
  const length = 3 * height * width;
  const pictures = Float32Array.from({ length: photos * views * length }, (_, i) => {
    const view = Math.floor(i / length);
    return Math.floor(view / views) + (view % views) / 100;
  });
  return { pictures, photos, views, height, width };
}

const sizes = fc.record({
  photos: fc.integer({ min: 1, max: 5 }),
  views: fc.integer({ min: 1, max: 2 }),
  height: fc.integer({ min: 1, max: 9 }),
  width: fc.integer({ min: 1, max: 9 }),
  seed: fc.integer(),
});

describe('mixup', () => {
  it('gives λ of a photo and 1 − λ of its partner, the same for all its views', () => {
    fc.assert(
      fc.property(sizes, ({ photos, views, height, width, seed }) => {
        const batch = numbered(photos, views, height, width);
        const { pictures, mix } = mixupBatch(batch, 0.4, randomStream(seed));
        expect([...mix.partners].sort()).toEqual(Array.from({ length: photos }, (_, photo) => photo));
        const length = 3 * height * width;
        pictures.forEach((value, i) => {
          const view = Math.floor(i / length);
          const photo = Math.floor(view / views);
          const partner = mix.partners[photo] ?? Number.NaN;
          const expected = mix.lambda * photo + (1 - mix.lambda) * partner + (view % views) / 100;
          expect(value).toBeCloseTo(expected, 4);
        });
      }),
      { numRuns: 40 },
    );
  });
});

describe('cutmix', () => {
  it('keeps exactly the share λ of every view, the partner fills the rest', () => {
    fc.assert(
      fc.property(sizes, ({ photos, views, height, width, seed }) => {
        const batch = numbered(photos, views, height, width);
        const before = batch.pictures.slice();
        const { pictures, mix } = cutmixBatch(batch, 1, randomStream(seed));
        expect([...batch.pictures]).toEqual([...before]);
        const length = 3 * height * width;
        for (let view = 0; view < photos * views; view++) {
          const photo = Math.floor(view / views);
          const own = Math.fround(photo + (view % views) / 100);
          const other = Math.fround((mix.partners[photo] ?? Number.NaN) + (view % views) / 100);
          const values = pictures.subarray(view * length, (view + 1) * length);
          expect(values.every((value) => value === own || value === other)).toBe(true);
          const kept = values.filter((value) => value === own).length / length;
          if (own !== other) expect(kept).toBeCloseTo(mix.lambda, 10);
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe('mixing a batch', () => {
  const batch = numbered(4, 2, 6, 6);
  const settings = { probability: 0.5, mixupAlpha: 0.4, cutmixAlpha: 1 };

  it('mixes targets as pictures: the mean of an unchanging quantity is kept', () => {
    const { mix } = mixupBatch(batch, 0.4, randomStream(3));
    const targets = Float32Array.from([10, 1, 20, 2, 30, 3, 40, 4]);
    const mixed = mixTargets(targets, mix);
    mixed.forEach((value, i) => {
      const partner = mix.partners[Math.floor(i / 2)] ?? 0;
      const expected =
        mix.lambda * (targets[i] ?? 0) + (1 - mix.lambda) * (targets[partner * 2 + (i % 2)] ?? 0);
      expect(value).toBeCloseTo(expected, 4);
    });
    const sum = (values: Float32Array): number => values.reduce((total, value) => total + value, 0);
    expect(sum(mixed)).toBeCloseTo(sum(targets), 3);
  });

  it('mixes as often as told, half by mixup and half by cutmix', () => {
    const stream = randomStream(4);
    const kinds = Array.from({ length: 1000 }, () => mixBatch(batch, settings, stream).mix?.kind ?? 'none');
    const share = (kind: string): number => kinds.filter((one) => one === kind).length / 1000;
    expect(share('none')).toBeCloseTo(0.5, 1);
    expect(share('mixup')).toBeCloseTo(0.25, 1);
    expect(share('cutmix')).toBeCloseTo(0.25, 1);
  });

  it('an α of 0 rules a kind out, and the same seed mixes alike', () => {
    for (let seed = 0; seed < 20; seed++) {
      const always = { ...settings, probability: 1 };
      const kindOf = (changes: object): string | undefined =>
        mixBatch(batch, { ...always, ...changes }, randomStream(seed)).mix?.kind;
      expect(kindOf({ mixupAlpha: 0 })).toBe('cutmix');
      expect(kindOf({ cutmixAlpha: 0 })).toBe('mixup');
      expect(kindOf({ mixupAlpha: 0, cutmixAlpha: 0 })).toBeUndefined();
      expect(mixBatch(batch, always, randomStream(seed))).toEqual(
        mixBatch(batch, always, randomStream(seed)),
      );
    }
    expect(mixBatch(batch, { ...settings, probability: 0 }, randomStream(1)).pictures).toBe(batch.pictures);
  });

  it('refuses pictures of other sizes', () => {
    expect(() => mixBatch({ ...batch, views: 1 }, settings, randomStream(1))).toThrow(ShapeError);
  });
});
