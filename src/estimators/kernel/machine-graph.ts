import type { Matrix } from '../../ground/matrix.ts';
import {
  add,
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
import { besideKernel, COVARIATE_CLIP, type CovariateKernel } from './covariate-kernel.ts';
import type { KernelMachine } from './kernel-machine.ts';
import { type KernelName, squaredNorms } from './kernels.ts';

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
  const own = similarityGraph(kernel, gamma, standardised, machine.support);
  const similarities = besideCovariatesGraph(own, kernel, machine.covariates, covariates);
  return add(
    matmul(similarities, doubles(dual.data, [dual.rows, dual.columns])),
    doubles(intercept, [1, intercept.length]),
  );
}

/**
 * The mean of the kernel of features and that of covariates as a graph; without these that of features as it is.
 *
 * @param features `[batch, photos]` float64
 * @param covariates `[batch, covariates]`, floating
 */
export function besideCovariatesGraph(
  features: Tensor,
  kernel: KernelName,
  known: CovariateKernel | null,
  covariates: Tensor | undefined,
): Tensor {
  if (!known) return features;
  if (!covariates) throw new RangeError('the model reads covariates, and is shown none');
  const { support, gamma, share } = known;
  const asked = standardiseGraph(known, COVARIATE_CLIP, covariates);
  const own = similarityGraph(besideKernel(kernel), gamma, asked, support);
  return add(multiply(features, 1 - share), multiply(own, share));
}

/** The same of a linear machine. */
export function linearMachineGraph(machine: LinearMachine, features: Tensor): Tensor {
  const { coefficients, intercept } = machine;
  return add(
    matmul(
      standardiseGraph(machine, machine.clip, features),
      doubles(coefficients.data, [coefficients.rows, coefficients.columns]),
    ),
    doubles(intercept, [1, intercept.length]),
  );
}

/** `standardise` as a graph. */
export function standardiseGraph({ mean, scale }: Standardiser, clip: number, features: Tensor): Tensor {
  const shape = [1, mean.length];
  const centred = subtract(cast(features, 'float64'), doubles(mean, shape));
  return clamp(multiply(centred, doubles(scale, shape)), -clip, clip);
}

/**
 * The kernel matrix of features and stored training features as a graph.
 *
 * @param features `[batch, columns]` float64
 * @param stored training features, rounded to single precision
 * @returns `[batch, stored.rows]` float64
 */
export function similarityGraph(kernel: KernelName, gamma: number, features: Tensor, stored: Matrix): Tensor {
  const single = Float32Array.from(stored.data);
  const support = { ...stored, data: Float64Array.from(single) };
  const rows = cast(constant(single, [support.rows, support.columns]), 'float64');
  const products = divide(matmul(features, rows, { transposeB: true }), support.columns);
  return kernelGraph(kernel, gamma, products, {
    left: divide(sum(square(features), { axes: [1], keepAxes: true }), support.columns),
    right: doubles(squaredNorms(support), [1, support.rows]),
  });
}

/** `kernelMatrix` as a graph. */
function kernelGraph(
  kernel: KernelName,
  gamma: number,
  products: Tensor,
  norms: { readonly left: Tensor; readonly right: Tensor },
): Tensor {
  if (kernel === 'linear') return products;
  const squared = maximum(subtract(add(norms.left, norms.right), multiply(products, 2)), 0);
  switch (kernel) {
    case 'rbf':
      return exponential(multiply(squared, -gamma));
    case 'laplacian':
      return exponential(multiply(squareRoot(squared), -gamma));
    case 'rational-quadratic':
      return divide(1, add(multiply(squared, gamma), 1));
  }
}

/** A constant of doubles. */
export const doubles = (values: Float64Array, shape: readonly number[]): Tensor =>
  constant(values, shape, 'float64');
