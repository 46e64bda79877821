import type { Sharp } from 'sharp';
import { encodedPicture } from './encoded.ts';
import { withHeifPixels } from './heif-pixels.ts';
import { profiledTiff } from './profiled-tiff.ts';

/**
 * The picture of a HEIC file, which iPhones write and which libvips as npm has it cannot decode, upright (see
 * `withHeifPixels`). Its colour profile (Display P3 of iPhones) is kept for who decodes it.
 *
 * @throws Error with libheif's reason when the file does not decode
 */
export async function heicPicture(bytes: Uint8Array, profile: Uint8Array | undefined): Promise<Sharp> {
  // Two megabytes that who has no HEIC need not load.
  const { default: libheif } = await import('libheif-js/wasm-bundle.js');
  return encodedPicture(
    withHeifPixels(libheif, bytes, (pixels) => profiledTiff({ ...pixels, ...(profile && { profile }) })),
  );
}
