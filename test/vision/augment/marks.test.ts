import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { randomStream } from '../../../src/ground/random.ts';
import { drawDateStamp, withDateStamp } from '../../../src/vision/augment/date-stamp.ts';
import { inpainted } from '../../../src/vision/augment/inpaint.ts';
import { withoutDateStamp, withoutRedDots } from '../../../src/vision/augment/mark-removal.ts';
import { grown, patchesOf } from '../../../src/vision/augment/mask.ts';
import { drawRedDots, withRedDots } from '../../../src/vision/augment/red-dots.ts';
import { decodePhoto, type Pixels } from '../../../src/vision/photos/index.ts';
import { meadow, picture, plain, stamped } from '../descriptors/pictures.ts';

/** Places whose colour fulfils a test. */
function places({ data }: Pixels, test: (r: number, g: number, b: number) => boolean): Set<number> {
  const found = new Set<number>();
  for (let i = 0; i < data.length; i += 3) {
    if (test(data[i] ?? 0, data[i + 1] ?? 0, data[i + 2] ?? 0)) found.add(i / 3);
  }
  return found;
}

/** The usual HSV rule for a printed date (OpenCV: H 5–25, S and V 150–255). */
function isOrange(r: number, g: number, b: number): boolean {
  const chroma = Math.max(r, g, b) - Math.min(r, g, b);
  const hue = r >= g && g >= b && chroma > 0 ? (30 * (g - b)) / chroma : Number.NaN;
  return hue >= 5 && hue <= 25 && r >= 150 && chroma / r >= 150 / 255;
}

function isGlowingRed(r: number, g: number, b: number): boolean {
  return r >= 150 && g < 0.5 * r && b < 0.5 * r;
}

/** Mean of red − blue, which printed orange raises. */
function warmth({ data }: Pixels): number {
  let sum = 0;
  for (let i = 0; i < data.length; i += 3) sum += (data[i] ?? 0) - (data[i + 2] ?? 0);
  return sum / (data.length / 3);
}

describe('printed dates', () => {
  it('are orange figures in a corner: most of them at the lower right', () => {
    let lowerRight = 0;
    for (let seed = 0; seed < 12; seed++) {
      const random = randomStream(seed);
      const stamp = drawDateStamp(300, 300, 14, random);
      const printed = withDateStamp(plain([60, 110, 50], 300, 300), stamp);
      const orange = [...places(printed, isOrange)];
      expect(orange.length).toBeGreaterThan(100);
      const rows = orange.map((place) => Math.floor(place / 300));
      expect(Math.max(...rows) - Math.min(...rows)).toBeLessThan(22);
      const right = orange.filter((place) => place % 300 > 150).length > orange.length / 2;
      if (right && Math.min(...rows) > 150) lowerRight++;
      expect(stamp.text).toMatch(/\d/);
    }
    expect(lowerRight).toBeGreaterThanOrEqual(6);
  });

  it('are taken out: at least 95 % of their orange, with texture like that around', () => {
    let made = 0;
    let left = 0;
    for (let seed = 0; seed < 8; seed++) {
      const clean = meadow(220, seed, 300, 300);
      const random = randomStream(seed);
      const printed = withDateStamp(clean, drawDateStamp(300, 300, 11 + 7 * random.uniform(), random));
      const result = withoutDateStamp(printed);
      const before = places(clean, isOrange);
      const after = places(result, isOrange);
      for (const place of places(printed, isOrange)) {
        if (before.has(place)) continue;
        made++;
        if (after.has(place)) left++;
      }
      const raised = warmth(printed) - warmth(clean);
      expect(Math.abs(warmth(result) - warmth(clean))).toBeLessThan(0.3 * raised);
    }
    expect(made).toBeGreaterThan(1000);
    expect(left / made).toBeLessThan(0.05);
  });

  it('are taken out of a whole photo printed with other figures', () => {
    const clean = meadow(400, 3, 1000, 500);
    const result = withoutDateStamp(stamped(clean));
    expect(places(result, isOrange).size).toBeLessThan(0.05 * places(stamped(clean), isOrange).size);
  });

  it('are not seen where there are none', () => {
    for (let seed = 0; seed < 10; seed++) {
      const clean = meadow(100 + 40 * seed, seed, 240, 240);
      expect(withoutDateStamp(clean)).toBe(clean);
    }
    // A fallen leaf is orange, but no line of figures.
    const meadowGround = meadow(200, 20, 300, 300);
    const leaf = picture(300, 300, (x, y) => {
      const at = (y * 300 + x) * 3;
      const under = [0, 1, 2].map((band) => meadowGround.data[at + band] ?? 0) as [number, number, number];
      return Math.hypot(x - 60, y - 30) < 9 ? [240, 150, 50] : under;
    });
    expect(withoutDateStamp(leaf)).toBe(leaf);
  });
});

