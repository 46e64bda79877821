/// <reference path="./libheif.d.ts" />

import type { Sharp } from 'sharp';
import { encodedPicture } from './encoded.ts';
import { profiledTiff } from './profiled-tiff.ts';

type Libheif = typeof import('libheif-js/wasm-bundle.js').default;

/**
 * The picture of a HEIC file, which iPhones write and which libvips as npm has it cannot decode. Upright: libheif applies
 * the turn and mirror of the file itself; the EXIF orientation beside them says the same once more, and the standard
 * (ISO/IEC 23008-12) tells readers to leave it. Its colour profile (Display P3 of iPhones) is kept for who decodes it.
 *
 * @throws Error with libheif's reason when the file does not decode
 */
export async function heicPicture(bytes: Uint8Array, profile: Uint8Array | undefined): Promise<Sharp> {
  // Two megabytes that who has no HEIC need not load.
  const { default: libheif } = await import('libheif-js/wasm-bundle.js');
  return encodedPicture(decoded(libheif, bytes, profile));
}

/** A TIFF of the pixels; all that libheif took for it is given back. */
function decoded(libheif: Libheif, bytes: Uint8Array, profile: Uint8Array | undefined): Uint8Array {
  const context = libheif.heif_context_alloc();
  try {
    const opened = libheif.heif_context_read_from_memory(context, bytes);
    if (opened.code.value !== 0) throw new Error(opened.message);
    const handle = libheif.heif_js_context_get_primary_image_handle(context);
    if (handle.message !== undefined) throw new Error(handle.message);
    try {
      const picture = libheif.heif_js_decode_image2(
        handle,
        libheif.heif_colorspace.heif_colorspace_RGB,
        libheif.heif_chroma.heif_chroma_interleaved_RGBA,
      );
      if (!('image' in picture)) throw new Error(picture.message);
      try {
        const [{ data, width, height, stride }] = picture.channels;
        return profiledTiff({ data, width, height, stride, ...(profile && { profile }) });
      } finally {
        libheif.heif_image_release(picture.image);
      }
    } finally {
      libheif.heif_image_handle_release(handle);
    }
  } finally {
    libheif.heif_context_free(context);
  }
}
