import {
  type LeafwiseParameters,
  leafwiseBoostSettings,
  type ObliviousParameters,
  obliviousBoostSettings,
} from '../../../src/estimators/trees/boost-settings.ts';
import type { BoostingData, ValidationData } from '../../../src/estimators/trees/boosting.ts';
import { binFor, trainLeafwise } from '../../../src/estimators/trees/leafwise.ts';
import { lightGbmPredictor } from '../../../src/estimators/trees/lightgbm-model.ts';
import { toLightGbm } from '../../../src/estimators/trees/lightgbm-write.ts';
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

/** A target of one output. */
export function column(values: ArrayLike<number>): Matrix {
  return { rows: values.length, columns: 1, data: Float64Array.from(values) };
}

/** LightGBM's defaults. */
export const LEAFWISE_DEFAULTS: LeafwiseParameters = leafwiseBoostSettings.parse({
  kind: 'leafwise-boost',
  numIterations: 100,
  learningRate: 0.1,
  numLeaves: 31,
  maxDepth: -1,
  minDataInLeaf: 20,
  featureFraction: 1,
  baggingFraction: 1,
  baggingFreq: 0,
  lambdaL2: 0,
});

/** CatBoost's defaults, but for the learning rate, which CatBoost guesses from the data. */
export const OBLIVIOUS_DEFAULTS: ObliviousParameters = obliviousBoostSettings.parse({
  kind: 'oblivious-boost',
  alpha: 0.5,
  iterations: 1000,
  learningRate: 0.03,
  depth: 6,
  randomStrength: 1,
  baggingTemperature: 1,
  rsm: 1,
  scoreFunction: 'Cosine',
});

/** Parameters that let a tree follow a handful of rows. */
export const FREE: LeafwiseParameters = {
  ...LEAFWISE_DEFAULTS,
  numIterations: 1,
  learningRate: 1,
  minDataInLeaf: 1,
  minSumHessian: 0,
  minDataInBin: 1,
};

/** Trains leaf-wise trees of one output and makes a LightGBM model of them. */
export function boosted(
  data: Pick<BoostingData, 'inputs' | 'targets'> & Partial<BoostingData>,
  parameters: LeafwiseParameters,
  seed = 1,
  validation: ValidationData | null = null,
) {
  const rows = { weights: null, categorical: [], ...data };
  const training = trainLeafwise(rows, parameters, randomStream(seed), validation);
  const model = toLightGbm(training.trees, parameters.objective, binFor(rows, parameters).columns, {});
  return { ...training, model, predict: (inputs: Matrix) => lightGbmPredictor(model)(inputs).data };
}
