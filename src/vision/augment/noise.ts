import type { RandomStream } from '../../ground/random.ts';
import type { Pixels } from '../photos/pixels.ts';

/** Independent normal noise of the given standard deviation (grey levels) added to every channel. */
export function withNoise({ width, height, data }: Pixels, deviation: number, random: RandomStream): Pixels {
  const result = new Uint8ClampedArray(data.length);
  for (let i = 0; i < data.length; i++) result[i] = (data[i] as number) + deviation * random.normal();
  return { width, height, data: new Uint8Array(result.buffer) };
}

/** A hole in pixels from the top left; `right` and `bottom` are outside. */
export interface Hole {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** The picture with its holes filled black, or with the picture's mean colour. */
export function withHoles(
  { width, height, data }: Pixels,
  holes: readonly Hole[],
  fill: 'black' | 'mean',
): Pixels {
  const result = new Uint8Array(data);
  const colour = fill === 'mean' ? meanColour(data) : [0, 0, 0];
  for (const { left, top, right, bottom } of holes) {
    for (let y = top; y < bottom; y++) {
      for (let x = left; x < right; x++) result.set(colour, (y * width + x) * 3);
    }
  }
  return { width, height, data: result };
}

function meanColour(data: Uint8Array): number[] {
  const sums = [0, 0, 0];
  for (let i = 0; i < data.length; i++) sums[i % 3] = (sums[i % 3] as number) + (data[i] as number);
  return sums.map((sum) => Math.round(sum / (data.length / 3)));
}
