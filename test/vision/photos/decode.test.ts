import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp, { type Sharp } from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { InputError } from '../../../src/ground/errors.ts';
import { decodePhoto } from '../../../src/vision/photos/decode.ts';
import { inspectPhoto } from '../../../src/vision/photos/inspect.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sward-photos-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A picture 40 wide and 20 high: red left half, green right half, with a blue pixel in the top left corner. */
function flag(): Sharp {
  const data = Buffer.alloc(40 * 20 * 3);
  for (let y = 0; y < 20; y++) {
    for (let x = 0; x < 40; x++) data[(y * 40 + x) * 3 + (x < 20 ? 0 : 1)] = 200;
  }
  data.set([0, 0, 255], 0);
  return sharp(data, { raw: { width: 40, height: 20, channels: 3 } });
}

async function saved(name: string, content: Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

function pixel(photo: { width: number; data: Uint8Array }, x: number, y: number): number[] {
  return [...photo.data.subarray((y * photo.width + x) * 3, (y * photo.width + x) * 3 + 3)];
}

describe('decoding a photo', () => {
  it('gives the exact pixels of a lossless file, red first', async () => {
    const photo = await decodePhoto(await saved('flag.png', await flag().png().toBuffer()));
    expect([photo.width, photo.height, photo.data.length]).toEqual([40, 20, 2400]);
    expect(pixel(photo, 0, 0)).toEqual([0, 0, 255]);
    expect(pixel(photo, 5, 10)).toEqual([200, 0, 0]);
    expect(pixel(photo, 35, 10)).toEqual([0, 200, 0]);
  });

  // Where the blue corner of the stored picture is, as a person sees it, for each EXIF orientation.
  it.each([
    [1, 40, 20, 0, 0],
    [2, 40, 20, 39, 0],
    [3, 40, 20, 39, 19],
    [4, 40, 20, 0, 19],
    [5, 20, 40, 0, 0],
    [6, 20, 40, 19, 0],
    [7, 20, 40, 19, 39],
    [8, 20, 40, 0, 39],
  ])('applies EXIF orientation %i', async (orientation, width, height, x, y) => {
    const bytes = await flag().withMetadata({ orientation }).png().toBuffer();
    const path = await saved(`turned${orientation}.png`, bytes);
    const photo = await decodePhoto(path);
    expect([photo.width, photo.height]).toEqual([width, height]);
    expect(pixel(photo, x, y)).toEqual([0, 0, 255]);
    expect(await inspectPhoto(path)).toMatchObject({ width, height, orientation });
  });

  it.each<[string, (picture: Sharp) => Sharp]>([
    ['palette.png', (picture) => picture.png({ palette: true })],
    ['sixteen.png', (picture) => picture.toColourspace('rgb16').png()],
    ['lossless.webp', (picture) => picture.webp({ lossless: true })],
    ['plain.tif', (picture) => picture.tiff({ compression: 'lzw' })],
    ['opaque.png', (picture) => picture.ensureAlpha(1).png()],
    ['interlaced.png', (picture) => picture.png({ progressive: true })],
  ])('brings %s to 8-bit RGB', async (name, encode) => {
    const photo = await decodePhoto(await saved(name, await encode(flag()).toBuffer()));
    expect(photo.data.length).toBe(40 * 20 * 3);
    expect(pixel(photo, 5, 10)).toEqual([200, 0, 0]);
    expect(pixel(photo, 35, 10)).toEqual([0, 200, 0]);
  });

  it('turns grey, 8 and 16 bit, with and without alpha, into three equal bands', async () => {
    const grey = (): Sharp =>
      sharp({ create: { width: 8, height: 4, channels: 3, background: '#808080' } }).greyscale();
    const files: [string, Buffer][] = [
      ['grey.jpg', await grey().jpeg().toBuffer()],
      ['grey.png', await grey().png().toBuffer()],
      ['grey16.png', await grey().toColourspace('grey16').png().toBuffer()],
      ['grey-alpha.png', await grey().ensureAlpha(1).png().toBuffer()],
    ];
    for (const [name, bytes] of files) {
      const photo = await decodePhoto(await saved(name, bytes));
      expect(photo.data.length, name).toBe(8 * 4 * 3);
      const [r = 0, g = 0, b = 0] = pixel(photo, 3, 2);
      expect([g, b], name).toEqual([r, r]);
      expect(Math.abs(r - 128), name).toBeLessThanOrEqual(2);
    }
  });

  it('reads a CMYK JPEG as the colours a person sees', async () => {
    const solid = sharp({ create: { width: 16, height: 16, channels: 3, background: '#c02020' } });
    const photo = await decodePhoto(
      await saved('cmyk.jpg', await solid.toColourspace('cmyk').jpeg({ quality: 100 }).toBuffer()),
    );
    const [r = 0, g = 0, b = 0] = pixel(photo, 8, 8);
    expect(r).toBeGreaterThan(140);
    expect(Math.max(g, b)).toBeLessThan(90);
  });

  it('lays transparent parts on white', async () => {
    const glass = sharp({
      create: { width: 4, height: 4, channels: 4, background: { r: 0, g: 0, b: 0, alpha: 0 } },
    });
    const photo = await decodePhoto(await saved('glass.png', await glass.png().toBuffer()));
    expect(pixel(photo, 1, 1)).toEqual([255, 255, 255]);
  });

  it('shrinks to at most the pixels asked for and never enlarges', async () => {
    const path = await saved('shrink.png', await flag().png().toBuffer());
    const small = await decodePhoto(path, { maxPixels: 200 });
    expect([small.width, small.height]).toEqual([20, 10]);
    const same = await decodePhoto(path, { maxPixels: 1e6 });
    expect([same.width, same.height]).toEqual([40, 20]);
  });

  it('keeps the shape when one side is given', async () => {
    const path = await saved('one-side.jpg', await flag().jpeg().toBuffer());
    expect(await decodePhoto(path, { width: 20 })).toMatchObject({ width: 20, height: 10 });
    expect(await decodePhoto(path, { height: 40 })).toMatchObject({ width: 80, height: 40 });
  });

  it('stretches to an exact width and height, after turning', async () => {
    const bytes = await flag().withMetadata({ orientation: 6 }).jpeg().toBuffer();
    const photo = await decodePhoto(await saved('exact.jpg', bytes), { width: 30, height: 50 });
    expect([photo.width, photo.height]).toEqual([30, 50]);
  });

  it('decodes a picture of one pixel', async () => {
    const dot = sharp({ create: { width: 1, height: 1, channels: 3, background: '#0a141e' } });
    const photo = await decodePhoto(await saved('dot.png', await dot.png().toBuffer()));
    expect([...photo.data]).toEqual([10, 20, 30]);
  });
});

describe('a photo that cannot be used', () => {
  async function refusals(path: string): Promise<string[]> {
    const tries = [decodePhoto(path), decodePhoto(path, { maxPixels: 100 }), inspectPhoto(path)];
    const outcomes = await Promise.allSettled(tries);
    return outcomes.map((outcome) => {
      if (outcome.status === 'fulfilled') throw new Error(`${path} was accepted`);
      expect(outcome.reason).toBeInstanceOf(InputError);
      const { message } = outcome.reason as InputError;
      expect(message).toContain(path);
      expect(message).not.toContain('\n');
      return message;
    });
  }

  function noise(): Sharp {
    const data = Buffer.from(
      Array.from({ length: 96 * 96 * 3 }, (_, i) => (i * 7919 + ((i * i) % 251)) % 256),
    );
    return sharp(data, { raw: { width: 96, height: 96, channels: 3 } });
  }

  it.each<[string, (picture: Sharp) => Sharp]>([
    ['baseline.jpg', (picture) => picture.jpeg()],
    ['progressive.jpg', (picture) => picture.jpeg({ progressive: true })],
    ['plain.png', (picture) => picture.png()],
    ['interlaced.png', (picture) => picture.png({ progressive: true })],
    ['lossy.webp', (picture) => picture.webp()],
    ['lzw.tif', (picture) => picture.tiff({ compression: 'lzw' })],
  ])('is refused in every way of reading when %s is cut short', async (name, encode) => {
    const whole = await encode(noise()).toBuffer();
    for (const share of [0.99, 0.5, 0.1]) {
      const path = await saved(`cut-${name}`, whole.subarray(0, Math.floor(whole.length * share)));
      for (const message of await refusals(path)) expect(message).toContain('replace the file');
    }
  });

  it('is refused when only the last two bytes of a JPEG are missing', async () => {
    const whole = await noise().jpeg().toBuffer();
    await refusals(await saved('almost.jpg', whole.subarray(0, whole.length - 2)));
  });

  it('is refused when it is empty, text, a drawing or a folder, or not there', async () => {
    const empty = await refusals(await saved('empty.jpg', new Uint8Array()));
    expect(empty[0]).toContain('empty (0 bytes)');
    const text = await refusals(await saved('text.jpg', Buffer.from('this is not a photo\n')));
    expect(text[0]).toContain('cannot be decoded');
    const drawing =
      '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>';
    expect((await refusals(await saved('drawing.jpg', Buffer.from(drawing))))[0]).toContain('svg');
    await mkdir(join(folder, 'folder.jpg'), { recursive: true });
    expect((await refusals(join(folder, 'folder.jpg')))[0]).toContain('is a folder');
    expect((await refusals(join(folder, 'absent.jpg')))[0]).toContain('no such photo');
  });

  it('is refused at 30,000×30,000 pixels from its header alone', async () => {
    // Only the header matters: a real 900-megapixel file would take a minute to make.
    const small = await sharp({ create: { width: 8, height: 8, channels: 3, background: '#336633' } })
      .png()
      .toBuffer();
    const grown = withPngSize(small, 30_000, 30_000);
    for (const message of await refusals(await saved('huge.png', grown))) {
      expect(message).toContain('30000×30000 is 900 megapixels, the limit is 200');
    }
  });
});

/** A PNG whose header claims another size, with the header's checksum put right. */
function withPngSize(png: Buffer, width: number, height: number): Buffer {
  const grown = Buffer.from(png);
  grown.writeUInt32BE(width, 16);
  grown.writeUInt32BE(height, 20);
  grown.writeUInt32BE(crc32(grown.subarray(12, 29)), 29);
  return grown;
}

function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return (crc ^ 0xffffffff) >>> 0;
}
