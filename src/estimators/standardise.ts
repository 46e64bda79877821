import type { Matrix } from '../ground/matrix.ts';

/** Column means and inverse deviations, of the training rows. Constant columns have scale 0. */
export interface Standardiser {
  readonly mean: Float64Array;
  readonly scale: Float64Array;
}

/**
 * What features are brought to a common size by: `columns`, each by its own deviation; `together`, all by one, so
 * that components of a reduction keep their proportions.
 */
export const SCALINGS = ['columns', 'together'] as const;
export type Scaling = (typeof SCALINGS)[number];

/** Below this share of its own size a column's deviation is rounding noise. */
const CONSTANT_COLUMN = 1e-9;

/**
 * Learns weighted column means and deviations.
 *
 * @param weights one non-negative weight a row
 */
export function fitStandardiser(
  matrix: Matrix,
  weights: readonly number[],
  scaling: Scaling = 'columns',
): Standardiser {
  const { rows, columns, data } = matrix;
  const mean = new Float64Array(columns);
  const variance = new Float64Array(columns);
  const weightSum = weights.reduce((sum, weight) => sum + weight, 0);
  for (let row = 0; row < rows; row++) {
    const weight = (weights[row] ?? 0) / weightSum;
    for (let column = 0; column < columns; column++) {
      mean[column] = (mean[column] as number) + weight * (data[row * columns + column] as number);
    }
  }
  for (let row = 0; row < rows; row++) {
    const weight = (weights[row] ?? 0) / weightSum;
    for (let column = 0; column < columns; column++) {
      const distance = (data[row * columns + column] as number) - (mean[column] as number);
      variance[column] = (variance[column] as number) + weight * distance * distance;
    }
  }
  if (scaling === 'together') {
    const common = variance.reduce((sum, value) => sum + value, 0) / columns;
    return { mean, scale: new Float64Array(columns).fill(common > 0 ? 1 / Math.sqrt(common) : 0) };
  }
  const scale = variance.map((value, column) => {
    const deviation = Math.sqrt(value);
    return deviation > CONSTANT_COLUMN * (1 + Math.abs(mean[column] as number)) ? 1 / deviation : 0;
  });
  return { mean, scale };
}

/** `(x − mean) · scale`, clipped to ± `limit` deviations so that one odd value cannot carry a prediction away. */
export function standardise(matrix: Matrix, { mean, scale }: Standardiser, limit: number): Matrix {
  const { rows, columns } = matrix;
  const data = new Float64Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const at = row * columns + column;
      const value = ((matrix.data[at] as number) - (mean[column] as number)) * (scale[column] as number);
      data[at] = Math.max(-limit, Math.min(limit, value));
    }
  }
  return { rows, columns, data };
}
