import type { Pixels } from '../photos/pixels.ts';

/**
 * A photo as frames are looked for in it: brightness and two differences of colour, slightly smoothed, each in units of how
 * much it usually changes from place to place in this photo, so that what is unlike the sward stands out in each alike.
 */
export interface Picture {
  readonly width: number;
  readonly height: number;
  /** `[height, width]` each. */
  readonly channels: readonly [Float32Array, Float32Array, Float32Array];
}

/**
 * Brightness, and as shares of it red against green and yellow against blue, which neither shade nor the rounding of a pipe
 * changes. What is nearly black has no colour.
 */
const CHANNELS = [
  { weights: [1 / 3, 1 / 3, 1 / 3], isShare: false },
  { weights: [1, -1, 0], isShare: true },
  { weights: [0.5, 0.5, -1], isShare: true },
] as const;
const NEARLY_BLACK = 25;

/** Pixels apart between which change is measured, and from one place where it is to the next. */
const [STEP, LOOKED_APART] = [4, 23] as const;
/** Change that is noise of the sensor where a photo shows next to none. */
const LEAST_CHANGE = [6, 0.03, 0.03] as const;

export function pictureOf({ width, height, data }: Pixels): Picture {
  const channel = (index: 0 | 1 | 2): Float32Array => {
    const { weights, isShare } = CHANNELS[index];
    const values = new Float32Array(width * height);
    for (let pixel = 0, at = 0; pixel < values.length; pixel++, at += 3) {
      const red = data[at] as number;
      const green = data[at + 1] as number;
      const blue = data[at + 2] as number;
      const value = weights[0] * red + weights[1] * green + weights[2] * blue;
      values[pixel] = isShare ? value / ((red + green + blue) / 3 + NEARLY_BLACK) : value;
    }
    const smoothed = smooth(values, width, height);
    const scale = 1 / Math.max(LEAST_CHANGE[index], usualChange(smoothed, width));
    for (let pixel = 0; pixel < smoothed.length; pixel++)
      smoothed[pixel] = (smoothed[pixel] as number) * scale;
    return smoothed;
  };
  return { width, height, channels: [channel(0), channel(1), channel(2)] };
}

/** Binomial weights 1 2 1 both ways. */
function smooth(values: Float32Array, width: number, height: number): Float32Array {
  const rows = new Float32Array(values.length);
  for (let y = 0; y < height; y++) {
    const [first, last] = [y * width, (y + 1) * width - 1];
    for (let at = first; at <= last; at++) {
      const before = values[at > first ? at - 1 : at] as number;
      rows[at] = (before + 2 * (values[at] as number) + (values[at < last ? at + 1 : at] as number)) / 4;
    }
  }
  const result = new Float32Array(values.length);
  for (let at = 0; at < values.length; at++) {
    const above = rows[at >= width ? at - width : at] as number;
    const below = rows[at + width < values.length ? at + width : at] as number;
    result[at] = (above + 2 * (rows[at] as number) + below) / 4;
  }
  return result;
}

/** Median difference between pixels some way apart, brought to a standard deviation. */
function usualChange(values: Float32Array, width: number): number {
  const first = STEP * width + STEP;
  const changes = new Float64Array(2 * Math.max(0, Math.ceil((values.length - first) / LOOKED_APART)));
  for (let at = first, index = 0; at < values.length; at += LOOKED_APART, index += 2) {
    changes[index] = Math.abs((values[at] as number) - (values[at - STEP] as number));
    changes[index + 1] = Math.abs((values[at] as number) - (values[at - STEP * width] as number));
  }
  changes.sort();
  return (changes[changes.length >> 1] ?? 0) * 1.05;
}

/** The three channels at a place, between pixels in proportion; outside, of the nearest pixel. */
export function valuesAt(
  { width, height, channels }: Picture,
  x: number,
  y: number,
  into: Float64Array,
  at = 0,
): void {
  // For every pixel beside every side: without a list that would be made for each.
  const u = Math.min(width - 1.001, Math.max(0, x - 0.5));
  const v = Math.min(height - 1.001, Math.max(0, y - 0.5));
  const left = Math.floor(u);
  const top = Math.floor(v);
  const right = u - left;
  const low = v - top;
  const first = top * width + left;
  for (let channel = 0; channel < 3; channel++) {
    const values = channels[channel] as Float32Array;
    const upper = (values[first] as number) * (1 - right) + (values[first + 1] as number) * right;
    const lower =
      (values[first + width] as number) * (1 - right) + (values[first + width + 1] as number) * right;
    into[at + channel] = upper * (1 - low) + lower * low;
  }
}
