import sharp, { type Metadata, type Sharp, type SharpOptions } from 'sharp';
import { InputError, messageOf } from '../../ground/errors.ts';
import { type Photo, photoName, readPhoto } from './photo.ts';

/** Photos with more pixels than this are refused; phones stop at 200 megapixels. */
const MAX_PHOTO_PIXELS = 200_000_000;

const FORMATS = new Set(['jpeg', 'png', 'webp', 'tiff']);

/** A file that ends early is an error everywhere: libvips would otherwise fill what is missing with grey and go on. */
const READING: SharpOptions = { failOn: 'truncated', sequentialRead: true, pages: 1 };

/** A photo file in memory whose header was read and found acceptable; not decoded yet. */
export interface OpenPhoto {
  /** Its path, or what its content is called. */
  readonly name: string;
  /** The whole file. */
  readonly bytes: Uint8Array;
  /** Size in pixels as a person sees the photo, EXIF orientation applied. */
  readonly width: number;
  readonly height: number;
  readonly metadata: Metadata;
}

/** Pixels of a photo: 8-bit sRGB, interleaved. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  /** [height, width, 3], red first, row by row from the top left. */
  readonly data: Uint8Array;
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
 * Decodes a photo file of any size to 8-bit sRGB with EXIF orientation applied. Grey, CMYK, 16-bit, palette
 * and profiled files are converted; transparent parts are laid on white.
 *
 * @throws InputError naming the file and the remedy when it is missing, empty, cut short, not a photo, or larger
 *   than the limits of {@link openPhoto}
 */
export async function decodePhoto(photo: Photo, options: DecodeOptions = {}): Promise<Pixels> {
  return decodeOpenPhoto(await openPhoto(photo), options);
}

/** As {@link decodePhoto}, for a file that is already in memory. */
export async function decodeOpenPhoto(photo: OpenPhoto, options: DecodeOptions = {}): Promise<Pixels> {
  const pipeline = sharp(photo.bytes, { ...READING, limitInputPixels: MAX_PHOTO_PIXELS }).autoOrient();
  try {
    const { data, info } = await resized(pipeline, photo, options)
      .flatten({ background: '#ffffff' })
      .toColourspace('srgb')
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    return { width: info.width, height: info.height, data: asThreeChannels(data, info.channels) };
  } catch (error) {
    throw notDecodable(photo.name, error);
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
  const pixels = photo.width * photo.height;
  if (options.maxPixels === undefined || pixels <= options.maxPixels) return pipeline;
  const scale = Math.sqrt(options.maxPixels / pixels);
  return pipeline.resize({
    width: Math.max(1, Math.floor(photo.width * scale)),
    height: Math.max(1, Math.floor(photo.height * scale)),
    fit: 'fill',
  });
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
 * @throws InputError when the file is missing, a folder, empty, too large, not JPEG, PNG, WebP or TIFF, or has
 *   more than 200 megapixels
 * @param bytes the file, where it was read already
 */
export async function openPhoto(photo: Photo, bytes?: Uint8Array): Promise<OpenPhoto> {
  return openBytes(photoName(photo), bytes ?? (await readPhoto(photo)));
}

async function openBytes(name: string, bytes: Uint8Array): Promise<OpenPhoto> {
  let metadata: Metadata;
  try {
    metadata = await sharp(bytes, { ...READING, limitInputPixels: false }).metadata();
  } catch (error) {
    throw notDecodable(name, error);
  }
  if (!FORMATS.has(metadata.format)) {
    throw new InputError(
      name,
      `a ${metadata.format} file is not a photo sward reads`,
      'save it as JPEG, PNG, WebP or TIFF',
    );
  }
  const { width, height } = metadata.autoOrient;
  if (width * height > MAX_PHOTO_PIXELS) {
    const megapixels = Math.round((width * height) / 1e6);
    throw new InputError(
      name,
      `${width}×${height} is ${megapixels} megapixels, the limit is ${MAX_PHOTO_PIXELS / 1e6}`,
      'shrink the photo first',
    );
  }
  return { name, bytes, metadata, width, height };
}

/** What a decoder's failure means for the person who gave the file. */
function notDecodable(name: string, error: unknown): InputError {
  const line = messageOf(error).split('\n')[0]?.trim() ?? '';
  const reason = line === '' || line === 'Unknown error' ? 'damaged or cut short' : line;
  return new InputError(
    name,
    `the photo cannot be decoded (${reason})`,
    'replace the file with a whole copy of the photo',
  );
}
