import { describe, expect, it } from 'vitest';
import { randomStream } from '../../../src/ground/random.ts';
import { gaussianBlurred, motionBlurred } from '../../../src/vision/augment/blur.ts';
import {
  brightened,
  meanLuma,
  saturated,
  shiftedInHsv,
  withContrast,
  withHueTurned,
} from '../../../src/vision/augment/colour.ts';
import { withNoise } from '../../../src/vision/augment/noise.ts';
import type { Pixels } from '../../../src/vision/photos/pixels.ts';
import { meadow, picture, plain } from '../descriptors/pictures.ts';

const photo = meadow(80, 6, 80, 80);

function largestDifference(one: Pixels, other: Pixels): number {
  return one.data.reduce((most, value, i) => Math.max(most, Math.abs(value - (other.data[i] ?? 0))), 0);
}

/** Standard deviation over all values. */
function spread({ data }: Pixels): number {
  const mean = data.reduce((sum, value) => sum + value, 0) / data.length;
  return Math.sqrt(data.reduce((sum, value) => sum + (value - mean) ** 2, 0) / data.length);
}

describe('colour operations', () => {
  it('do nothing at their neutral values', () => {
    const neutral = { hue: 0, saturation: 0, value: 0 };
    for (const same of [
      brightened(photo, 1),
      withContrast(photo, 1),
      saturated(photo, 1),
      withHueTurned(photo, 0),
      withHueTurned(photo, 1),
      shiftedInHsv(photo, neutral),
    ]) {
      expect(largestDifference(same, photo)).toBeLessThanOrEqual(1);
    }
  });

  it('brightness moves the mean by its factor, contrast keeps it and moves the spread', () => {
    const mean = meanLuma(photo);
    for (const factor of [0.8, 1.1]) {
      expect(meanLuma(brightened(photo, factor))).toBeCloseTo(mean * factor, 0);
      expect(meanLuma(withContrast(photo, factor))).toBeCloseTo(mean, 0);
      expect(spread(withContrast(photo, factor)) / spread(photo)).toBeCloseTo(factor, 1);
    }
  });

  it('hue turns colours and keeps luma; a third of a turn leads red towards green', () => {
    for (const turn of [-0.05, 0.05, 0.12]) {
      const result = withHueTurned(photo, turn);
      expect(meanLuma(result)).toBeCloseTo(meanLuma(photo), 0);
      expect(largestDifference(result, photo)).toBeGreaterThan(5);
    }
    const [red = 0, green = 0] = withHueTurned(plain([150, 90, 90], 1, 1), 1 / 3).data;
    expect(green).toBeGreaterThan(red);
    expect([...withHueTurned(plain([90, 90, 90], 1, 1), 0.2).data]).toEqual([90, 90, 90]);
  });

  it('saturation 0 is grey of the same luma', () => {
    const grey = saturated(photo, 0);
    for (let i = 0; i < grey.data.length; i += 3) {
      expect(grey.data[i]).toBe(grey.data[i + 1]);
      expect(grey.data[i]).toBe(grey.data[i + 2]);
    }
    expect(meanLuma(grey)).toBeCloseTo(meanLuma(photo), 0);
  });

  it('shifts in HSV by hand', () => {
    const red = plain([200, 0, 0], 1, 1);
    expect([...shiftedInHsv(red, { hue: 120, saturation: 0, value: 0 }).data]).toEqual([0, 200, 0]);
    expect([...shiftedInHsv(red, { hue: -60, saturation: 0, value: 20 }).data]).toEqual([220, 0, 220]);
    // Saturation 255 − 51 = 204: the other channels rise to a fifth.
    expect([...shiftedInHsv(red, { hue: 0, saturation: -51, value: 0 }).data]).toEqual([200, 40, 40]);
    const grey = plain([120, 120, 120], 1, 1);
    expect([...shiftedInHsv(grey, { hue: 20, saturation: 20, value: -20 }).data]).toEqual([100, 100, 100]);
    expect([...shiftedInHsv(plain([0, 0, 0], 1, 1), { hue: 9, saturation: 9, value: 0 }).data]).toEqual([
      0, 0, 0,
    ]);
  });
});

describe('noise and blur', () => {
  it('noise has the deviation asked for and no bias', () => {
    const grey = plain([128, 128, 128], 120, 120);
    const noisy = withNoise(grey, 6, randomStream(3));
    expect(spread(noisy)).toBeCloseTo(6, 0);
    expect(meanLuma(noisy)).toBeCloseTo(128, 0);
  });

  it('blurs leave one colour alone and spread a dot without losing light', () => {
    const grey = plain([50, 100, 200], 9, 5);
    const dot = picture(41, 41, (x, y) =>
      x >= 19 && x <= 21 && y >= 19 && y <= 21 ? [240, 240, 240] : [0, 0, 0],
    );
    const light = ({ data }: Pixels): number => data.reduce((sum, value) => sum + value, 0);
    const lit = ({ data }: Pixels): number => data.filter((value) => value > 8).length;
    for (const blur of [
      (pixels: Pixels) => gaussianBlurred(pixels, 1.1),
      (pixels: Pixels) => gaussianBlurred(pixels, 5),
      (pixels: Pixels) => motionBlurred(pixels, 5, 0),
      (pixels: Pixels) => motionBlurred(pixels, 7.5, 33),
    ]) {
      expect(largestDifference(blur(grey), grey)).toBeLessThanOrEqual(1);
      expect(light(blur(dot)) / light(dot)).toBeCloseTo(1, 1);
      expect(lit(blur(dot))).toBeGreaterThan(lit(dot));
    }
  });

  it('motion blurs along its direction only', () => {
    const line = picture(31, 31, (_, y) => (y === 15 ? [255, 255, 255] : [0, 0, 0]));
    expect([...motionBlurred(line, 9, 0).data]).toEqual([...line.data]);
    expect(motionBlurred(line, 9, 90).data.filter((value) => value > 0).length).toBeGreaterThan(31 * 3 * 8);
    expect([...motionBlurred(line, 1, 45).data]).toEqual([...line.data]);
  });
});
