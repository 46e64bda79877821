/** Smaller pictures are too few pixels to tell by. */
const LEAST_PIXELS = 4096;

/** Opacity is all or nothing nearly everywhere; of measurements only what is overexposed or shaded. */
const MOST_EXTREME = 0.5;

/**
 * Levels, of 255, that a pixel is from the mean of its neighbours: opacity is even or fades, what was measured has the
 * texture of the photo (near infrared of a quadrat at 480 pixels: 25).
 */
const LEAST_TEXTURE = 2;

/**
 * Whether a band that is called opacity is a measurement: some programs, GDAL's default for four bands of 8 bits among
 * them, call near infrared so.
 *
 * @param data 8 bits a band, interleaved; the opacity is the last of `channels`
 */
export function isMeasuredBand(data: Uint8Array, width: number, height: number, channels: number): boolean {
  const pixels = width * height;
  if (pixels < LEAST_PIXELS) return false;
  let extreme = 0;
  let texture = 0;
  const levelOf = (pixel: number): number => data[(pixel + 1) * channels - 1] as number;
  for (let pixel = 1; pixel < pixels - 1; pixel++) {
    const value = levelOf(pixel);
    if (value === 0 || value === 255) extreme++;
    texture += Math.abs(value - (levelOf(pixel - 1) + levelOf(pixel + 1)) / 2);
  }
  return extreme < MOST_EXTREME * pixels && texture >= LEAST_TEXTURE * pixels;
}
