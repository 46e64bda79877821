/** Pixels of a photo: 8-bit sRGB, interleaved. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  /** [height, width, 3], red first, row by row from the top left. */
  readonly data: Uint8Array;
}
