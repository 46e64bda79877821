import type { RandomStream } from '../../ground/random.ts';
import type { Pixels } from '../photos/decode.ts';

/** Independent normal noise of the given standard deviation (grey levels) added to every channel. */
export function withNoise({ width, height, data }: Pixels, deviation: number, random: RandomStream): Pixels {
  const result = new Uint8ClampedArray(data.length);
  for (let i = 0; i < data.length; i++) result[i] = (data[i] as number) + deviation * random.normal();
  return { width, height, data: new Uint8Array(result.buffer) };
}
