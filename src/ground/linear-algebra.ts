import { Matrix as Dense } from 'ml-matrix';
import type { Matrix } from './matrix.ts';

/** Matrix product [a.rows, a.columns] × [a.columns, b.columns]. */
export function multiply(a: Matrix, b: Matrix): Matrix {
  return fromDense(toDense(a).mmul(toDense(b)));
}

/** The transposed matrix, copied. */
export function transpose(a: Matrix): Matrix {
  return fromDense(toDense(a).transpose());
}

/** The same numbers as the algebra library wants them; rows are shared, not copied. */
export function toDense({ rows, columns, data }: Matrix): Dense {
  return new Dense(
    Array.from({ length: rows }, (_, row) => data.subarray(row * columns, (row + 1) * columns)),
  );
}

/** The library's matrix as one row-major array. */
export function fromDense(matrix: Dense): Matrix {
  const data = new Float64Array(matrix.rows * matrix.columns);
  for (let row = 0; row < matrix.rows; row++) data.set(matrix.getRow(row), row * matrix.columns);
  return { rows: matrix.rows, columns: matrix.columns, data };
}
