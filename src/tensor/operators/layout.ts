import { ShapeError } from '../../ground/errors.ts';
import { apply, describe, ints, type Operator, type Tensor } from '../graph/operator.ts';
import {
  broadcastShapes,
  lengthAt,
  requireShape,
  resolveAxis,
  type Shape,
  sameShape,
  showShape,
  sizeOf,
} from '../graph/shape.ts';
import { channelsLastOfBlocks } from './channel-blocks.ts';
import type { One } from './pointwise.ts';
import type { Two } from './windowing.ts';

const RESHAPE: Operator<One, Shape> = {
  name: 'reshape',
  outputs: ([x], shape) => [{ dtype: x.dtype, shape }],
  emit: ({ node, indices }, [x], { attributes }) => [node('Reshape', [x, indices(attributes)])],
  gradient: ({ inputs: [x], gradient }) => [() => reshape(gradient, x.shape)],
};

const TRANSPOSE: Operator<One, readonly number[]> = {
  name: 'transpose',
  outputs: ([x], order) => [{ dtype: x.dtype, shape: order.map((axis) => lengthAt(x.shape, axis)) }],
  emit(emission, inputs, { inputs: [x], attributes }) {
    const turned = channelsLastOfBlocks(emission, x, attributes);
    return [turned ?? emission.node('Transpose', inputs, { perm: ints(attributes) })];
  },
  gradient({ attributes, gradient }) {
    const back = attributes.map((_, axis) => attributes.indexOf(axis));
    return [() => transpose(gradient, back)];
  },
};

const EXPAND: Operator<One, Shape> = {
  name: 'expand',
  outputs: ([x], shape) => [{ dtype: x.dtype, shape }],
  emit: ({ node, indices }, [x], { attributes }) => [node('Expand', [x, indices(attributes)])],
  gradient: ({ gradient }) => [() => gradient],
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

/** Adds an axis of length 1 at `axis` of the result. */
export function insertAxis(x: Tensor, axis: number): Tensor {
  const at = resolveAxis(axis, x.shape.length + 1, 'insertAxis');
  return reshape(x, [...x.shape.slice(0, at), 1, ...x.shape.slice(at)]);
}

/** Merges axes `from` … `to` (inclusive) into one. */
export function flatten(x: Tensor, from = 0, to = -1): Tensor {
  const first = resolveAxis(from, x.shape.length, 'flatten');
  const last = resolveAxis(to, x.shape.length, 'flatten');
  const merged = sizeOf(x.shape.slice(first, last + 1));
  return reshape(x, [...x.shape.slice(0, first), merged, ...x.shape.slice(last + 1)]);
}

/**
 * Cuts maps into windows: `[batch, height, width, dim]` → `[batch · windows, rows · columns, dim]`, windows in
 * reading order.
 *
 * @throws ShapeError when the windows do not tile the map
 */
export function windowPartition(x: Tensor, [rows, columns]: Two): Tensor {
  const [batch, height, width, dim] = x.shape as [number, number, number, number];
  if (x.shape.length !== 4 || height % rows !== 0 || width % columns !== 0) {
    throw new ShapeError(`windowPartition: ${rows}×${columns} windows do not tile ${describe(x)}`);
  }
  const cut = reshape(x, [batch, height / rows, rows, width / columns, columns, dim]);
  return reshape(transpose(cut, [0, 1, 3, 2, 4, 5]), [-1, rows * columns, dim]);
}

/** Puts windows back: the inverse of {@link windowPartition} for maps of `[height, width]`. */
export function windowMerge(windows: Tensor, [rows, columns]: Two, [height, width]: Two): Tensor {
  const dim = windows.shape[2];
  if (windows.shape.length !== 3 || dim === undefined || height % rows !== 0 || width % columns !== 0) {
    throw new ShapeError(`windowMerge: ${describe(windows)} is not ${rows}×${columns} of ${height}×${width}`);
  }
  const apart = reshape(windows, [-1, height / rows, width / columns, rows, columns, dim]);
  return reshape(transpose(apart, [0, 1, 3, 2, 4, 5]), [-1, height, width, dim]);
}
