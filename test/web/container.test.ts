import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { heifProfile, jpegContainer, pngContainer } from '../../web/src/engine/container.ts';
import { iphonePhoto } from '../vision/photos/iphone-photo.ts';

const SIZE = { width: 64, height: 32, channels: 3, background: '#4a6b2c' } as const;
const own = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => Uint8Array.from(bytes);
const joined = (parts: readonly Uint8Array[]): Buffer => Buffer.concat(parts);

let plain: Buffer;
let profiled: Buffer;
beforeAll(async () => {
  plain = await sharp({ create: SIZE }).jpeg().toBuffer();
  profiled = await sharp({ create: SIZE })
    .withIccProfile('p3')
    .withExif({ IFD0: { Make: 'x' } })
    .jpeg()
    .toBuffer();
});

describe('the file of a JPEG', () => {
  it('gives its profile, and itself without it and with everything else', async () => {
    const { profile, bare, isWhole } = jpegContainer(own(profiled));
    const { icc, exif } = await sharp(profiled).metadata();
    expect(Buffer.from(profile ?? [])).toEqual(icc);
    expect(isWhole).toBe(true);
    const without = await sharp(joined(bare)).metadata();
    expect(without.icc).toBeUndefined();
    expect(without.exif).toEqual(exif);
    expect(jpegContainer(own(plain)).profile).toBeNull();
    expect(joined(jpegContainer(own(plain)).bare)).toEqual(plain);
  });

  it('is cut short without the end of its own picture, whatever a thumbnail in it has', () => {
    // A segment of an application that holds a whole JPEG.
    const segment = Buffer.alloc(4);
    segment.writeUInt16BE(0xffe5);
    segment.writeUInt16BE(plain.length + 2, 2);
    const withThumbnail = joined([plain.subarray(0, 2), segment, plain, plain.subarray(2)]);
    expect(jpegContainer(own(withThumbnail)).isWhole).toBe(true);
    expect(jpegContainer(own(withThumbnail.subarray(0, withThumbnail.length - 20))).isWhole).toBe(false);
  });

  it('may have a film behind it, and padding before its segments', () => {
    const film = Buffer.alloc(5000, 7);
    expect(jpegContainer(own(joined([plain, film]))).isWhole).toBe(true);
    const padded = joined([profiled.subarray(0, 2), Buffer.from([0xff, 0xff]), profiled.subarray(2)]);
    expect(jpegContainer(own(padded)).profile).not.toBeNull();
  });
});

describe('the file of a PNG', () => {
  it('gives its profile, and itself without what says what its colours mean', async () => {
    const png = await sharp({ create: SIZE }).withIccProfile('p3').png().toBuffer();
    const { profile, bare, isWhole } = await pngContainer(own(png));
    expect(Buffer.from(profile ?? [])).toEqual((await sharp(png).metadata()).icc);
    expect(isWhole).toBe(true);
    const without = joined(bare);
    expect(without.includes('iCCP')).toBe(false);
    expect(await sharp(without).metadata()).toMatchObject({ width: 64, height: 32 });
  });

  it('is cut short without its last chunk', async () => {
    const png = await sharp({ create: SIZE }).png().toBuffer();
    expect(await pngContainer(own(png.subarray(0, png.length - 12)))).toMatchObject({
      isWhole: false,
      profile: null,
    });
  });
});

it('the profile of a HEIF is found among its properties', async () => {
  const photo = iphonePhoto();
  expect(Buffer.from(heifProfile(own(photo)) ?? [])).toEqual((await sharp(photo).metadata()).icc);
  expect(heifProfile(own(photo.subarray(0, 60)))).toBeNull();
  expect(heifProfile(own(Buffer.from('no photo at all, and long enough')))).toBeNull();
});
