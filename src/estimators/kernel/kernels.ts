import type { Matrix } from '../../ground/matrix.ts';

/** Similarity of two photos' standardised features, as a function of `d`-normalised products or distances. */
export const KERNELS = ['linear', 'rbf', 'laplacian', 'rational-quadratic'] as const;
export type KernelName = (typeof KERNELS)[number];

/** Inner products of all pairs of rows, divided by the number of columns: [a.rows, b.rows]. */
export function gram(a: Matrix, b: Matrix): Matrix {
  const { columns } = a;
  const data = new Float64Array(a.rows * b.rows);
  for (let i = 0; i < a.rows; i++) {
    const left = a.data.subarray(i * columns, (i + 1) * columns);
    for (let j = 0; j < b.rows; j++) {
      const right = b.data.subarray(j * columns, (j + 1) * columns);
      let sum = 0;
      for (let k = 0; k < columns; k++) sum += (left[k] as number) * (right[k] as number);
      data[i * b.rows + j] = sum / columns;
    }
  }
  return { rows: a.rows, columns: b.rows, data };
}

/** Mean squares of each row: the diagonal of `gram(a, a)`. */
export function squaredNorms(a: Matrix): Float64Array {
  const norms = new Float64Array(a.rows);
  for (let i = 0; i < a.rows; i++) {
    let sum = 0;
    for (let k = 0; k < a.columns; k++) sum += (a.data[i * a.columns + k] as number) ** 2;
    norms[i] = sum / a.columns;
  }
  return norms;
}

/**
 * A kernel matrix from inner products. With δ² = ‖x − y‖² / d (the mean squared difference of a column):
 * linear xᵀy / d, rbf exp(−γδ²), laplacian exp(−γδ), rational-quadratic 1 / (1 + γδ²).
 *
 * @param products from {@link gram}
 * @param leftNorms, rightNorms from {@link squaredNorms}
 */
export function kernelMatrix(
  kernel: KernelName,
  gamma: number,
  products: Matrix,
  leftNorms: Float64Array,
  rightNorms: Float64Array,
): Matrix {
  if (kernel === 'linear') return products;
  const { rows, columns } = products;
  const data = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      const at = i * columns + j;
      const norms = (leftNorms[i] as number) + (rightNorms[j] as number);
      const squared = Math.max(0, norms - 2 * (products.data[at] as number));
      data[at] = similarity(kernel, gamma, squared);
    }
  }
  return { rows, columns, data };
}

function similarity(kernel: Exclude<KernelName, 'linear'>, gamma: number, squared: number): number {
  if (kernel === 'rbf') return Math.exp(-gamma * squared);
  if (kernel === 'laplacian') return Math.exp(-gamma * Math.sqrt(squared));
  return 1 / (1 + gamma * squared);
}
