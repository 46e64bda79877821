import type { Sharp } from 'sharp';
import { notDecodable, type OpenPhoto, openPhoto, type PhotoBytes, pixelPipeline } from './open.ts';

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
export async function decodePhoto(path: string, options: DecodeOptions = {}): Promise<Pixels> {
  return decodeOpenPhoto(await openPhoto(path), options);
}

/** As {@link decodePhoto}, for a file that is already in memory. */
export async function decodeOpenPhoto(photo: OpenPhoto, options: DecodeOptions = {}): Promise<Pixels> {
  try {
    return await decodeBytes(photo, options);
  } catch (error) {
    throw notDecodable(photo.path, error);
  }
}

/**
 * The decoding itself, for callers that hand a photo's bytes to another thread.
 *
 * @throws whatever the decoder reports; `notDecodable` makes it presentable
 */
export async function decodeBytes(photo: PhotoBytes, options: DecodeOptions = {}): Promise<Pixels> {
  const { data, info } = await resized(pixelPipeline(photo.bytes), photo, options)
    .flatten({ background: '#ffffff' })
    .toColourspace('srgb')
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, data: asThreeChannels(data, info.channels) };
}

function resized(pipeline: Sharp, photo: PhotoBytes, options: DecodeOptions): Sharp {
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
