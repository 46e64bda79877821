import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { randomStream } from '../../../src/ground/random.ts';
import { CHANNELS, resampleByPasses } from '../../../src/vision/preprocess/passes.ts';
import { resample } from '../../../src/vision/preprocess/resample.ts';
import { resampleBySimd } from '../../../src/vision/preprocess/resample-simd.ts';
import { INTERPOLATIONS, type Interpolation, tapsOf } from '../../../src/vision/preprocess/taps.ts';
import { DISJOINT_VIEWS, viewBoxes, viewCount } from '../../../src/vision/preprocess/views.ts';

/** A picture whose pixels come from a function of column and row. */
function picture(width: number, height: number, value: (x: number, y: number) => number) {
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) data.fill(value(x, y), (y * width + x) * 3, (y * width + x) * 3 + 3);
  }
  return { width, height, data };
}

/**
 * What `Image.fromarray(pixels).resize(size, filter).tobytes()` of Pillow 13.0.0 gives of pictures of such a size: the
 * first 16 digits of its SHA-256. `pixels[y, x, c]` = (37 x + 91 y + 53 c + ⌊7xy/3⌋ + ⌊x²y/11⌋) mod 256.
 */
const PILLOW: readonly (readonly [
  source: readonly [number, number],
  size: readonly [number, number],
  Readonly<Record<Interpolation, string>>,
])[] = [
  [
    [150, 400],
    [224, 224],
    { bilinear: '9670827ac3d7390d', bicubic: 'e3b3940906a3f45c', lanczos: '0b28b59e22d5182c' },
  ],
  [
    [300, 400],
    [224, 224],
    { bilinear: 'd6f522e4d28e880d', bicubic: '5646f7b2d750ca8a', lanczos: '020bea7826748433' },
  ],
  [
    [37, 60],
    [14, 14],
    { bilinear: 'f8bd759dfabc607f', bicubic: '7c7454cfe02843ca', lanczos: '8345980347ad47cf' },
  ],
  [
    [37, 61],
    [14, 14],
    { bilinear: 'a11a2dbf3a7aa0ea', bicubic: 'cc22074c465e51bc', lanczos: '4e037cb7d36a3ea2' },
  ],
  [
    [131, 9],
    [14, 14],
    { bilinear: '1d73942c77e392b4', bicubic: '5bbce2a655f1c543', lanczos: '3c59e40314c49a3f' },
  ],
  [
    [9, 131],
    [14, 14],
    { bilinear: '94e59712057d8f5b', bicubic: '496e89ab23a0435f', lanczos: '0ec6455fe2878eab' },
  ],
  [
    [56, 400],
    [56, 56],
    { bilinear: 'a94ba6b789eb167f', bicubic: '3cbd487babee9f8c', lanczos: 'e0176224f84c3769' },
  ],
  [
    [20, 30],
    [19, 27],
    { bilinear: '7bcd372ef42b090c', bicubic: '5c9bd31b0b3c4254', lanczos: '655ec6a731bcf25e' },
  ],
];

/** The picture of {@link PILLOW}. */
function patterned([width, height]: readonly [number, number]) {
  const data = Uint8Array.from({ length: width * height * 3 }, (_, at) => {
    const [c, x, y] = [at % 3, Math.floor(at / 3) % width, Math.floor(at / 3 / width)];
    return 37 * x + 91 * y + 53 * c + Math.floor((7 * x * y) / 3) + Math.floor((x * x * y) / 11);
  });
  return { width, height, data };
}

const all = { left: 0, top: 0, right: 8, bottom: 6 };

