import { LEAFWISE_DEFAULTS, type LeafwiseParameters } from '../../../src/estimators/trees/leafwise.ts';
import type { Matrix } from '../../../src/ground/matrix.ts';
import { randomStream } from '../../../src/ground/random.ts';

/** A matrix from its rows. */
export function rowsOf(rows: readonly (readonly number[])[]): Matrix {
  return { rows: rows.length, columns: rows[0]?.length ?? 0, data: Float64Array.from(rows.flat()) };
}

/** Standard normal numbers. */
export function normalMatrix(rows: number, columns: number, seed: number): Matrix {
  const random = randomStream(seed);
  return { rows, columns, data: Float64Array.from({ length: rows * columns }, () => random.normal()) };
}

/** A positive target that bends in the first three columns, with noise. */
export function bentTargets(inputs: Matrix, seed: number): Float64Array {
  const random = randomStream(seed);
  return Float64Array.from({ length: inputs.rows }, (_, row) => {
    const [a = 0, b = 0, c = 0] = inputs.data.subarray(row * inputs.columns, row * inputs.columns + 3);
    return Math.max(0, 20 + 8 * a + 5 * b * b + 4 * Math.sin(2 * c) + 2 * random.normal());
  });
}

/** Parameters that let a tree follow a handful of rows. */
export const FREE: LeafwiseParameters = {
  ...LEAFWISE_DEFAULTS,
  numIterations: 1,
  learningRate: 1,
  minDataInLeaf: 1,
  minSumHessian: 0,
  minDataInBin: 1,
};
