import { describe, expect, it } from 'vitest';
import { INTERPOLATIONS, resample } from '../../../src/vision/preprocess/resample.ts';
import { DISJOINT_VIEWS, viewBoxes, viewCount } from '../../../src/vision/preprocess/views.ts';

/** A picture whose pixels come from a function of column and row. */
function picture(width: number, height: number, value: (x: number, y: number) => number) {
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) data.fill(value(x, y), (y * width + x) * 3, (y * width + x) * 3 + 3);
  }
  return { width, height, data };
}

const all = { left: 0, top: 0, right: 8, bottom: 6 };

describe('resampling', () => {
  it.each(INTERPOLATIONS)('%s leaves a picture of the same size as it is', (filter) => {
    const source = picture(8, 6, (x, y) => (x * 37 + y * 91) % 256);
    expect(resample(source, all, { width: 8, height: 6 }, filter).data).toEqual(source.data);
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