describe('resampling', () => {
  it.each(INTERPOLATIONS)('%s leaves a picture of the same size as it is', (filter) => {
    const source = picture(8, 6, (x, y) => (x * 37 + y * 91) % 256);
    expect(resample(source, all, { width: 8, height: 6 }, filter).data).toEqual(source.data);
  });

  it.each(INTERPOLATIONS)('%s equals Pillow 13 to the last bit, lying and upright', (filter) => {
    for (const [source, [width, height], hashes] of PILLOW) {
      const box = { left: 0, top: 0, right: source[0], bottom: source[1] };
      const { data } = resample(patterned(source), box, { width, height }, filter);
      const hash = createHash('sha256').update(data).digest('hex');
      expect([source, hash.slice(0, 16)]).toEqual([source, hashes[filter]]);
    }
  });

  it.each(INTERPOLATIONS)(
    '%s gives the same bits by vectors and by numbers, smaller and larger',
    (filter) => {
      const side = fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 400 }));
      const cases = fc.record({
        width: side,
        height: side,
        toWidth: side,
        toHeight: side,
        beside: fc.integer({ min: 0, max: 9 }),
        columnsFirst: fc.boolean(),
        seed: fc.nat(),
        // Noise, or nothing but black and white, whose sums leave a byte's range.
        harsh: fc.boolean(),
      });
      fc.assert(
        fc.property(cases, ({ width, height, toWidth, toHeight, beside, columnsFirst, seed, harsh }) => {
          const stride = (width + beside) * CHANNELS;
          const random = randomStream(seed);
          const data = Uint8Array.from({ length: beside + stride * height }, () =>
            harsh ? 255 * Math.round(random.uniform()) : 256 * random.uniform(),
          );
          const part = { data, start: beside, stride, width, height };
          const passes = {
            across: tapsOf(width, toWidth, filter),
            down: tapsOf(height, toHeight, filter),
            columnsFirst,
          };
          const bySimd = resampleBySimd(part, passes);
          expect(bySimd?.length).toBe(toWidth * toHeight * CHANNELS);
          expect(Buffer.from(bySimd ?? []).equals(resampleByPasses(part, passes))).toBe(true);
        }),
        { numRuns: 60 },
      );
    },
  );

  it('does without WebAssembly where there is none', async () => {
    const box = { left: 3, top: 5, right: 60, bottom: 70 };
    const size = { width: 14, height: 15 };
    vi.resetModules();
    vi.stubGlobal('WebAssembly', undefined);
    try {
      const plain = await import('../../../src/vision/preprocess/resample.ts');
      const { data } = plain.resample(patterned([61, 72]), box, size, 'bicubic');
      expect(data).toEqual(resample(patterned([61, 72]), box, size, 'bicubic').data);
    } finally {
      vi.unstubAllGlobals();
    }
  });

  it.each(INTERPOLATIONS)('%s keeps a flat picture flat at any size', (filter) => {
    const source = picture(8, 6, () => 137);
    for (const size of [1, 3, 8, 50]) {
      const { data } = resample(source, all, { width: size, height: size }, filter);
      expect(new Set(data)).toEqual(new Set([137]));
    }
  });

  it('averages when it shrinks, so that fine stripes turn grey', () => {
    const stripes = picture(8, 6, (x) => (x % 2 === 0 ? 0 : 200));
    const [middle] = resample(stripes, all, { width: 2, height: 1 }, 'bilinear').data;
    expect(Math.abs((middle ?? 0) - 100)).toBeLessThan(10);
  });

  it('does not look outside the box', () => {
    const split = picture(8, 6, (x) => (x < 4 ? 10 : 250));
    const left = resample(split, { ...all, right: 4 }, { width: 16, height: 12 }, 'bicubic');
    expect(new Set(left.data)).toEqual(new Set([10]));
  });

  it.each(INTERPOLATIONS)('%s makes of a box what it makes of the same part cut out', (filter) => {
    const source = picture(8, 6, (x, y) => (x * 37 + y * 91) % 256);
    const cut = picture(5, 3, (x, y) => ((x + 2) * 37 + (y + 3) * 91) % 256);
    const size = { width: 4, height: 7 };
    const inside = resample(source, { left: 2, top: 3, right: 7, bottom: 6 }, size, filter);
    expect(inside).toEqual(resample(cut, { left: 0, top: 0, right: 5, bottom: 3 }, size, filter));
  });

  it('refuses a box that leaves the picture or is empty', () => {
    const source = picture(8, 6, () => 0);
    expect(() => resample(source, { ...all, right: 9 }, { width: 2, height: 2 }, 'bicubic')).toThrow(
      /does not lie/,
    );
    expect(() => resample(source, { ...all, right: 0 }, { width: 2, height: 2 }, 'bicubic')).toThrow(
      /does not lie/,
    );
    expect(() => resample(source, all, { width: 0, height: 2 }, 'bicubic')).toThrow(/cannot resize/);
  });
});

describe('views', () => {
  it('cut the competition photo into two squares and eight tiles', () => {
    expect(viewBoxes('halves', 2000, 1000)).toEqual([
      { left: 0, top: 0, right: 1000, bottom: 1000 },
      { left: 1000, top: 0, right: 2000, bottom: 1000 },
    ]);
    const tiles = viewBoxes('tiles', 2000, 1000);
    expect(tiles).toHaveLength(8);
    expect(tiles[0]).toEqual({ left: 0, top: 0, right: 500, bottom: 500 });
    expect(tiles[4]).toEqual({ left: 1000, top: 0, right: 1500, bottom: 500 });
  });

  it.each(DISJOINT_VIEWS)('%s covers every pixel once, whatever the size', (plan) => {
    const [width, height] = [13, 7];
    const boxes = viewBoxes(plan, width, height);
    expect(boxes).toHaveLength(viewCount(plan));
    const seen = new Uint8Array(width * height);
    for (const { left, top, right, bottom } of boxes) {
      for (let y = top; y < bottom; y++)
        for (let x = left; x < right; x++) seen[y * width + x] = (seen[y * width + x] ?? 0) + 1;
    }
    expect(new Set(seen)).toEqual(new Set([1]));
  });
});
