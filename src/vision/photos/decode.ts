import type { Sharp } from 'sharp';
import { contentKind } from '../../formats/content-kind.ts';
import { InputError, messageOf } from '../../ground/errors.ts';
import { bitmapPixels, readBitmapHeader } from './bitmap.ts';
import { encodedHeader, encodedPicture, MAX_PHOTO_PIXELS, rawPicture } from './encoded.ts';
import { formatOf } from './format.ts';
import { heicPicture } from './heic.ts';
import { isFramed, type Photo, photoName, readPhoto } from './photo.ts';
import { type Pixels, sizeWithin } from './pixels.ts';
import { type Quadrilateral, rectifiedSize } from './quadrilateral.ts';
import { rectified } from './rectify.ts';
import { tiffBands, tiffPicture } from './tiff-bands.ts';
import { readTiffLayout } from './tiff-layout.ts';

/** Formats whose files are read, as libvips calls them. */
const FORMATS = new Set(['jpeg', 'png', 'webp', 'tiff', 'heif']);

/** What a person is told to save a photo as. */
export const PHOTO_FORMATS = 'JPEG, PNG, WebP, TIFF, HEIC, AVIF or BMP';

export type { Pixels };

/** A photo file in memory whose header was read and found acceptable; not decoded yet. */
export interface OpenPhoto {
  /** Its path, or what its content is called. */
  readonly name: string;
  /** The whole file. */
  readonly bytes: Uint8Array;
  /** Size in pixels as a person sees the photo, turned upright. */
  readonly width: number;
  readonly height: number;
  /** The EXIF orientation that decoding applies, 1 to 8; of HEIC and AVIF, which keep their turn elsewhere, 1. */
  readonly orientation: number;
  /** The EXIF block, where there is one. */
  readonly exif?: Buffer;
  /** Of a part of a photo: where it lies in the whole one. */
  readonly corners?: Quadrilateral;
  /** The picture, upright; what is decoded of it is decoded when it is read from. */
  readonly picture: () => Sharp | Promise<Sharp>;
}

export interface DecodeOptions {
  /** Shrink, keeping the aspect, until the photo has at most this many pixels; never enlarges. */
  readonly maxPixels?: number;
  /** Exact width in pixels; with `height` the picture is stretched to fit, alone it keeps the aspect. */
  readonly width?: number;
  /** Exact height in pixels; see `width`. */
  readonly height?: number;
}

/**
 * Decodes a photo file of any size to 8-bit sRGB turned upright. Grey, CMYK, 16-bit, palette
 * and profiled files are converted; transparent parts are laid on white; bands beside the colours are left out.
 *
 * @throws InputError naming the file and the remedy when it is missing, empty, cut short, not a photo, or larger
 *   than the limits of {@link openPhoto}
 */
export async function decodePhoto(photo: Photo, options: DecodeOptions = {}): Promise<Pixels> {
  return decodeOpenPhoto(await openPhoto(photo), options);
}

/** As {@link decodePhoto}, for a file that is already in memory. */
export async function decodeOpenPhoto(photo: OpenPhoto, options: DecodeOptions = {}): Promise<Pixels> {
  try {
    const { data, info } = await resized(await photo.picture(), photo, options)
      .flatten({ background: '#ffffff' })
      .toColourspace('srgb')
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    return { width: info.width, height: info.height, data: asThreeChannels(data, info.channels) };
  } catch (error) {
    throw error instanceof InputError ? error : notDecodable(photo.name, error);
  }
}

function resized(pipeline: Sharp, photo: OpenPhoto, options: DecodeOptions): Sharp {
  if (options.width !== undefined || options.height !== undefined) {
    return pipeline.resize({
      ...(options.width === undefined ? {} : { width: options.width }),
      ...(options.height === undefined ? {} : { height: options.height }),
      // Both sides say the shape; one alone keeps the photo's own.
      fit: options.width !== undefined && options.height !== undefined ? 'fill' : 'inside',
    });
  }
  const { width, height } = sizeWithin(photo, options.maxPixels ?? Number.POSITIVE_INFINITY);
  return width === photo.width && height === photo.height
    ? pipeline
    : pipeline.resize({ width, height, fit: 'fill' });
}

