import { ShapeError } from '../../ground/errors.ts';
import { constant, full } from '../graph/leaves.ts';
import { apply, applyAll, describe, int, type Operator, type Tensor } from '../graph/operator.ts';
import { lengthAt, replaceAxes, resolveAxis, sameShape, showShape } from '../graph/shape.ts';
import { gather } from './gather.ts';
import { insertAxis, reshape } from './layout.ts';
import type { One } from './pointwise.ts';

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
    () => {
      const margins = axes.map((axis, i): [number, Margins] => {
        const [start, end] = ranges[i] as Range;
        return [axis, [start, lengthAt(x.shape, axis) - end]];
      });
      return pad(gradient, Object.fromEntries(margins));
    },
  ],
};

const span = ([start, end]: Range): number => end - start;

interface Margined {
  readonly before: readonly number[];
  readonly after: readonly number[];
  readonly value: number;
}

const PAD: Operator<One, Margined> = {
  name: 'pad',
  outputs([x], { before, after }) {
    const shape = x.shape.map((length, axis) => length + (before[axis] ?? 0) + (after[axis] ?? 0));
    return [{ dtype: x.dtype, shape }];
  },
  emit({ node, indices, name }, [x], { inputs: [source], attributes: { before, after, value } }) {
    return [node('Pad', [x, indices([...before, ...after]), name(constant(value, [], source.dtype))])];
  },
  gradient: ({ inputs: [x], attributes: { before }, gradient }) => [
    () => {
      const starts = x.shape.map((_, axis) => before[axis] ?? 0);
      const inside = x.shape.map((length, axis): Range => [starts[axis] ?? 0, (starts[axis] ?? 0) + length]);
      return slice(gradient, { ...inside });
    },
  ],
};

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
  const rest = x.shape.filter((_, i) => i !== at);
  return reshape(slice(x, { [at]: [from, from + 1] }), rest);
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
    () => {
      const parts = outputs.map((part, index) => gradients[index] ?? full(part.shape, 0, part.dtype));
      return concat(parts, axis);
    },
  ],
};

/** Joins tensors along an axis. @throws ShapeError when the other axes or the dtypes differ */
export function concat(tensors: readonly Tensor[], axis: number): Tensor {
  const first = tensors[0];
  if (first === undefined) throw new ShapeError('concat: nothing to join');
  if (tensors.length === 1) return first;
  return apply(CONCAT, tensors, resolveAxis(axis, first.shape.length, 'concat'));
}

/** Joins tensors of one shape along a new axis. */
export function stack(tensors: readonly Tensor[], axis = 0): Tensor {
  const widened = tensors.map((x) => insertAxis(x, axis));
  return concat(widened, axis);
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
