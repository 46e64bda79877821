/** Pixels of a photo: 8-bit sRGB, interleaved. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  /** [height, width, 3], red first, row by row from the top left. */
  readonly data: Uint8Array;
}

/** The size of a picture shrunk, its aspect kept, until it has at most so many pixels; never larger than it is. */
export function sizeWithin(
  { width, height }: Pick<Pixels, 'width' | 'height'>,
  maxPixels: number,
): { readonly width: number; readonly height: number } {
  if (width * height <= maxPixels) return { width, height };
  const scale = Math.sqrt(maxPixels / (width * height));
  return { width: Math.max(1, Math.floor(width * scale)), height: Math.max(1, Math.floor(height * scale)) };
}
