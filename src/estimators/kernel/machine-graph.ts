import type { Matrix } from '../../ground/matrix.ts';
import {
  add,
  arcSine,
  cast,
  clamp,
  constant,
  divide,
  exponential,
  matmul,
  maximum,
  multiply,
  square,
  squareRoot,
  subtract,
  sum,
  type Tensor,
} from '../../tensor/index.ts';
import type { Standardiser } from '../standardise.ts';
import { COVARIATE_CLIP, type CovariateKernel } from './covariate-kernel.ts';
import type { KernelMachine } from './kernel-machine.ts';
import { hasWidth, type KernelName, squaredNorms } from './kernels.ts';

/** A linear map of standardised features. */
export interface LinearMachine extends Standardiser {
  readonly clip: number;
  /** [features, 3] */
  readonly coefficients: Matrix;
  readonly intercept: Float64Array;
}

/**
 * Green, dead and clover of a kernel machine as a graph, in double precision as `machineComponents` computes them;
 * training features are stored in single precision.
 *
 * @param features `[batch, features]`, floating
 * @param covariates `[batch, covariates]` on the scale that models read, where the machine reads any
 * @returns `[batch, 3]` float64, grams, free to be negative
 */
export function machineGraph(machine: KernelMachine, features: Tensor, covariates?: Tensor): Tensor {
  const { kernel, gamma, dual, intercept } = machine;
  const standardised = standardiseGraph(machine, machine.clip, features);
  const inner = innerProductsGraph(standardised, machine.support);
  const similarities = besideCovariatesGraph(kernel, gamma, inner, machine.covariates, covariates);
  return add(
    matmul(similarities, doubles(dual.data, [dual.rows, dual.columns])),
    doubles(intercept, [1, intercept.length]),
  );
}

/** `InnerProducts` as a graph. */
interface InnerProductsGraph {
  /** `[batch, photos]` float64 */
  readonly products: Tensor;
  /** `[batch, 1]` */
  readonly left: Tensor;
  /** `[1, photos]` */
  readonly right: Tensor;
}

/**
 * `besideCovariates` as a graph.
 *
 * @param covariates `[batch, covariates]`, floating
 * @returns `[batch, photos]` float64
 */
export function besideCovariatesGraph(
  kernel: KernelName,
  gamma: number,
  features: InnerProductsGraph,
  known: CovariateKernel | null,
  covariates: Tensor | undefined,
): Tensor {
  if (!known) return kernelGraph(kernel, gamma, features);
  if (!covariates) throw new RangeError('the model reads covariates, and is shown none');
  const { share } = known;
  const own = innerProductsGraph(standardiseGraph(known, COVARIATE_CLIP, covariates), known.support);
  const mixed = (ours: Tensor, theirs: Tensor): Tensor =>
    add(multiply(ours, 1 - share), multiply(theirs, share));
  if (hasWidth(kernel)) {
    return mixed(kernelGraph(kernel, gamma, features), kernelGraph('rbf', known.gamma, own));
  }
  return kernelGraph(kernel, gamma, {
    products: mixed(features.products, own.products),
    left: mixed(features.left, own.left),
    right: mixed(features.right, own.right),
  });
}

/**
 * The same of a linear machine.
 *
 * @param stored what coefficients are stored in
 */
export function linearMachineGraph(
  machine: LinearMachine,
  features: Tensor,
  stored: 'float64' | 'float16' = 'float64',
): Tensor {
  const { coefficients, intercept } = machine;
  return add(
    matmul(
      standardiseGraph(machine, machine.clip, features),
      widened(coefficients.data, [coefficients.rows, coefficients.columns], stored),
    ),
    doubles(intercept, [1, intercept.length]),
  );
}

/** `standardise` as a graph. */
function standardiseGraph({ mean, scale }: Standardiser, clip: number, features: Tensor): Tensor {
  const shape = [1, mean.length];
  const centred = subtract(cast(features, 'float64'), doubles(mean, shape));
  return clamp(multiply(centred, doubles(scale, shape)), -clip, clip);
}

/**
 * Inner products of features and stored training features as a graph.
 *
 * @param features `[batch, columns]` float64
 * @param stored training features, rounded to single precision
 * @param type what they are stored in
 */
export function innerProductsGraph(
  features: Tensor,
  stored: Matrix,
  type: 'float32' | 'float16' = 'float32',
): InnerProductsGraph {
  const support = { ...stored, data: stored.data.map(Math.fround) };
  const rows = widened(support.data, [support.rows, support.columns], type);
  return {
    products: divide(matmul(features, rows, { transposeB: true }), support.columns),
    left: divide(sum(square(features), { axes: [1], keepAxes: true }), support.columns),
    right: doubles(squaredNorms(support), [1, support.rows]),
  };
}

/** `kernelMatrix` as a graph. */
function kernelGraph(
  kernel: KernelName,
  gamma: number,
  { products, left, right }: InnerProductsGraph,
): Tensor {
  if (kernel === 'linear') return products;
  if (kernel === 'relu') return reluGraph(products, squareRoot(multiply(left, right)));
  const squared = maximum(subtract(add(left, right), multiply(products, 2)), 0);
  switch (kernel) {
    case 'rbf':
      return exponential(multiply(squared, -gamma));
    case 'laplacian':
      return exponential(multiply(squareRoot(squared), -gamma));
    case 'rational-quadratic':
      return divide(1, add(multiply(squared, gamma), 1));
  }
}

function reluGraph(products: Tensor, size: Tensor): Tensor {
  // Photos of no size have no products either, whatever their angle.
  const cosines = clamp(divide(products, maximum(size, Number.MIN_VALUE)), -1, 1);
  // By half the angle, whose sine is exact in single precision where photos are alike.
  const half = squareRoot(divide(subtract(1, cosines), 2));
  const angle = multiply(cast(arcSine(cast(half, 'float32')), 'float64'), 2);
  const sines = squareRoot(subtract(1, square(cosines)));
  const turned = multiply(multiply(subtract(Math.PI, angle), products), 2);
  return divide(add(multiply(size, sines), turned), Math.PI);
}

/** A constant of doubles. */
export const doubles = (values: Float64Array, shape: readonly number[]): Tensor =>
  widened(values, shape, 'float64');

/** Doubles that are stored in `type`, which holds them. */
function widened(
  values: Float64Array,
  shape: readonly number[],
  type: 'float64' | 'float32' | 'float16',
): Tensor {
  const stored = constant(values, shape, type);
  return type === 'float64' ? stored : cast(stored, 'float64');
}