/** libvips keeps a grey photo at one band whatever the colour space asked for. */
function asThreeChannels(data: Buffer, channels: number): Uint8Array {
  if (channels === 3) return data;
  const pixels = data.length / channels;
  const colour = channels >= 3;
  const rgb = new Uint8Array(pixels * 3);
  for (let pixel = 0; pixel < pixels; pixel++) {
    for (let band = 0; band < 3; band++) {
      rgb[pixel * 3 + band] = data[pixel * channels + (colour ? band : 0)] as number;
    }
  }
  return rgb;
}

/**
 * Reads a photo file and its header.
 *
 * @throws InputError when the file is missing, a folder, empty, too large, of no format that is read, of
 *   bands of which nothing says which are its colours, or has more than 200 megapixels
 * @param bytes the file, where it was read already
 */
export async function openPhoto(photo: Photo, bytes?: Uint8Array): Promise<OpenPhoto> {
  const whole = await openBytes(photoName(photo), bytes ?? (await readPhoto(photo)));
  return isFramed(photo) ? cutOut(whole, photo.corners) : whole;
}

/** What a photo shows in a quadrilateral of it, as seen from above. */
function cutOut(whole: OpenPhoto, corners: Quadrilateral): OpenPhoto {
  const picture = async (): Promise<Sharp> => {
    const { data, width, height } = rectified(await decodeOpenPhoto(whole), corners);
    return rawPicture(data, width, height, 3);
  };
  return { ...whole, ...rectifiedSize(corners, whole), corners, picture };
}

async function openBytes(name: string, bytes: Uint8Array): Promise<OpenPhoto> {
  const photo = { name, bytes, ...(await headerOf(name, bytes)) };
  const { width, height } = photo;
  if (width * height <= MAX_PHOTO_PIXELS) return photo;
  // Rounded up, so that what is above the limit shows above it.
  const tenths = Math.ceil((width * height) / 1e5) / 10;
  const megapixels = Number.isInteger(tenths) ? tenths : tenths.toFixed(1);
  throw new InputError(
    name,
    `${width}×${height} is ${megapixels} megapixels, the limit is ${MAX_PHOTO_PIXELS / 1e6}`,
    'shrink the photo first',
  );
}

/** What is known of a file before it is decoded, and how to. */
type PhotoHeader = Omit<OpenPhoto, 'name' | 'bytes'>;

async function headerOf(name: string, bytes: Uint8Array): Promise<PhotoHeader> {
  const format = formatOf(bytes);
  if (format === 'bmp') {
    const header = readBitmapHeader(name, bytes);
    const { width, height } = header;
    const picture = (): Sharp => rawPicture(bitmapPixels(name, bytes, header), width, height, 3);
    return { width, height, orientation: 1, picture };
  }
  const layout = format === 'tiff' ? readTiffLayout(bytes) : null;
  const bands = layout && tiffBands(name, layout);
  const metadata = await encodedHeader(bytes).catch((error: unknown) => {
    const kind = format === null ? contentKind(bytes) : null;
    if (kind !== null) throw new InputError(name, `is not a photo but ${kind}`, `give ${PHOTO_FORMATS}`);
    throw notDecodable(name, error);
  });
  const { compression, exif, orientation = 1 } = metadata;
  if (!FORMATS.has(metadata.format)) {
    throw new InputError(
      name,
      `a ${metadata.format} file is not a photo sward reads`,
      `save it as ${PHOTO_FORMATS}`,
    );
  }
  const header = { ...metadata.autoOrient, orientation, ...(exif && { exif }) };
  if (format === 'heif' && compression !== 'av1') {
    return { ...header, picture: () => heicPicture(bytes, metadata.icc) };
  }
  if (layout && bands) return { ...header, picture: () => tiffPicture(name, bytes, layout, bands) };
  return { ...header, picture: () => encodedPicture(bytes, metadata.pagePrimary).autoOrient() };
}

/** What a decoder's failure means for the person who gave the file. */
function notDecodable(name: string, error: unknown): InputError {
  // Which of its parts says so is the library's own affair.
  const line =
    messageOf(error)
      .split('\n')[0]
      ?.trim()
      .replace(/^Vips\w+: /, '') ?? '';
  const reason = line === '' || line === 'Unknown error' ? 'damaged or cut short' : line;
  return new InputError(
    name,
    `the photo cannot be decoded (${reason})`,
    'replace the file with a whole copy of the photo',
  );
}
