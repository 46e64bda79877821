import { describe, expect, it } from 'vitest';
import { randomStream } from '../../../src/ground/random.ts';
import {
  DESCRIPTOR_NAMES,
  DESCRIPTOR_VIEWS,
  describePhoto,
  viewColumns,
} from '../../../src/vision/descriptors/describe.ts';
import type { Pixels } from '../../../src/vision/photos/pixels.ts';
import { meadow, mirrored, picture, plain, stamped, turned, withBlades } from './pictures.ts';

/** Describes a photo once; the result gives any descriptor by name. */
function measured(photo: Pixels): (name: string) => number {
  const values = describePhoto(photo);
  return (name) => {
    const index = DESCRIPTOR_NAMES.indexOf(name);
    expect(index, name).toBeGreaterThanOrEqual(0);
    return values[index] ?? Number.NaN;
  };
}

function value(photo: Pixels, name: string): number {
  return measured(photo)(name);
}

/** Largest difference of two vectors, each value over the scale it has on swards (at least 0.01). */
function distance(one: Float64Array, other: Float64Array): number {
  return Math.max(...one.map((number, i) => Math.abs(number - (other[i] ?? 0)) / (Math.abs(number) + 0.01)));
}

describe('describing a photo', () => {
  it('gives one value for each name, and no name twice', () => {
    expect(describePhoto(meadow(200, 1)).length).toBe(DESCRIPTOR_NAMES.length);
    expect(new Set(DESCRIPTOR_NAMES).size).toBe(DESCRIPTOR_NAMES.length);
  });

  it('has views made of its own descriptors, none twice', () => {
    for (const view of Object.keys(DESCRIPTOR_VIEWS) as (keyof typeof DESCRIPTOR_VIEWS)[]) {
      const columns = viewColumns(view);
      expect(columns.length).toBe(DESCRIPTOR_VIEWS[view].length);
      expect(columns.every((column) => column >= 0)).toBe(true);
      expect(new Set(columns).size).toBe(columns.length);
    }
  });

  it('is finite on black, white, single-colour, noise and tiny pictures', () => {
    const random = randomStream(3);
    const noise = (width: number, height: number): Pixels =>
      picture(width, height, () => [random.integer(256), random.integer(256), random.integer(256)]);
    const odd = [
      plain([0, 0, 0]),
      plain([255, 255, 255]),
      plain([0, 255, 0]),
      plain([1, 0, 0]),
      noise(700, 300),
      noise(1, 1),
      noise(2, 3),
      noise(1, 500),
    ];
    for (const photo of odd) {
      expect(
        describePhoto(photo).every((number) => Number.isFinite(number)),
        `${photo.width}×${photo.height}`,
      ).toBe(true);
    }
  });

  it('is the same twice', () => {
    expect(describePhoto(meadow(300, 5))).toEqual(describePhoto(meadow(300, 5)));
  });

  it('does not change in a mirror', () => {
    const photo = meadow(400, 7, 1000, 500);
    expect(distance(describePhoto(photo), describePhoto(mirrored(photo)))).toBeLessThan(1e-3);
  });

  it('turns an upright photo to lie as the quadrat does', () => {
    const photo = meadow(400, 8);
    const lying = describePhoto(photo);
    expect(distance(lying, describePhoto(turned(photo)))).toBeLessThan(1e-3);
    expect(distance(lying, describePhoto(turned(turned(photo))))).toBeLessThan(1e-3);
  });

  it('hardly depends on how many pixels show the same ground', () => {
    const photo = meadow(6000, 9, 2800, 1216);
    const half = picture(1400, 608, (x, y) => {
      const sums = [0, 1, 2].map((band) =>
        [0, 1].reduce(
          (sum, dy) =>
            sum +
            [0, 1].reduce((s, dx) => s + (photo.data[((2 * y + dy) * 2800 + 2 * x + dx) * 3 + band] ?? 0), 0),
          0,
        ),
      );
      const [r = 0, g = 0, b = 0] = sums.map((sum) => Math.round(sum / 4));
      return [r, g, b];
    });
    const of = { whole: measured(photo), half: measured(half) };
    for (const name of ['cover.green', 'exg.mean', 'lab-l.mean', 'scatter-first.2', 'contrast-fine.a']) {
      const whole = of.whole(name);
      expect(Math.abs(of.half(name) - whole), name).toBeLessThan(0.05 * Math.abs(whole));
    }
  });
});

