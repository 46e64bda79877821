import type { PhotoFormat } from '../../vision/photos/format.ts';

/** What browsers call the formats of photos. AVIF and HEIC are one format here. */
export const MEDIA_TYPES: Readonly<Record<PhotoFormat, string>> = {
  jpeg: 'image/jpeg',
  png: 'image/png',
  webp: 'image/webp',
  tiff: 'image/tiff',
  heif: 'image/heif',
  bmp: 'image/bmp',
};

/** Ending of a file of each media type. */
export const FILE_ENDINGS: Readonly<Record<string, string>> = {
  'image/jpeg': 'jpg',
  'image/png': 'png',
  'image/webp': 'webp',
  'image/tiff': 'tif',
  'image/heif': 'heic',
  'image/bmp': 'bmp',
};
