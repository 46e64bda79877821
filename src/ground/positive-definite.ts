import type { Matrix } from './matrix.ts';

/**
 * The inverse of a symmetric positive definite matrix, through its Cholesky factor: A = LLᵀ, A⁻¹ = L⁻ᵀL⁻¹. Only
 * the lower half of the matrix is read; the inverse is symmetric to the last digit.
 *
 * @returns null when the matrix is not positive definite in double precision
 */
export function invertPositiveDefinite({ rows: size, data }: Matrix): Matrix | null {
  const factor = choleskyFactor(data, size);
  if (!factor) return null;
  // Rows of L⁻ᵀ, so that the product below runs along rows.
  const upper = new Float64Array(size * size);
  for (let column = 0; column < size; column++) {
    const solved = upper.subarray(column * size, (column + 1) * size);
    solved[column] = 1 / (factor[column * size + column] as number);
    for (let row = column + 1; row < size; row++) {
      const left = factor.subarray(row * size, row * size + row + 1);
      let sum = 0;
      for (let k = column; k < row; k++) sum += (left[k] as number) * (solved[k] as number);
      solved[row] = -sum / (left[row] as number);
    }
  }
  const inverse = new Float64Array(size * size);
  for (let row = 0; row < size; row++) {
    const a = upper.subarray(row * size, (row + 1) * size);
    for (let column = 0; column <= row; column++) {
      const b = upper.subarray(column * size, (column + 1) * size);
      let sum = 0;
      for (let k = row; k < size; k++) sum += (a[k] as number) * (b[k] as number);
      inverse[row * size + column] = sum;
      inverse[column * size + row] = sum;
    }
  }
  return { rows: size, columns: size, data: inverse };
}

/** L of A = LLᵀ, row-major with zeros above the diagonal. */
function choleskyFactor(data: Float64Array, size: number): Float64Array | null {
  const factor = new Float64Array(size * size);
  for (let row = 0; row < size; row++) {
    const left = factor.subarray(row * size, (row + 1) * size);
    for (let column = 0; column <= row; column++) {
      const above = factor.subarray(column * size, (column + 1) * size);
      let rest = data[row * size + column] as number;
      for (let k = 0; k < column; k++) rest -= (left[k] as number) * (above[k] as number);
      if (column < row) left[column] = rest / (above[column] as number);
      else if (rest > 0) left[row] = Math.sqrt(rest);
      else return null;
    }
  }
  return factor;
}
