/** A small copy of a photo, and what is known of the photo itself. */
export interface CheckedPhoto {
  /** Upright, about {@link CHECKED_WIDTH} wide; RGBA. */
  readonly copy: { readonly width: number; readonly height: number; readonly data: Uint8ClampedArray };
  /** Of the photo, pixels. */
  readonly width: number;
  readonly height: number;
  /** Between the camera's axis and straight down, degrees; null: the device does not tell. */
  readonly tiltDegrees: number | null;
}

/** Width of the copy that is looked at: what is blurred at it is blurred for a run, which sees no more. */
export const CHECKED_WIDTH = 512;

/**
 * Advice is given beyond these. Of 86 public photos of CSIRO Image2Biomass the least sharp has 1711, and 97 at most once
 * blurred by 2 pixels at that width; the darkest has 55, and none is white in more than 2 % of its pixels.
 */
const LEAST_SHARPNESS = 400;
const LEAST_BRIGHTNESS = 45;
const MOST_WHITE = 0.1;
/** Runs look at tiles of a few hundred pixels. */
const FEWEST_PIXELS = 800;
const MOST_TILT_DEGREES = 20;

/** What a photo's copy measures. */
export interface Measures {
  /** Variance of the Laplacian of the grey values. */
  readonly sharpness: number;
  /** Mean grey value, 0 to 255. */
  readonly brightness: number;
  /** Share of pixels that are white in all bands. */
  readonly white: number;
}

/** What looks wrong with a photo, with what helps, a sentence each. */
export function adviceOn(photo: CheckedPhoto): string[] {
  const { sharpness, brightness, white } = measure(photo.copy);
  const { width, height, tiltDegrees } = photo;
  const advice: string[] = [];
  if (Math.max(width, height) < FEWEST_PIXELS) {
    advice.push(`Small: ${width} × ${height} pixels. Use the camera's full size.`);
  }
  if (brightness < LEAST_BRIGHTNESS) advice.push('Too dark. Photograph by daylight.');
  else if (sharpness < LEAST_SHARPNESS)
    advice.push('Blurred. Hold still, tap the sward to focus, wipe the lens.');
  if (white > MOST_WHITE) advice.push('Blown out: parts are plain white. Shade the frame with your body.');
  if (tiltDegrees !== null && tiltDegrees > MOST_TILT_DEGREES) {
    advice.push(`Tilted by ${Math.round(tiltDegrees)}°. Hold the phone level, straight above the frame.`);
  }
  return advice;
}

/** Measures a copy. */
export function measure({ width, height, data }: CheckedPhoto['copy']): Measures {
  const grey = new Float32Array(width * height);
  let sum = 0;
  let whites = 0;
  for (let pixel = 0; pixel < grey.length; pixel++) {
    const [r, g, b] = [data[4 * pixel] ?? 0, data[4 * pixel + 1] ?? 0, data[4 * pixel + 2] ?? 0];
    const value = 0.299 * r + 0.587 * g + 0.114 * b;
    grey[pixel] = value;
    sum += value;
    if (r > 250 && g > 250 && b > 250) whites++;
  }
  const at = (x: number, y: number): number => grey[y * width + x] ?? 0;
  let total = 0;
  let squares = 0;
  for (let y = 1; y < height - 1; y++) {
    for (let x = 1; x < width - 1; x++) {
      const change = at(x - 1, y) + at(x + 1, y) + at(x, y - 1) + at(x, y + 1) - 4 * at(x, y);
      total += change;
      squares += change * change;
    }
  }
  const count = Math.max(1, (width - 2) * (height - 2));
  return {
    sharpness: squares / count - (total / count) ** 2,
    brightness: sum / Math.max(1, grey.length),
    white: whites / Math.max(1, grey.length),
  };
}
