import { readFile, stat } from 'node:fs/promises';
import sharp, { type Metadata, type Sharp, type SharpOptions } from 'sharp';
import { InputError, messageOf } from '../../ground/errors.ts';

/** Photos with more pixels than this are refused; phones stop at 200 megapixels. */
export const MAX_PHOTO_PIXELS = 200_000_000;

/** Files larger than this are refused before they are read into memory: 512 MiB. */
export const MAX_PHOTO_BYTES = 512 * 1024 * 1024;

const FORMATS = new Set(['jpeg', 'png', 'webp', 'tiff']);

/** A photo file in memory, not decoded yet. */
export interface PhotoBytes {
  /** The whole file. */
  readonly bytes: Uint8Array;
  /** Size in pixels as a person sees the photo, EXIF orientation applied. */
  readonly width: number;
  readonly height: number;
}

/** A photo file whose header was read and found acceptable. */
export interface OpenPhoto extends PhotoBytes {
  readonly path: string;
  readonly metadata: Metadata;
}

/**
 * Reads a photo file and its header.
 *
 * @throws InputError when the file is missing, a folder, empty, too large, not JPEG, PNG, WebP or TIFF, or has
 *   more than {@link MAX_PHOTO_PIXELS} pixels
 */
export async function openPhoto(path: string): Promise<OpenPhoto> {
  const bytes = await readPhotoFile(path);
  let metadata: Metadata;
  try {
    metadata = await sharp(bytes, { ...READING, limitInputPixels: false }).metadata();
  } catch (error) {
    throw notDecodable(path, error);
  }
  if (!FORMATS.has(metadata.format)) {
    throw new InputError(
      path,
      `a ${metadata.format} file is not a photo sward reads`,
      'save it as JPEG, PNG, WebP or TIFF',
    );
  }
  const { width, height } = metadata.autoOrient;
  if (width * height > MAX_PHOTO_PIXELS) {
    const megapixels = Math.round((width * height) / 1e6);
    throw new InputError(
      path,
      `${width}×${height} is ${megapixels} megapixels, the limit is ${MAX_PHOTO_PIXELS / 1e6}`,
      'shrink the photo first',
    );
  }
  return { path, bytes, metadata, width, height };
}

/**
 * A decoding pipeline with EXIF orientation applied, in which a file that ends early is an error everywhere:
 * libvips would otherwise fill the missing part with grey and go on.
 */
export function pixelPipeline(bytes: Uint8Array): Sharp {
  return sharp(bytes, { ...READING, limitInputPixels: MAX_PHOTO_PIXELS }).autoOrient();
}

/** What a decoder's failure means for the person who gave the file. */
export function notDecodable(path: string, error: unknown): InputError {
  const line = messageOf(error).split('\n')[0]?.trim() ?? '';
  const reason = line === '' || line === 'Unknown error' ? 'damaged or cut short' : line;
  return new InputError(
    path,
    `the photo cannot be decoded (${reason})`,
    'replace the file with a whole copy of the photo',
  );
}

const READING: SharpOptions = { failOn: 'truncated', sequentialRead: true, pages: 1 };

async function readPhotoFile(path: string): Promise<Buffer> {
  let bytes: Buffer;
  try {
    const facts = await stat(path);
    if (facts.isDirectory()) {
      throw new InputError(path, 'is a folder, not a photo', 'name a photo in it');
    }
    if (facts.size > MAX_PHOTO_BYTES) {
      throw new InputError(
        path,
        `the file has ${Math.round(facts.size / 2 ** 20)} MiB, the limit is ${MAX_PHOTO_BYTES / 2 ** 20}`,
        'shrink the photo first',
      );
    }
    bytes = await readFile(path);
  } catch (error) {
    if (error instanceof InputError) throw error;
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      throw new InputError(path, 'there is no such photo', 'check the path');
    }
    throw new InputError(path, `the file cannot be read (${messageOf(error)})`, 'check its permissions');
  }
  if (bytes.length === 0) {
    throw new InputError(path, 'the file is empty (0 bytes)', 'copy the photo again');
  }
  return bytes;
}