describe('what descriptors say', () => {
  it('sees more green cover where there are more blades', () => {
    const covers = [20, 150, 600].map((blades) => value(meadow(blades, 11), 'cover.green'));
    expect(covers[1]).toBeGreaterThan((covers[0] ?? 1) + 0.1);
    expect(covers[2]).toBeGreaterThan((covers[1] ?? 1) + 0.1);
  });

  it('tells straw, soil and leaf apart', () => {
    expect(value(plain([190, 170, 110]), 'cover.brown')).toBeGreaterThan(0.8);
    expect(value(plain([120, 118, 115]), 'cover.bare')).toBeGreaterThan(0.8);
    expect(value(plain([70, 130, 50]), 'cover.green')).toBeGreaterThan(0.9);
  });

  it('finds blades more streaky and discs rounder', () => {
    const random = randomStream(2);
    const centres = Array.from({ length: 250 }, () => [700 * random.uniform(), 300 * random.uniform()]);
    const discs = plain([60, 50, 40]);
    for (const [cx = 0, cy = 0] of centres) {
      for (let y = Math.max(0, Math.ceil(cy - 7)); y < Math.min(300, cy + 7); y++) {
        for (let x = Math.max(0, Math.ceil(cx - 7)); x < Math.min(700, cx + 7); x++) {
          if (Math.hypot(x - cx, y - cy) < 7) discs.data.set([90, 170, 60], (y * 700 + x) * 3);
        }
      }
    }
    const round = measured(discs);
    const straight = measured(withBlades(plain([60, 50, 40]), 150, 13));
    expect(straight('streak2.coherence-wide')).toBeGreaterThan(round('streak2.coherence-wide'));
    expect(round('blob-light3.bright-round')).toBeGreaterThan(straight('blob-light3.bright-round'));
  });

  it('sees no exposure in relative light, contrast and patterns', () => {
    const photo = meadow(300, 14);
    const bright = measured(photo);
    const dark = measured({ ...photo, data: photo.data.map((level) => Math.round(level * 0.7)) });
    for (const name of [
      'light.q10',
      'light.q90',
      'band-light2.log-sd',
      'streak2.coherence',
      'contrast-fine.a',
    ]) {
      expect(dark(name), name).toBeCloseTo(bright(name), 1);
    }
  });

  it('measures both halves and how far they are apart', () => {
    const photo = picture(700, 300, (x) => (x < 350 ? [70, 140, 50] : [190, 170, 110]));
    const split = measured(photo);
    expect(split('halves-green.both')).toBeCloseTo(0.5, 1);
    expect(split('halves-green.apart')).toBeGreaterThan(0.85);
    expect(value(plain([70, 140, 50]), 'halves-green.apart')).toBeCloseTo(0, 6);
  });
});

describe('an orange date stamp', () => {
  it('changes the descriptors far less than another photo of the same sward does', () => {
    const photo = meadow(500, 15, 2000, 1000);
    const clean = describePhoto(photo);
    const withStamp = describePhoto(stamped(photo));
    const other = describePhoto(meadow(500, 16, 2000, 1000));
    const scale = clean.map((number, i) => Math.abs(number - (other[i] ?? 0)) + 0.02);
    const shifts = withStamp.map((number, i) => Math.abs(number - (clean[i] ?? 0)) / (scale[i] ?? 1));
    expect(shifts.reduce((sum, shift) => sum + shift, 0) / shifts.length).toBeLessThan(0.25);
  });

  it('leaves no saturated orange behind', () => {
    const photo = plain([70, 130, 50], 2000, 1000);
    expect(distance(describePhoto(photo), describePhoto(stamped(photo)))).toBeLessThan(1e-6);
  });
});
