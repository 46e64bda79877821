import type { Matrix } from '../../ground/matrix.ts';
import { randomStream } from '../../ground/random.ts';

/**
 * Adds every column, with a random sign, to one of `width` columns: the count sketch, which keeps squared
 * distances in the mean with a relative error of about √(2 / width) (Weinberger et al., Feature hashing for large
 * scale multitask learning, ICML 2009). Which column goes where depends on the number of columns only.
 *
 * @returns [rows, width]
 */
export function sketch(matrix: Matrix, width: number): Matrix {
  const random = randomStream(matrix.columns).fork('sketch');
  const place = new Int32Array(matrix.columns);
  const sign = new Int8Array(matrix.columns);
  for (let column = 0; column < matrix.columns; column++) {
    place[column] = random.integer(width);
    sign[column] = random.uniform() < 0.5 ? -1 : 1;
  }
  const data = new Float64Array(matrix.rows * width);
  for (let row = 0; row < matrix.rows; row++) {
    for (let column = 0; column < matrix.columns; column++) {
      const at = row * width + (place[column] as number);
      const value = matrix.data[row * matrix.columns + column] as number;
      data[at] = (data[at] as number) + (sign[column] as number) * value;
    }
  }
  return { rows: matrix.rows, columns: width, data };
}
