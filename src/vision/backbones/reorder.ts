import { ShapeError } from '../../ground/errors.ts';
import { apply, int, type Operator } from '../../tensor/graph/operator.ts';
import { constant, type Tensor } from '../../tensor/index.ts';

/** A permutation of tokens, both ways; as tensors, so that all blocks that use it share them. */
export interface Order {
  readonly length: number;
  readonly forwards: Tensor;
  readonly backwards: Tensor;
}

const REORDER: Operator<readonly [Tensor, Tensor], Order> = {
  name: 'reorder',
  outputs: ([x]) => [{ dtype: x.dtype, shape: x.shape }],
  emit: ({ node }, inputs) => [node('Gather', inputs, { axis: int(1) })],
  // The gradient of a permutation is its inverse, where that of any other gather would have to add up.
  gradient: ({ attributes, gradient }) => [() => reorder(gradient, inverse(attributes)), undefined],
};

/** The permutation that brings token `from[i]` to place i. @throws ShapeError when it is none */
export function orderFrom(from: readonly number[]): Order {
  const { length } = from;
  const back = new Array<number>(length).fill(-1);
  from.forEach((source, place) => {
    back[source] = place;
  });
  if (back.length !== length || back.includes(-1)) throw new ShapeError('reorder: no permutation');
  return {
    length,
    forwards: constant(from, [length], 'int64'),
    backwards: constant(back, [length], 'int64'),
  };
}

/** The permutation that undoes another. */
export const inverse = ({ length, forwards, backwards }: Order): Order => ({
  length,
  forwards: backwards,
  backwards: forwards,
});

/**
 * Tokens in another order.
 *
 * @param x `[batch, tokens, dim]`
 * @throws ShapeError when the number of tokens is another
 */
export function reorder(x: Tensor, order: Order): Tensor {
  if (x.shape.length !== 3 || x.shape[1] !== order.length) {
    throw new ShapeError(`reorder: [${x.shape.join(', ')}] has not ${order.length} tokens`);
  }
  return apply(REORDER, [x, order.forwards], order);
}
