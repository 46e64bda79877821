import { existsSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../../src/ground/errors.ts';
import { decodePhoto } from '../../../src/vision/photos/decode.ts';
import { inspectPhoto } from '../../../src/vision/photos/inspect.ts';
import { photoFrom } from '../../../src/vision/photos/photo.ts';
import { type TiffSpec, tiffFile } from './tiff-file.ts';

const [WIDTH, HEIGHT] = [6, 4];

/** Red, green and blue of a pixel: another one in every place. */
const rgb = (pixel: number): number[] => [10 + 9 * pixel, 250 - 7 * pixel, 100 + pixel];
const PHOTO = Array.from({ length: WIDTH * HEIGHT }, (_, pixel) => rgb(pixel));

type Bands = (pixel: number) => readonly number[];

function tiff(bandsOf: Bands, spec: Partial<TiffSpec> = {}): Buffer {
  const pixels = Array.from({ length: WIDTH * HEIGHT }, (_, pixel) => bandsOf(pixel));
  return tiffFile({
    width: WIDTH,
    height: HEIGHT,
    bands: pixels[0]?.length ?? 0,
    values: pixels.flat(),
    ...spec,
  });
}

async function pixelsOf(bytes: Uint8Array): Promise<number[]> {
  return [...(await decodePhoto(photoFrom('bands.tif', bytes))).data];
}

const infrared = (pixel: number): number => 20 + 3 * pixel;
const withInfrared: Bands = (pixel) => [...rgb(pixel), infrared(pixel)];
const sixteen =
  (bands: Bands): Bands =>
  (pixel) =>
    bands(pixel).map((value) => value * 257);
const shares =
  (bands: Bands): Bands =>
  (pixel) =>
    bands(pixel).map((value) => value / 255);
const FLOATS = { bits: 32, sampleFormat: 3 } as const;

describe('a TIFF of more than colours', () => {
  it.each<[string, Bands, Partial<TiffSpec>]>([
    ['with near infrared that nothing is said of', withInfrared, { extraSamples: [0] }],
    ['with a fourth band without a tag', withInfrared, {}],
    ['with two further bands', (pixel) => [...withInfrared(pixel), 77], { extraSamples: [0, 0] }],
    ['with near infrared and opacity', (pixel) => [...withInfrared(pixel), 255], { extraSamples: [0, 2] }],
    ['of 16 bits', sixteen(rgb), { bits: 16 }],
    ['of 16 bits with near infrared', sixteen(withInfrared), { bits: 16, extraSamples: [0] }],
    ['of 16 bits, opaque', sixteen((pixel) => [...rgb(pixel), 255]), { bits: 16, extraSamples: [2] }],
    ['of 16 bits that GDAL calls grey', sixteen(rgb), { bits: 16, photometric: 1, extraSamples: [0, 0] }],
    ['of three bands called grey', rgb, { photometric: 1, extraSamples: [0, 0] }],
    ['of floats', shares(rgb), FLOATS],
    ['of floats called grey', shares(rgb), { ...FLOATS, photometric: 1, extraSamples: [0, 0] }],
    ['of floats with near infrared', shares(withInfrared), { ...FLOATS, extraSamples: [0] }],
    ['of the other byte order', sixteen(withInfrared), { bits: 16, extraSamples: [0], littleEndian: false }],
  ])('is read as its first three bands: %s', async (_, bands, spec) => {
    expect(await pixelsOf(tiff(bands, spec))).toEqual(PHOTO.flat());
  });

  it.each<[string, (bands: Bands) => Bands, Partial<TiffSpec>]>([
    ['8 bits', (bands) => bands, {}],
    ['16 bits', sixteen, { bits: 16 }],
    ['floats', shares, FLOATS],
  ])('is laid on white where a band is said to be opacity: %s', async (_, scaled, spec) => {
    const glass: Bands = (pixel) => [...rgb(pixel), 51];
    const plain = await pixelsOf(tiff(scaled(glass), { ...spec, extraSamples: [2] }));
    const beside: Bands = (pixel) => [...withInfrared(pixel), 51];
    const chosen = await pixelsOf(tiff(scaled(beside), { ...spec, extraSamples: [0, 2] }));
    const expected = PHOTO.flat().map((value) => 0.2 * value + 0.8 * 255);
    for (const pixels of [plain, chosen]) {
      pixels.forEach((value, index) => {
        expect(Math.abs(value - (expected[index] as number))).toBeLessThanOrEqual(1);
      });
    }
  });

  it('is scaled in proportion where it is of grey floats, a glint among many apart', async () => {
    const grey: Bands = (pixel) => [pixel / 100];
    const expected = PHOTO.flatMap((_, pixel) => [0, 1, 2].map(() => Math.round((255 * pixel) / 100)));
    expect(await pixelsOf(tiff(grey, { ...FLOATS, photometric: 1 }))).toEqual(expected);
    const many = Array.from({ length: 40 * 40 }, (_, pixel) => (pixel === 7 ? 1.4 : 0.5));
    const bright = { width: 40, height: 40, bands: 1, values: many, ...FLOATS, photometric: 1 };
    const pixels = await pixelsOf(tiffFile(bright));
    expect(pixels.slice(18, 24)).toEqual([128, 128, 128, 255, 255, 255]);
  });

  it.each<[string, Bands, Partial<TiffSpec>, RegExp]>([
    [
      'two bands',
      (p) => rgb(p).slice(0, 2),
      { photometric: 1, extraSamples: [0] },
      /has 2 bands, and nothing/,
    ],
    ['four bands called grey', withInfrared, { photometric: 1, extraSamples: [0, 0, 0] }, /has 4 bands, and/],
    [
      'five bands called grey',
      (p) => [...withInfrared(p), 5],
      { photometric: 1 },
      /has 5 bands, and nothing/,
    ],
    ['CMYK and a further band', (p) => [...withInfrared(p), 5], { photometric: 5 }, /has 5 bands, more than/],
    ['RGB of two bands', (p) => rgb(p).slice(0, 2), {}, /has 2 bands where its tags speak of 3/],
    ['numbers of a sensor', (p) => [p], { photometric: 32803 }, /its 1 bands are neither grey/],
    ['a picture a band', (p) => [p], { photometric: 1, pictures: 5 }, /has 5 pictures of one band each/],
    ['signed numbers', sixteen(rgb), { bits: 16, sampleFormat: 2 }, /bands are signed 16-bit numbers/],
    ['32-bit numbers', rgb, { bits: 32 }, /its bands are 32-bit numbers/],
    ['floats to 255', rgb, FLOATS, /floating-point numbers from 0 to 250, 100.0 % of them/],
    ['floats below 0', (p) => shares(rgb)(p).map((share) => share - 0.5), FLOATS, /from -0\.\d+ to 1, /],
    ['no numbers', () => [Number.NaN, 0.5, 0.5], FLOATS, /from 0 to 1, 33.3 % of them not/],
  ])('is refused with what to do: %s', async (_, bands, spec, message) => {
    const photo = photoFrom('bands.tif', tiff(bands, spec));
    for (const read of [decodePhoto, inspectPhoto]) {
      const error = await read(photo).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(InputError);
      expect((error as InputError).message).toMatch(message);
      expect((error as InputError).remedy).toMatch(/bands.*gdal_translate/);
    }
  });

  it('is refused where what it calls opacity has the texture of a photo, and not where it fades', async () => {
    const [width, height] = [160, 60];
    const rgba = (opacity: (x: number, y: number) => number): Buffer => {
      const places = Array.from({ length: width * height }, (_, pixel) => [pixel % width, pixel / width]);
      const values = places.flatMap(([x = 0, y = 0]) => [90, 120, 60, Math.floor(opacity(x, y))]);
      return tiffFile({ width, height, bands: 4, values, extraSamples: [2] });
    };
    const measured = photoFrom(
      'nir.tif',
      rgba((x, y) => 100 + ((x * 7 + y * 13) % 90)),
    );
    await expect(decodePhoto(measured)).rejects.toThrow(
      /one of its 4 bands is called opacity.*gdal_translate/,
    );
    for (const opacity of [
      () => 255,
      () => 128,
      (x: number) => (x * 255) / width,
      (x: number, y: number) => ((x + Math.floor(y)) % 3 === 0 ? 0 : 255),
    ]) {
      expect((await decodePhoto(photoFrom('alpha.tif', rgba(opacity)))).width).toBe(width);
    }
  });

  it('keeps opacity of grey, and CMYK, as before', async () => {
    const grey = await pixelsOf(tiff((p) => [p * 10, 255], { photometric: 1, extraSamples: [2] }));
    expect(grey.slice(0, 9)).toEqual([0, 0, 0, 10, 10, 10, 20, 20, 20]);
    const ink = await pixelsOf(tiff(() => [0, 0, 0, 0], { photometric: 5 }));
    expect(Math.min(...ink)).toBeGreaterThan(250);
  });

  it('is turned and shrunk like any other', async () => {
    const bytes = tiff(withInfrared, { extraSamples: [0] });
    const small = await decodePhoto(photoFrom('bands.tif', bytes), { width: 3, height: 2 });
    const raw = { width: WIDTH, height: HEIGHT, channels: 3 } as const;
    const plain = await sharp(Buffer.from(PHOTO.flat()), { raw }).png().toBuffer();
    expect(small).toEqual(await decodePhoto(photoFrom('plain.png', plain), { width: 3, height: 2 }));
  });
});

const cases = join(process.env.SWARD_SHARED ?? '../shared', 'cases', '03-tiff-bands');

describe.skipIf(!existsSync(cases))('TIFFs of a drone', () => {
  it.each(['rgbnir_unspecified.tif', 'rgbnirre_5band.tif', 'rgb_float01.tif'])(
    'hold the same photo: %s',
    async (name) => {
      expect(await decodePhoto(join(cases, name))).toEqual(await decodePhoto(join(cases, 'base.png')));
    },
  );

  it('hold the same grey photo as floats and as 16-bit numbers', async () => {
    const grey = await decodePhoto(join(cases, 'gray16.png'));
    expect(await decodePhoto(join(cases, 'gray_float01.tif'))).toEqual(grey);
  });

  it('are refused where nothing says which bands are colours', async () => {
    await expect(decodePhoto(join(cases, 'bgrnir_min.tif'))).rejects.toThrow(/has 4 bands, and nothing/);
  });
});
