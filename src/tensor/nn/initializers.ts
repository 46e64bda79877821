import type { RandomStream } from '../../ground/random.ts';
import { type Shape, sizeOf } from '../graph/shape.ts';

/** Makes the first values of a new parameter. */
export type Initializer = (shape: Shape, random: RandomStream) => Float32Array;

/** All elements the same. */
export const filledWith =
  (value: number): Initializer =>
  (shape) =>
    new Float32Array(sizeOf(shape)).fill(value);

export const zeros: Initializer = filledWith(0);
export const ones: Initializer = filledWith(1);

/** Normal with the given deviation, redrawn beyond two deviations (timm's `trunc_normal_`). */
export const truncatedNormal =
  (deviation = 0.02): Initializer =>
  (shape, random) =>
    Float32Array.from({ length: sizeOf(shape) }, () => {
      let value = random.normal();
      while (Math.abs(value) > 2) value = random.normal();
      return value * deviation;
    });

/** Uniform in ±bound. */
export const uniform =
  (bound: number): Initializer =>
  (shape, random) =>
    Float32Array.from({ length: sizeOf(shape) }, () => (2 * random.uniform() - 1) * bound);

/**
 * Uniform in ±1/√(inputs of one output): what torch gives linear and convolution weights and biases.
 *
 * @param inputs inputs of one output; by default all but the first axis
 */
export const fanIn =
  (inputs?: number): Initializer =>
  (shape, random) =>
    uniform(1 / Math.sqrt(inputs ?? sizeOf(shape.slice(1))))(shape, random);
