import { CholeskyDecomposition, Matrix as Dense } from 'ml-matrix';
import type { Matrix } from '../data/features.ts';
import { SwardError } from '../ground/errors.ts';

/**
 * Solves `(A + diag(d)) X = B` for a symmetric positive semidefinite A and positive d.
 *
 * @param symmetric A, [n, n]
 * @param diagonal d, [n]
 * @param right B, [n, m]
 * @returns X, [n, m]
 * @throws SwardError when the system is not positive definite in double precision
 */
export function solveRegularised(symmetric: Matrix, diagonal: ArrayLike<number>, right: Matrix): Matrix {
  const system = dense(symmetric);
  for (let i = 0; i < symmetric.rows; i++) system.set(i, i, system.get(i, i) + (diagonal[i] ?? 0));
  const cholesky = new CholeskyDecomposition(system);
  if (!cholesky.isPositiveDefinite()) {
    throw new SwardError('the ridge system is singular; use a larger penalty');
  }
  return fromDense(cholesky.solve(dense(right)));
}

/** Matrix product [a.rows, a.columns] × [a.columns, b.columns]. */
export function multiply(a: Matrix, b: Matrix): Matrix {
  return fromDense(dense(a).mmul(dense(b)));
}

/** The transposed matrix, copied. */
export function transpose(a: Matrix): Matrix {
  const data = new Float64Array(a.rows * a.columns);
  for (let i = 0; i < a.rows; i++) {
    for (let j = 0; j < a.columns; j++) data[j * a.rows + i] = a.data[i * a.columns + j] as number;
  }
  return { rows: a.columns, columns: a.rows, data };
}

function dense(matrix: Matrix): Dense {
  const { rows, columns, data } = matrix;
  return new Dense(
    Array.from({ length: rows }, (_, row) => data.subarray(row * columns, (row + 1) * columns)),
  );
}

function fromDense(matrix: Dense): Matrix {
  const data = new Float64Array(matrix.rows * matrix.columns);
  for (let row = 0; row < matrix.rows; row++) data.set(matrix.getRow(row), row * matrix.columns);
  return { rows: matrix.rows, columns: matrix.columns, data };
}
