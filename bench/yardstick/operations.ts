import type { Operation } from '../../src/tensor/graph/operator.ts';
import { operationsBefore } from '../../src/tensor/graph/traverse.ts';
import { sizeOf, type Tensor } from '../../src/tensor/index.ts';

/** Floating point operations of the matrix products, attentions and convolutions that an output needs. */
export const matrixOperations = (output: Tensor): number =>
  operationsBefore([output]).reduce((total, operation) => total + operationsOf(operation), 0);

function operationsOf({ operator, inputs, outputs }: Operation): number {
  const [first, second] = inputs;
  const [result] = outputs;
  if (first === undefined || second === undefined || result === undefined) return 0;
  switch (operator.name) {
    case 'linear':
      return 2 * sizeOf(result.shape) * (second.shape.at(-1) as number);
    case 'matmul':
      // The length both share follows from the sizes, whichever way round the factors are read.
      return 2 * sizeOf(result.shape) * sharedLength(first, second, result);
    case 'attention':
      return 4 * sizeOf(first.shape) * (second.shape[1] as number);
    case 'convolution':
      return 2 * sizeOf(result.shape) * sizeOf(second.shape.slice(1));
    default:
      return 0;
  }
}

function sharedLength(a: Tensor, b: Tensor, result: Tensor): number {
  const matrix = (x: Tensor): number => sizeOf(x.shape.slice(-2));
  return Math.sqrt((matrix(a) * matrix(b)) / matrix(result));
}
