import { randomStream } from '../../src/ground/random.ts';
import {
  type Parameter,
  saveTensors,
  sizeOf,
  type TensorArray,
  type TensorData,
} from '../../src/tensor/index.ts';

const DEVIATION = 0.02;

/** How many numbers are really drawn; the rest repeats them. */
const DRAWN = 1 << 20;

/**
 * Writes weights that are good for measuring: vectors as a new model has them, everything larger noise. All
 * tensors are views of one array, so that a file of gigabytes needs the memory of its largest tensor.
 */
export async function writeRandomWeights(path: string, parameters: readonly Parameter[]): Promise<void> {
  const largest = Math.max(...parameters.map(({ shape }) => sizeOf(shape)));
  const noise = noiseOf(largest);
  const tensors = parameters.map(({ name, shape, origin: { initial } }): [string, TensorData] => {
    const isVector = shape.filter((length) => length > 1).length <= 1;
    const values: TensorArray =
      isVector && initial.from === 'generator' ? initial.generate() : noise.subarray(0, sizeOf(shape));
    return [name, { dtype: 'float32', shape, values }];
  });
  await saveTensors(path, Object.fromEntries(tensors));
}

function noiseOf(count: number): Float32Array {
  const random = randomStream(1);
  const noise = new Float32Array(count);
  for (let i = 0; i < Math.min(count, DRAWN); i++) noise[i] = DEVIATION * random.normal();
  for (let filled = DRAWN; filled < count; filled *= 2) noise.copyWithin(filled, 0, filled);
  return noise;
}
