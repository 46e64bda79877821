import { ShapeError } from '../../ground/errors.ts';
import { constant, full } from '../graph/leaves.ts';
import { apply, describe, int, type Operator, type Tensor, text } from '../graph/operator.ts';
import { lengthAt, replaceAxes, resolveAxis, type Shape, sizeOf } from '../graph/shape.ts';
import { expand, reshape } from './layout.ts';
import type { Pair } from './pointwise.ts';

const GATHER: Operator<Pair, number> = {
  name: 'gather',
  outputs([x, at], axis) {
    if (at.dtype !== 'int64' && at.dtype !== 'int32') {
      throw new ShapeError(`gather: indices ${describe(at)} must be int64 or int32`);
    }
    return [{ dtype: x.dtype, shape: [...x.shape.slice(0, axis), ...at.shape, ...x.shape.slice(axis + 1)] }];
  },
  emit: ({ node }, inputs, { attributes }) => [node('Gather', inputs, { axis: int(attributes) })],
  gradient: ({ inputs: [x, at], attributes: axis, gradient }) => [
    () => {
      const count = sizeOf(at.shape);
      const flat = reshape(gradient, replaceAxes(x.shape, { [axis]: count }));
      const column = x.shape.map((_, i) => (i === axis ? count : 1));
      return scatterAdd(x.shape, expand(reshape(at, column), flat.shape), flat, axis);
    },
    undefined,
  ],
};

const SCATTER_ADD: Operator<Pair, { readonly shape: Shape; readonly axis: number }> = {
  name: 'scatterAdd',
  outputs: ([, values], { shape }) => [{ dtype: values.dtype, shape }],
  emit({ node, name }, inputs, { inputs: [, values], attributes: { shape, axis } }) {
    // Expanded by ONNX, so that the file holds one zero and not a whole tensor of them.
    const zeros = name(expand(full([], 0, values.dtype), shape));
    return [node('ScatterElements', [zeros, ...inputs], { axis: int(axis), reduction: text('add') })];
  },
};

/**
 * Zeros of `shape` to which `values` are added at `at` (of the values' shape) along `axis`. The gradient of
 * gathering and of max pooling; has none itself.
 */
export const scatterAdd = (shape: Shape, at: Tensor, values: Tensor, axis: number): Tensor =>
  apply(SCATTER_ADD, [at, values], { shape, axis });

/**
 * Takes elements of an axis by index; the axis is replaced by the indices' shape.
 *
 * @param at int64 or int32 tensor, or a list of whole numbers; negative ones count from the end
 * @throws ShapeError for an index outside the axis, where it is known
 */
export function gather(x: Tensor, at: Tensor | readonly number[], axis: number): Tensor {
  const resolved = resolveAxis(axis, x.shape.length, 'gather');
  const length = lengthAt(x.shape, resolved);
  if ('dtype' in at) return apply(GATHER, [x, at], resolved);
  const list = at.map((index) => (index < 0 ? index + length : index));
  const outside = list.findIndex((index) => !Number.isInteger(index) || index < 0 || index >= length);
  if (outside >= 0) {
    throw new ShapeError(`gather: index ${at[outside]} is outside axis ${axis} of ${describe(x)}`);
  }
  return apply(GATHER, [x, constant(list, [list.length], 'int64')], resolved);
}

/** Reverses an axis. */
export function flip(x: Tensor, axis: number): Tensor {
  return strided(x, axis, lengthAt(x.shape, axis) - 1, -1);
}

/** Every `step`-th element of an axis from `start` on; a negative step goes back to the first. */
export function strided(x: Tensor, axis: number, start: number, step: number): Tensor {
  const end = step > 0 ? lengthAt(x.shape, axis) : -1;
  const at = Array.from({ length: Math.ceil((end - start) / step) }, (_, i) => start + i * step);
  return gather(x, at, axis);
}
