import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../../src/ground/errors.ts';
import { decodePhoto } from '../../../src/vision/photos/decode.ts';
import { inspectPhoto } from '../../../src/vision/photos/inspect.ts';
import { photoFrom } from '../../../src/vision/photos/photo.ts';
import type { Pixels } from '../../../src/vision/photos/pixels.ts';
import { iphonePhoto, STORED } from './iphone-photo.ts';

const decoded = (bytes: Uint8Array): Promise<Pixels> => decodePhoto(photoFrom('IMG_0001.HEIC', bytes));

function pixel({ width, data }: Pixels, x: number, y: number): number[] {
  return [...data.subarray((y * width + x) * 3, (y * width + x) * 3 + 3)];
}

/** Display P3 to sRGB, both D65, by their primaries; what sRGB lacks is clipped. */
function asSrgb(colour: readonly number[]): number[] {
  const [r = 0, g = 0, b = 0] = colour.map((value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  const linear = [1.2249 * r - 0.2247 * g, -0.042 * r + 1.0419 * g, -0.0197 * r - 0.0786 * g + 1.0979 * b];
  return linear.map((share) => {
    const seen = share <= 0.0031308 ? 12.92 * share : 1.055 * share ** (1 / 2.4) - 0.055;
    return Math.round(255 * Math.min(1, Math.max(0, seen)));
  });
}

const CORNERS = { topLeft: [0, 0], topRight: [1, 0], bottomLeft: [0, 1], bottomRight: [1, 1] } as const;

function blueCorner(photo: Pixels): string | undefined {
  return Object.entries(CORNERS).find(([, [right, down]]) => {
    const [r = 0, , b = 0] = pixel(photo, right ? photo.width - 5 : 4, down ? photo.height - 5 : 4);
    return b > r + 50;
  })?.[0];
}

describe('a photo of an iPhone', () => {
  it('has the colours of its profile', async () => {
    const photo = await decoded(iphonePhoto());
    for (const [stored, [x, y]] of [
      [STORED.red, [30, 30]],
      [STORED.green, [30, 80]],
      [STORED.blue, [60, 4]],
    ] as const) {
      const expected = asSrgb(stored);
      pixel(photo, x, y).forEach((value, band) => {
        expect(Math.abs(value - (expected[band] as number)), `${stored}`).toBeLessThanOrEqual(6);
      });
    }
  });

  // Its EXIF block says 6 every time, which must not turn it once more.
  it.each<['irot' | 'imir', number, number, number, string]>([
    ['irot', 0, 96, 64, 'topLeft'],
    ['irot', 1, 64, 96, 'bottomLeft'],
    ['irot', 2, 96, 64, 'bottomRight'],
    ['irot', 3, 64, 96, 'topRight'],
    ['imir', 0, 96, 64, 'bottomLeft'],
    ['imir', 1, 96, 64, 'topRight'],
  ])('is turned once, by its own %s %i', async (kind, value, width, height, corner) => {
    const bytes = iphonePhoto(kind, value);
    const photo = await decoded(bytes);
    expect([photo.width, photo.height, blueCorner(photo)]).toEqual([width, height, corner]);
    const facts = await inspectPhoto(photoFrom('IMG_0001.HEIC', bytes));
    expect(facts).toMatchObject({ width, height, orientation: 1 });
  });

  it('says when and where it was taken', async () => {
    const { takenAt, gps } = await inspectPhoto(photoFrom('IMG_0001.jpg', iphonePhoto()));
    expect(takenAt?.toISOString()).toBe('2026-03-04T05:06:07.000Z');
    expect(gps?.latitude).toBeCloseTo(-41.51, 6);
    expect(gps?.longitude).toBeCloseTo(147.25, 6);
  });

  it('is shrunk as any other', async () => {
    const photo = await decodePhoto(photoFrom('IMG_0001.HEIC', iphonePhoto()), { maxPixels: 24 * 16 });
    expect([photo.width, photo.height]).toEqual([16, 24]);
  });

  it('is refused when it is cut short or damaged', async () => {
    const whole = iphonePhoto();
    for (const share of [0.99, 0.7, 0.3, 0.05]) {
      const cut = photoFrom('cut.heic', whole.subarray(0, Math.floor(share * whole.length)));
      for (const read of [decodePhoto, inspectPhoto]) {
        const error = await read(cut).catch((reason: unknown) => reason);
        expect(error).toBeInstanceOf(InputError);
        expect((error as InputError).message).toMatch(/^cut.heic: the photo cannot be decoded .*; replace/);
        expect((error as InputError).message).not.toContain('\n');
      }
    }
  });

  it('leaves no memory of the decoder behind', async () => {
    const libheif = createRequire(import.meta.url)('libheif-js/wasm-bundle.js') as { HEAPU8: Uint8Array };
    const whole = iphonePhoto();
    await decoded(whole);
    const before = libheif.HEAPU8.length;
    // What leaked of 1,000 pictures would be more than there is.
    for (let time = 0; time < 1000; time++) {
      const reading = decoded(time % 4 === 0 ? whole.subarray(0, whole.length - 40) : whole);
      await (time % 4 === 0 ? expect(reading).rejects.toThrow(InputError) : reading);
    }
    expect(libheif.HEAPU8.length).toBe(before);
  });
});

describe('an AVIF', () => {
  it('is read under any name', async () => {
    const raw = { create: { width: 32, height: 16, channels: 3, background: '#4a8030' } } as const;
    const bytes = await sharp(raw).avif({ lossless: true }).toBuffer();
    for (const name of ['a.avif', 'IMG_0001.HEIC', 'a.jpg']) {
      const photo = await decodePhoto(photoFrom(name, bytes));
      expect([photo.width, photo.height]).toEqual([32, 16]);
      pixel(photo, 3, 3).forEach((value, band) => {
        expect(Math.abs(value - ([0x4a, 0x80, 0x30][band] as number))).toBeLessThanOrEqual(2);
      });
    }
  });
});

const cases = join(process.env.SWARD_SHARED ?? '../shared', 'cases', '04-heic-folder');

describe.skipIf(!existsSync(cases))('a HEIC and the JPEG it was made of', () => {
  const heic = join(cases, 'true_heic_gps.heic');
  const jpeg = join(cases, 'true_heic_gps.reference.jpg');

  it('show the same', async () => {
    const [one, other] = [await decodePhoto(heic), await decodePhoto(jpeg)];
    expect([one.width, one.height]).toEqual([other.width, other.height]);
    const apart = one.data.map((value, index) => Math.abs(value - (other.data[index] as number)));
    expect(apart.reduce((sum, value) => sum + value, 0) / apart.length).toBeLessThan(6);
  });

  it('have the same time and place', async () => {
    const facts = await inspectPhoto(heic);
    expect(facts.gps).toBeDefined();
    expect(facts).toEqual(await inspectPhoto(jpeg));
  });
});
