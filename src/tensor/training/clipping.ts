import { ShapeError } from '../../ground/errors.ts';
import { constant } from '../graph/leaves.ts';
import type { Tensor } from '../graph/operator.ts';
import { add, cast, divide, minimum, multiply, squareRoot } from '../operators/elementwise.ts';
import { sumOfSquares } from '../operators/reduction.ts';

/** √Σg² over all elements of all tensors, float32 scalar. @throws ShapeError when there is none */
export function globalNorm(tensors: readonly Tensor[]): Tensor {
  if (tensors.length === 0) throw new ShapeError('global norm of nothing');
  const squares = tensors.map((tensor) => sumOfSquares(cast(tensor, 'float32')));
  return squareRoot(squares.reduce((total, part) => add(total, part)));
}

/**
 * Gradients scaled so that their common norm is at most `limit` (Pascanu et al. 2013; torch's
 * `clip_grad_norm_`).
 */
export function clipByGlobalNorm(
  gradients: readonly Tensor[],
  norm: Tensor,
  limit: number,
): readonly Tensor[] {
  const factor = minimum(divide(constant(limit), add(norm, 1e-6)), 1);
  return gradients.map((gradient) => multiply(gradient, cast(factor, gradient.dtype)));
}
