import type { Pixels } from '../photos/pixels.ts';

/** Weights beyond this many standard deviations are left out. */
const GAUSSIAN_REACH = 3;

/** Gaussian blur, separable; beyond the border edge pixels go on. @param deviation in pixels */
export function gaussianBlurred(pixels: Pixels, deviation: number): Pixels {
  const reach = Math.max(1, Math.ceil(GAUSSIAN_REACH * deviation));
  const weights = Float32Array.from({ length: 2 * reach + 1 }, (_, place) =>
    Math.exp(-((place - reach) ** 2) / (2 * deviation ** 2)),
  );
  const sum = weights.reduce((total, weight) => total + weight, 0);
  for (let place = 0; place < weights.length; place++) weights[place] = (weights[place] as number) / sum;
  const taps = (dx: number, dy: number): Tap[] =>
    Array.from(weights, (weight, place) => ({ x: dx * (place - reach), y: dy * (place - reach), weight }));
  return filtered(filtered(pixels, taps(1, 0)), taps(0, 1));
}

/** The mean along a straight line through each pixel: a hand that moved. @param length in pixels, at least 1 */
export function motionBlurred(pixels: Pixels, length: number, degrees: number): Pixels {
  const angle = (degrees * Math.PI) / 180;
  // Half-pixel steps, each shared between the four pixels around it, so that any direction blurs alike.
  const steps = Math.max(1, Math.round(length * 2) - 1);
  const shares = new Map<string, Tap>();
  for (let step = 0; step < steps; step++) {
    const along = (step - (steps - 1) / 2) / 2;
    const x = along * Math.cos(angle);
    const y = along * Math.sin(angle);
    const left = Math.floor(x);
    const top = Math.floor(y);
    for (const dy of [0, 1]) {
      for (const dx of [0, 1]) {
        const weight = (dx === 0 ? 1 - (x - left) : x - left) * (dy === 0 ? 1 - (y - top) : y - top);
        if (weight < 1e-6) continue;
        const key = `${left + dx},${top + dy}`;
        const before = shares.get(key)?.weight ?? 0;
        shares.set(key, { x: left + dx, y: top + dy, weight: before + weight / steps });
      }
    }
  }
  return filtered(pixels, [...shares.values()]);
}

/** A neighbour's share in a pixel. */
interface Tap {
  readonly x: number;
  readonly y: number;
  readonly weight: number;
}

/** Sums of weighted neighbours, one tap after another over whole rows, which runs faster than pixel by pixel. */
function filtered({ width, height, data }: Pixels, taps: readonly Tap[]): Pixels {
  const result = new Uint8Array(data.length);
  const row = new Float32Array(width * 3);
  for (let y = 0; y < height; y++) {
    row.fill(0.5);
    for (const tap of taps) {
      const sourceRow = Math.max(0, Math.min(height - 1, y + tap.y)) * width * 3;
      addShifted(row, data, sourceRow, width, tap);
    }
    result.set(row, y * width * 3);
  }
  return { width, height, data: result };
}

function addShifted(row: Float32Array, data: Uint8Array, sourceRow: number, width: number, tap: Tap): void {
  const { x: shift, weight } = tap;
  const start = Math.min(width, Math.max(0, -shift));
  const end = Math.max(start, Math.min(width, width - shift));
  for (let x = 0; x < start; x++) addPixel(row, x * 3, data, sourceRow, weight);
  const offset = sourceRow + shift * 3;
  for (let i = start * 3; i < end * 3; i++) {
    row[i] = (row[i] as number) + weight * (data[offset + i] as number);
  }
  const last = sourceRow + (width - 1) * 3;
  for (let x = end; x < width; x++) addPixel(row, x * 3, data, last, weight);
}

function addPixel(row: Float32Array, to: number, data: Uint8Array, from: number, weight: number): void {
  for (let band = 0; band < 3; band++) {
    row[to + band] = (row[to + band] as number) + weight * (data[from + band] as number);
  }
}
