import { ShapeError } from '../../ground/errors.ts';
import { apply, int, type Operator, text } from '../graph/operator.ts';
import { lengthAt, replaceAxes, resolveAxis, type Shape, sizeOf } from '../graph/shape.ts';
import { constant, describe, full, type Tensor } from '../graph/tensor.ts';
import { concat, expand, reshape } from './layout.ts';

type One = readonly [Tensor];
type Two = readonly [Tensor, Tensor];

/** `[start, end)` of an axis. */
export type Range = readonly [start: number, end: number];

interface Window {
  readonly axes: readonly number[];
  readonly ranges: readonly Range[];
}

const SLICE: Operator<One, Window> = {
  name: 'slice',
  outputs([x], { axes, ranges }) {
    const lengths = Object.fromEntries(axes.map((axis, i) => [axis, span(ranges[i] as Range)]));
    return [{ dtype: x.dtype, shape: replaceAxes(x.shape, lengths) }];
  },
  emit({ node, indices }, [x], { attributes: { axes, ranges } }) {
    const starts = ranges.map(([start]) => start);
    const ends = ranges.map(([, end]) => end);
    return [node('Slice', [x, indices(starts), indices(ends), indices(axes)])];
  },
  gradient: ({ inputs: [x], attributes: { axes, ranges }, gradient }) => [
    () =>
      pad(
        gradient,
        Object.fromEntries(
          axes.map((axis, i) => {
            const [start, end] = ranges[i] as Range;
            return [axis, [start, lengthAt(x.shape, axis) - end] as const];
          }),
        ),
      ),
  ],
};

const span = ([start, end]: Range): number => end - start;

interface Padding {
  readonly before: readonly number[];
  readonly after: readonly number[];
  readonly value: number;
}

const PAD: Operator<One, Padding> = {
  name: 'pad',
  outputs: ([x], { before, after }) => [
    {
      dtype: x.dtype,
      shape: x.shape.map((length, axis) => length + (before[axis] ?? 0) + (after[axis] ?? 0)),
    },
  ],
  emit({ node, indices, name }, [x], { inputs: [source], attributes: { before, after, value } }) {
    return [node('Pad', [x, indices([...before, ...after]), name(constant(value, [], source.dtype))])];
  },
  gradient: ({ inputs: [x], attributes: { before }, gradient }) => [
    () =>
      slice(
        gradient,
        Object.fromEntries(
          x.shape.map((length, axis) => [axis, [before[axis] ?? 0, (before[axis] ?? 0) + length] as const]),
        ),
      ),
  ],
};

const GATHER: Operator<Two, number> = {
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

const SCATTER_ADD: Operator<Two, { readonly shape: Shape; readonly axis: number }> = {
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
 * A part of a tensor: `slice(x, { 1: [0, 5] })` keeps the first five of axis 1. Negative bounds count from the
 * end, as in JavaScript.
 *
 * @throws ShapeError when a range is empty or reaches outside
 */
export function slice(x: Tensor, parts: Readonly<Record<number, Range>>): Tensor {
  const axes: number[] = [];
  const ranges: Range[] = [];
  for (const [key, [from, to]] of Object.entries(parts)) {
    const axis = resolveAxis(Number(key), x.shape.length, 'slice');
    const length = lengthAt(x.shape, axis);
    const start = from < 0 ? from + length : from;
    const end = to < 0 ? to + length : to;
    if (start < 0 || end > length || end <= start) {
      throw new ShapeError(`slice: [${from}, ${to}) of axis ${axis} is not within ${describe(x)}`);
    }
    if (start === 0 && end === length) continue;
    axes.push(axis);
    ranges.push([start, end]);
  }
  return axes.length === 0 ? x : apply(SLICE, [x], { axes, ranges });
}

/** One element of an axis, which disappears: `select(x, 1, 0)` is the CLS token of `[batch, tokens, dim]`. */
export function select(x: Tensor, axis: number, index: number): Tensor {
  const at = resolveAxis(axis, x.shape.length, 'select');
  const from = index < 0 ? index + lengthAt(x.shape, at) : index;
  return reshape(
    slice(x, { [at]: [from, from + 1] }),
    x.shape.filter((_, i) => i !== at),
  );
}

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

/** How many elements to add before and after an axis. */
export type Margins = readonly [before: number, after: number];

/**
 * Widens axes: `pad(x, { 2: [1, 1], 3: [1, 1] })`.
 *
 * @param mode `constant` fills with `value`; `edge` repeats the border; `reflect` mirrors without repeating it
 * @throws ShapeError for a negative margin, or one that reflects more than there is
 */
export function pad(
  x: Tensor,
  margins: Readonly<Record<number, Margins>>,
  mode: 'constant' | 'edge' | 'reflect' = 'constant',
  value = 0,
): Tensor {
  const before = x.shape.map(() => 0);
  const after = x.shape.map(() => 0);
  for (const [key, [left, right]] of Object.entries(margins)) {
    const axis = resolveAxis(Number(key), x.shape.length, 'pad');
    const limit = mode === 'reflect' ? lengthAt(x.shape, axis) - 1 : Number.POSITIVE_INFINITY;
    if (left < 0 || right < 0 || left > limit || right > limit) {
      throw new ShapeError(`pad: [${left}, ${right}] does not suit axis ${axis} of ${describe(x)}`);
    }
    before[axis] = left;
    after[axis] = right;
  }
  if (mode === 'constant') {
    return [...before, ...after].every((n) => n === 0) ? x : apply(PAD, [x], { before, after, value });
  }
  return x.shape.reduce((result, length, axis) => {
    const left = before[axis] ?? 0;
    const right = after[axis] ?? 0;
    if (left + right === 0) return result;
    const at = Array.from({ length: length + left + right }, (_, i) => mirrored(i - left, length, mode));
    return gather(result, at, axis);
  }, x);
}

function mirrored(index: number, length: number, mode: 'edge' | 'reflect'): number {
  if (mode === 'edge') return Math.min(Math.max(index, 0), length - 1);
  if (index < 0) return -index;
  return index >= length ? 2 * (length - 1) - index : index;
}

/** Shifts an axis cyclically: element i moves to i + shift (torch.roll). */
export function roll(x: Tensor, shifts: Readonly<Record<number, number>>): Tensor {
  return Object.entries(shifts).reduce((result, [key, shift]) => {
    const axis = resolveAxis(Number(key), x.shape.length, 'roll');
    const length = lengthAt(x.shape, axis);
    const cut = (((-shift % length) + length) % length) as number;
    if (cut === 0) return result;
    return concat([slice(result, { [axis]: [cut, length] }), slice(result, { [axis]: [0, cut] })], axis);
  }, x);
}

/** Reverses an axis. */
export function flip(x: Tensor, axis: number): Tensor {
  const length = lengthAt(x.shape, axis);
  return gather(
    x,
    Array.from({ length }, (_, i) => length - 1 - i),
    axis,
  );
}

/** Every `step`-th element of an axis from `start` on. */
export function strided(x: Tensor, axis: number, start: number, step: number): Tensor {
  const count = Math.ceil((lengthAt(x.shape, axis) - start) / step);
  return gather(
    x,
    Array.from({ length: count }, (_, i) => start + i * step),
    axis,
  );
}
