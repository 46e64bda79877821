import type { Matrix } from '../../ground/matrix.ts';

/** Similarity of two photos' standardised features, as a function of `d`-normalised products or distances. */
export const KERNELS = ['linear', 'rbf', 'laplacian', 'rational-quadratic', 'relu'] as const;
export type KernelName = (typeof KERNELS)[number];

/** Whether a kernel has a width γ. */
export const hasWidth = (kernel: KernelName): boolean => kernel !== 'linear' && kernel !== 'relu';

/** Inner products of two sets of photos, and each photo's with itself, as mean products of a column. */
export interface InnerProducts {
  /** [left, right] */
  readonly products: Matrix;
  readonly left: Float64Array;
  readonly right: Float64Array;
}

/** Inner products of the rows of `left` and `right`. */
export function innerProducts(left: Matrix, right: Matrix): InnerProducts {
  return { products: gram(left, right), left: squaredNorms(left), right: squaredNorms(right) };
}

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
 * linear xᵀy / d, rbf exp(−γδ²), laplacian exp(−γδ), rational-quadratic 1 / (1 + γδ²), and relu the neural tangent
 * kernel of a network with one wide hidden layer of rectified linear units and no biases (Jacot, Gabriel & Hongler 2018;
 * its parts are the arc-cosine kernels of Cho & Saul 2009): with p = xᵀy / d, q = ‖x‖‖y‖ / d and the angle θ between x
 * and y, (q sin θ + 2(π − θ)p) / π. It goes on rising where photos go beyond those trained on, as rbf does not.
 */
export function kernelMatrix(kernel: KernelName, gamma: number, inner: InnerProducts): Matrix {
  const { products, left, right } = inner;
  if (kernel === 'linear') return products;
  const { rows, columns } = products;
  const data = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      const at = i * columns + j;
      data[at] = similarity(
        kernel,
        gamma,
        products.data[at] as number,
        left[i] as number,
        right[j] as number,
      );
    }
  }
  return { rows, columns, data };
}

function similarity(
  kernel: Exclude<KernelName, 'linear'>,
  gamma: number,
  product: number,
  left: number,
  right: number,
): number {
  if (kernel === 'relu') {
    const size = Math.sqrt(left * right);
    if (size === 0) return 0;
    const angle = Math.acos(Math.max(-1, Math.min(1, product / size)));
    return (size * Math.sin(angle) + 2 * (Math.PI - angle) * product) / Math.PI;
  }
  const squared = Math.max(0, left + right - 2 * product);
  if (kernel === 'rbf') return Math.exp(-gamma * squared);
  if (kernel === 'laplacian') return Math.exp(-gamma * Math.sqrt(squared));
  return 1 / (1 + gamma * squared);
}
