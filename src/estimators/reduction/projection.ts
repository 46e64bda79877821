import { multiply } from '../../ground/linear-algebra.ts';
import { type Matrix, rowVector } from '../../ground/matrix.ts';
import { requireWidth } from '../../learning/feature-width.ts';
import { photoWeights } from '../../learning/session-weights.ts';
import type { TrainingRows } from '../../samples/samples.ts';
import { addToRows } from '../kernel/kernel-machine.ts';
import { fitStandardiser, type Standardiser, standardise } from '../standardise.ts';

/** A map of features to fewer numbers: z · coefficients + intercept, z being the standardised, clipped features. */
export interface Projection extends Standardiser {
  readonly clip: number;
  /** [features, components] */
  readonly coefficients: Matrix;
  /** [components] */
  readonly intercept: Float64Array;
}

/**
 * Scores of photos. [photos, components]
 *
 * @throws InputError when features have another width than those trained on
 */
export function project(projection: Projection, inputs: Matrix): Matrix {
  requireWidth(inputs, projection.mean.length);
  const standardised = standardise(inputs, projection, projection.clip);
  return addToRows(multiply(standardised, projection.coefficients), projection.intercept);
}

/**
 * Prepares training photos for a reduction.
 *
 * @returns `rows`: standardised, clipped and centred features times the root of each photo's weight, and what makes
 *   a projection of the directions `[features, components]` found in them
 */
export function prepareFeatures(training: Omit<TrainingRows, 'targets'>, clip: number) {
  const weights = photoWeights(training, 0);
  const standardiser = fitStandardiser(training.inputs, weights);
  const standardised = standardise(training.inputs, standardiser, clip);
  const centre = fitStandardiser(standardised, weights).mean;
  return {
    rows: centredRows(standardised, centre, weights),
    weights,
    projectionOn(coefficients: Matrix): Projection {
      // The intercept makes the centre the origin of the scores.
      const product = multiply(rowVector(centre), coefficients);
      return { ...standardiser, clip, coefficients, intercept: product.data.map((value) => -value) };
    },
  };
}

/** Rows less `centre`, times the root of their weight: products of columns are then weighted covariances. */
export function centredRows(matrix: Matrix, centre: Float64Array, weights: readonly number[]): Matrix {
  const { columns } = matrix;
  const data = matrix.data.map((value, at) => {
    const root = Math.sqrt(weights[Math.floor(at / columns)] ?? 0);
    return root * (value - (centre[at % columns] as number));
  });
  return { rows: matrix.rows, columns, data };
}

/**
 * Turns every column so that its largest entry is positive, for which way a component points is otherwise
 * anybody's guess.
 */
export function withSettledSigns({ rows, columns, data }: Matrix): Matrix {
  const settled = data.slice();
  for (let column = 0; column < columns; column++) {
    let largest = 0;
    for (let row = 0; row < rows; row++) {
      const value = data[row * columns + column] as number;
      if (Math.abs(value) > Math.abs(largest)) largest = value;
    }
    if (largest >= 0) continue;
    for (let at = column; at < settled.length; at += columns) settled[at] = -(settled[at] as number);
  }
  return { rows, columns, data: settled };
}
