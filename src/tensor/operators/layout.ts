import { ShapeError } from '../../ground/errors.ts';
import { apply, applyAll, int, ints, type Operator } from '../graph/operator.ts';
import {
  broadcastShapes,
  lengthAt,
  replaceAxes,
  requireShape,
  resolveAxis,
  type Shape,
  sameShape,
  showShape,
  sizeOf,
} from '../graph/shape.ts';
import { describe, full, type Tensor } from '../graph/tensor.ts';
import { slice } from './indexing.ts';
import { sumTo } from './reduction.ts';

type One = readonly [Tensor];

const RESHAPE: Operator<One, Shape> = {
  name: 'reshape',
  outputs: ([x], shape) => [{ dtype: x.dtype, shape }],
  emit: ({ node, indices }, [x], { attributes }) => [node('Reshape', [x, indices(attributes)])],
  gradient: ({ inputs: [x], gradient }) => [() => reshape(gradient, x.shape)],
};

const TRANSPOSE: Operator<One, readonly number[]> = {
  name: 'transpose',
  outputs: ([x], order) => [{ dtype: x.dtype, shape: order.map((axis) => lengthAt(x.shape, axis)) }],
  emit: ({ node }, inputs, { attributes }) => [node('Transpose', inputs, { perm: ints(attributes) })],
  gradient: ({ attributes, gradient }) => [
    () =>
      transpose(
        gradient,
        attributes.map((_, axis) => attributes.indexOf(axis)),
      ),
  ],
};

const EXPAND: Operator<One, Shape> = {
  name: 'expand',
  outputs: ([x], shape) => [{ dtype: x.dtype, shape }],
  emit: ({ node, indices }, [x], { attributes }) => [node('Expand', [x, indices(attributes)])],
  gradient: ({ inputs: [x], gradient }) => [() => sumTo(gradient, x.shape)],
};

const CONCAT: Operator<readonly Tensor[], number> = {
  name: 'concat',
  outputs(inputs, axis) {
    const first = inputs[0] as Tensor;
    for (const other of inputs) {
      const fits =
        other.dtype === first.dtype &&
        sameShape(replaceAxes(other.shape, { [axis]: 1 }), replaceAxes(first.shape, { [axis]: 1 }));
      if (!fits)
        throw new ShapeError(`concat on axis ${axis}: ${describe(other)} does not fit ${describe(first)}`);
    }
    const length = inputs.reduce((total, x) => total + lengthAt(x.shape, axis), 0);
    return [{ dtype: first.dtype, shape: replaceAxes(first.shape, { [axis]: length }) }];
  },
  emit: ({ node }, inputs, { attributes }) => [node('Concat', inputs, { axis: int(attributes) })],
  gradient({ inputs, attributes: axis, gradient }) {
    const lengths = inputs.map((x) => lengthAt(x.shape, axis));
    const starts = lengths.map((_, index) => lengths.slice(0, index).reduce((a, b) => a + b, 0));
    return inputs.map((_, index) => () => {
      const start = starts[index] as number;
      return slice(gradient, { [axis]: [start, start + (lengths[index] as number)] });
    });
  },
};

const SPLIT: Operator<One, { readonly axis: number; readonly lengths: readonly number[] }> = {
  name: 'split',
  outputs([x], { axis, lengths }) {
    if (lengths.reduce((a, b) => a + b, 0) !== lengthAt(x.shape, axis)) {
      throw new ShapeError(`split: ${showShape(lengths)} do not add up to axis ${axis} of ${describe(x)}`);
    }
    return lengths.map((length) => ({ dtype: x.dtype, shape: replaceAxes(x.shape, { [axis]: length }) }));
  },
  emit: ({ nodes, indices }, [x], { attributes: { axis, lengths } }) =>
    nodes('Split', [x, indices(lengths)], lengths.length, { axis: int(axis) }),
  gradient: ({ attributes: { axis }, outputs, gradients }) => [
    () =>
      concat(
        outputs.map((part, index) => gradients[index] ?? full(part.shape, 0, part.dtype)),
        axis,
      ),
  ],
};

/**
 * The same elements in another shape. One axis may be −1: whatever is left.
 *
 * @throws ShapeError when the number of elements differs
 */