describe('red dots', () => {
  it('are taken out: at least 95 % of their glowing red', () => {
    let made = 0;
    let left = 0;
    for (let seed = 0; seed < 6; seed++) {
      const clean = meadow(220, seed, 300, 300);
      const random = randomStream(seed);
      const lit = withRedDots(clean, drawRedDots(300, 300, 300 * (0.04 + 0.05 * random.uniform()), random));
      const result = withoutRedDots(lit);
      const after = places(result, isGlowingRed);
      const dots = places(lit, isGlowingRed);
      made += dots.size;
      for (const place of dots) if (after.has(place)) left++;
    }
    expect(made).toBeGreaterThan(1000);
    expect(left / made).toBeLessThan(0.05);
  });

  it('are not seen where there are none', () => {
    for (let seed = 0; seed < 10; seed++) {
      const clean = meadow(100 + 40 * seed, seed, 240, 240);
      expect(withoutRedDots(clean)).toBe(clean);
    }
  });
});

const csiro = join(process.env.SWARD_SHARED ?? '../shared', 'csiro', 'train');

describe.skipIf(!existsSync(csiro))('mark removal on real photos', () => {
  it('leaves clean photos as they are and finds the one with light spots', { timeout: 120_000 }, async () => {
    const names = readdirSync(csiro).filter((name) => name.endsWith('.jpg'));
    const chosen = names.filter((name, index) => index % 9 === 0 || name === 'ID1444674500.jpg');
    for (const name of chosen) {
      const photo = await decodePhoto(join(csiro, name), { width: 600, height: 300 });
      expect(withoutDateStamp(photo) === photo, name).toBe(true);
      expect(withoutRedDots(photo) === photo, name).toBe(name !== 'ID1444674500.jpg');
    }
  });
});

describe('filling gaps', () => {
  it('changes masked pixels only, and fills a gradient with the gradient', () => {
    const ramp = picture(60, 40, (x, y) => [2 * x + 20, 3 * y + 40, x + y]);
    const mask = new Uint8Array(60 * 40);
    for (let y = 15; y < 22; y++) mask.fill(1, y * 60 + 20, y * 60 + 30);
    const holed = {
      ...ramp,
      data: ramp.data.map((value, i) => (mask[Math.floor(i / 3)] === 1 ? 255 : value)),
    };
    const filled = inpainted(holed, mask);
    filled.data.forEach((value, i) => {
      expect(Math.abs(value - (ramp.data[i] ?? 0))).toBeLessThanOrEqual(
        mask[Math.floor(i / 3)] === 1 ? 2 : 0,
      );
    });
  });

  it('manages when nothing is left to copy from', () => {
    const all = new Uint8Array(12).fill(1);
    expect(inpainted(plain([9, 9, 9], 4, 3), all).data.length).toBe(36);
  });

  it('finds patches and grows them in squares', () => {
    const mask = new Uint8Array(8 * 5);
    mask[1 * 8 + 1] = 1;
    mask[2 * 8 + 2] = 1;
    mask[4 * 8 + 7] = 1;
    expect(patchesOf(mask, 8, 5)).toEqual([
      { left: 1, top: 1, right: 3, bottom: 3, places: [9, 18] },
      { left: 7, top: 4, right: 8, bottom: 5, places: [39] },
    ]);
    const one = new Uint8Array(8 * 5);
    one[2 * 8 + 6] = 1;
    const wide = grown(one, 8, 5, 2);
    for (let y = 0; y < 5; y++) {
      for (let x = 0; x < 8; x++) expect(wide[y * 8 + x]).toBe(x >= 4 ? 1 : 0);
    }
  });
});
