/** Formats of photos, told apart by a file's first bytes; what a file is called does not matter. */
export type PhotoFormat = 'jpeg' | 'png' | 'webp' | 'tiff' | 'heif' | 'bmp';

/** Bytes from the start of a file that {@link formatOf} looks at. */
export const FORMAT_BYTES = 12;

/** Brands of ISO media files that hold pictures; films and raw photos of cameras have others. */
const PICTURE_BRANDS = new Set(
  'heic heix heim heis hevc hevx mif1 mif2 msf1 avif avis miaf avci jpeg j2ki'.split(' '),
);

/**
 * The format that a file's first bytes announce.
 *
 * @param start at least {@link FORMAT_BYTES} bytes, or the whole of a shorter file
 * @returns null for what is no photo that is read
 */
export function formatOf(start: Uint8Array): PhotoFormat | null {
  const text = String.fromCharCode(...start.subarray(0, FORMAT_BYTES));
  if (text.startsWith('\xff\xd8\xff')) return 'jpeg';
  if (text.startsWith('\x89PNG')) return 'png';
  if (text.startsWith('RIFF') && text.slice(8) === 'WEBP') return 'webp';
  if (/^(II[*+]\0|MM\0[*+])/.test(text)) return 'tiff';
  if (text.slice(4, 8) === 'ftyp' && PICTURE_BRANDS.has(text.slice(8))) return 'heif';
  if (text.startsWith('BM')) return 'bmp';
  return null;
}
