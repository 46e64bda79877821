import { InputError, messageOf } from '../../../src/ground/errors.ts';
import { type MatrixProfile, readMatrixProfile, toSrgb } from '../../../src/vision/photos/colour-profile.ts';
import { formatOf, type PhotoFormat } from '../../../src/vision/photos/format.ts';
import type { Pixels } from '../../../src/vision/photos/pixels.ts';
import { type Container, heifProfile, jpegContainer, pngContainer } from './container.ts';
import { heicPixels } from './heic.ts';

/** Larger photos take more memory than a browser gives a page. */
const MOST_PIXELS = 64_000_000;

/** Pixels of a strip that is read at once: canvases of phones end at 16 megapixels, and memory comes twice. */
const STRIP_PIXELS = 2_000_000;

const AGAIN = 'take the photo again, or choose a whole copy of it';

/**
 * Decodes a photo as the server does: 8-bit sRGB, turned upright once, transparent parts on white.
 *
 * @throws InputError for what is no photo, is cut short, too large, or of a format that browsers do not read as the
 *   server does
 */
export async function decodePhoto(name: string, bytes: Uint8Array<ArrayBuffer>): Promise<Pixels> {
  const format = formatOf(bytes);
  if (format === null) throw new InputError(name, 'is no photo', 'choose a JPEG, PNG, WebP or HEIC');
  if (format === 'tiff' || (format === 'heif' && isAvif(bytes))) {
    const what =
      format === 'tiff'
        ? 'a TIFF, which browsers do not read'
        : 'an AVIF, of which browsers make other colours';
    throw new InputError(name, `is ${what}`, 'let the server estimate it, or choose a JPEG or HEIC');
  }
  try {
    if (format !== 'heif') return await decodedByBrowser(name, format, bytes);
    const profile = heifProfile(bytes);
    return inSrgb(await heicPixels(bytes), profile && readMatrixProfile(profile));
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(name, `the photo cannot be decoded (${messageOf(error)})`, AGAIN);
  }
}

/** Brands at the start of a HEIF that holds AV1. */
const isAvif = (bytes: Uint8Array): boolean => /^avi[fs]/.test(String.fromCharCode(...bytes.subarray(8, 12)));

async function decodedByBrowser(
  name: string,
  format: PhotoFormat,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<Pixels> {
  const { bare, profile, isWhole } = await containerOf(format, bytes);
  if (!isWhole) throw new InputError(name, 'the photo is cut short', AGAIN);
  const matrix = profile && readMatrixProfile(profile);
  // Profiles of other kinds are left to the browser.
  const leaves = profile !== null && matrix === null;
  const bitmap = await createImageBitmap(new Blob(leaves ? [bytes] : [...bare]), {
    imageOrientation: 'from-image',
    colorSpaceConversion: leaves ? 'default' : 'none',
    premultiplyAlpha: 'none',
  });
  try {
    if (bitmap.width * bitmap.height > MOST_PIXELS) throw tooLarge(name, bitmap);
    return inSrgb(pixelsOf(name, bitmap), matrix);
  } finally {
    bitmap.close();
  }
}

async function containerOf(format: PhotoFormat, bytes: Uint8Array<ArrayBuffer>): Promise<Container> {
  if (format === 'jpeg') return jpegContainer(bytes);
  if (format === 'png') return pngContainer(bytes);
  return { bare: [bytes], profile: null, isWhole: true };
}

function inSrgb(pixels: Pixels, profile: MatrixProfile | null): Pixels {
  if (profile) toSrgb(pixels, profile);
  return pixels;
}

/** Reads a picture strip by strip. @throws InputError where the browser gives nothing, as of pictures too large for it */
function pixelsOf(name: string, bitmap: ImageBitmap): Pixels {
  const { width, height } = bitmap;
  const data = new Uint8Array(width * height * 3);
  const rows = Math.max(1, Math.min(height, Math.floor(STRIP_PIXELS / width)));
  const context = new OffscreenCanvas(width, rows).getContext('2d', { willReadFrequently: true });
  if (!context) throw tooLarge(name, bitmap);
  let seen = 0;
  for (let top = 0; top < height; top += rows) {
    const count = Math.min(rows, height - top);
    context.clearRect(0, 0, width, rows);
    context.drawImage(bitmap, 0, -top);
    const strip = context.getImageData(0, 0, width, count, { colorSpace: 'srgb' }).data;
    seen += copyOnWhite(strip, data, top * width * 3);
  }
  // A canvas beyond a browser's limits draws nothing, and says nothing.
  if (seen === 0) throw tooLarge(name, bitmap);
  return { width, height, data };
}

/** @returns how many pixels are not wholly transparent */
function copyOnWhite(from: Uint8ClampedArray, to: Uint8Array, start: number): number {
  let seen = 0;
  for (let at = 0, out = start; at < from.length; at += 4, out += 3) {
    const opacity = from[at + 3] as number;
    if (opacity === 255) {
      to[out] = from[at] as number;
      to[out + 1] = from[at + 1] as number;
      to[out + 2] = from[at + 2] as number;
      seen++;
      continue;
    }
    const white = 255 - opacity;
    for (let band = 0; band < 3; band++) {
      to[out + band] = Math.floor(((from[at + band] as number) * opacity + 255 * white) / 255);
    }
    if (opacity > 0) seen++;
  }
  return seen;
}

function tooLarge(name: string, { width, height }: Pick<Pixels, 'width' | 'height'>): InputError {
  const megapixels = Math.round((width * height) / 1e6);
  return new InputError(
    name,
    `${width}×${height} (${megapixels} megapixels) is more than this browser can read`,
    'set the camera to fewer megapixels, or let the server estimate it',
  );
}