export function reshape(x: Tensor, shape: Shape): Tensor {
  const known = shape.reduce((product, length) => (length === -1 ? product : product * length), 1);
  const resolved = shape.map((length) => (length === -1 ? sizeOf(x.shape) / known : length));
  if (sameShape(x.shape, resolved)) return x;
  const unknowns = shape.filter((length) => length === -1).length;
  if (unknowns > 1 || sizeOf(resolved) !== sizeOf(x.shape) || !resolved.every(Number.isInteger)) {
    throw new ShapeError(`reshape: ${describe(x)} has no room for ${showShape(shape)}`);
  }
  return apply(RESHAPE, [x], requireShape(resolved, 'reshape'));
}

/** Axes in another order: output axis i is input axis `order[i]`. @throws ShapeError for no permutation */
export function transpose(x: Tensor, order: readonly number[]): Tensor {
  const rank = x.shape.length;
  const resolved = order.map((axis) => resolveAxis(axis, rank, 'transpose'));
  if (resolved.length !== rank || new Set(resolved).size !== rank) {
    throw new ShapeError(`transpose: ${showShape(order)} is no order of the axes of ${describe(x)}`);
  }
  return resolved.every((axis, index) => axis === index) ? x : apply(TRANSPOSE, [x], resolved);
}

/** Exchanges two axes. */
export function swapAxes(x: Tensor, a: number, b: number): Tensor {
  const order = x.shape.map((_, axis) => axis);
  const first = resolveAxis(a, order.length, 'swapAxes');
  const second = resolveAxis(b, order.length, 'swapAxes');
  order[first] = second;
  order[second] = first;
  return transpose(x, order);
}

/** Repeats axes of length 1 (and adds leading ones) up to `shape`. @throws ShapeError when it does not fit */
export function expand(x: Tensor, shape: Shape): Tensor {
  if (sameShape(x.shape, shape)) return x;
  const broadcast = broadcastShapes(x.shape, shape);
  if (broadcast === undefined || !sameShape(broadcast, shape)) {
    throw new ShapeError(`expand: ${describe(x)} does not broadcast to ${showShape(shape)}`);
  }
  return apply(EXPAND, [x], shape);
}

/** Joins tensors along an axis. @throws ShapeError when the other axes or the dtypes differ */
export function concat(tensors: readonly Tensor[], axis: number): Tensor {
  const first = tensors[0];
  if (first === undefined) throw new ShapeError('concat: nothing to join');
  if (tensors.length === 1) return first;
  return apply(CONCAT, tensors, resolveAxis(axis, first.shape.length, 'concat'));
}

/** Joins tensors of one shape along a new axis. */
export function stack(tensors: readonly Tensor[], axis = 0): Tensor {
  return concat(
    tensors.map((x) => insertAxis(x, axis)),
    axis,
  );
}

/** Cuts an axis into parts of the given lengths. @throws ShapeError when they do not add up */
export function split(x: Tensor, lengths: readonly number[], axis: number): readonly Tensor[] {
  return applyAll(SPLIT, [x], { axis: resolveAxis(axis, x.shape.length, 'split'), lengths });
}

/** Cuts an axis into `parts` equal parts. @throws ShapeError when it does not divide */
export function splitEvenly(x: Tensor, parts: number, axis: number): readonly Tensor[] {
  const length = lengthAt(x.shape, axis);
  if (length % parts !== 0)
    throw new ShapeError(`split: axis ${axis} of ${describe(x)} is not ${parts} parts`);
  return split(x, new Array<number>(parts).fill(length / parts), axis);
}

/** Adds an axis of length 1 at `axis` of the result. */
export function insertAxis(x: Tensor, axis: number): Tensor {
  const at = resolveAxis(axis, x.shape.length + 1, 'insertAxis');
  return reshape(x, [...x.shape.slice(0, at), 1, ...x.shape.slice(at)]);
}

/** Merges axes `from` … `to` (inclusive) into one. */
export function flatten(x: Tensor, from = 0, to = -1): Tensor {
  const first = resolveAxis(from, x.shape.length, 'flatten');
  const last = resolveAxis(to, x.shape.length, 'flatten');
  return reshape(x, [
    ...x.shape.slice(0, first),
    sizeOf(x.shape.slice(first, last + 1)),
    ...x.shape.slice(last + 1),
  ]);
}
