import { type HeifPixels, withHeifPixels } from '../../../src/vision/photos/heif-pixels.ts';
import type { Pixels } from '../../../src/vision/photos/pixels.ts';

/**
 * The pixels of a HEIC, upright, in the colours of its profile. libheif is loaded with the first one: no browser but Safari
 * knows HEIC.
 *
 * @throws Error with libheif's reason when the file does not decode
 */
export async function heicPixels(bytes: Uint8Array): Promise<Pixels> {
  const { default: load } = await import('libheif-js/libheif-wasm/libheif-bundle.mjs');
  return withHeifPixels(load(), bytes, withoutOpacity);
}

function withoutOpacity({ data, width, height, stride }: HeifPixels): Pixels {
  const rgb = new Uint8Array(width * height * 3);
  for (let y = 0, to = 0; y < height; y++) {
    for (let from = y * stride, end = from + 4 * width; from < end; from += 4, to += 3) {
      rgb[to] = data[from] as number;
      rgb[to + 1] = data[from + 1] as number;
      rgb[to + 2] = data[from + 2] as number;
    }
  }
  return { width, height, data: rgb };
}
