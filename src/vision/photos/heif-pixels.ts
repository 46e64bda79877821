/// <reference path="./libheif.d.ts" />

/** libheif, however it was loaded. */
export type Libheif = typeof import('libheif-js/wasm-bundle.js').default;

/** Pixels in libheif's memory: 8-bit RGB and opacity, row by row. */
export interface HeifPixels {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
  /** Bytes from one row to the next. */
  readonly stride: number;
}

/**
 * The picture of a HEIC file. Upright: libheif applies the turn and mirror of the file itself; the EXIF orientation beside
 * them says the same once more, and the standard (ISO/IEC 23008-12) tells readers to leave it.
 *
 * @param use takes what it needs of the pixels, which are given back afterwards
 * @throws Error with libheif's reason when the file does not decode
 */
export function withHeifPixels<Result>(
  libheif: Libheif,
  bytes: Uint8Array,
  use: (pixels: HeifPixels) => Result,
): Result {
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
        return use(picture.channels[0]);
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
