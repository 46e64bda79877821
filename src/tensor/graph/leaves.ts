import { ShapeError } from '../../ground/errors.ts';
import { type DType, encodeNumbers, holds, isFloating, type TensorArray } from './dtype.ts';
import type { InitialValue, Parameter, Tensor } from './operator.ts';
import { requireShape, type Shape, showShape, sizeOf } from './shape.ts';

/** A value given at every run under `name`. @throws ShapeError for an axis that is not positive */
export function input(name: string, shape: Shape, dtype: DType = 'float32'): Tensor {
  return { dtype, shape: requireShape(shape, name), label: name, origin: { kind: 'input' } };
}

/**
 * A mask that the program fills at every run from the seeded stream it is given: bytes that are 1 with
 * probability `keep`, else 0. What dropout and stochastic depth multiply with.
 */
export function randomMask(name: string, shape: Shape, keep: number): Tensor {
  return {
    ...input(name, shape, 'bool'),
    origin: { kind: 'input', keep },
  };
}

/** Stands for a value of a graph of its own: the block of a checkpoint, the body of a loop. */
export const placeholder = (dtype: DType, shape: Shape, label: string): Tensor => ({
  dtype,
  shape,
  label,
  origin: { kind: 'placeholder' },
});

/**
 * A value known now.
 *
 * @param values a number (scalar), or the elements in row-major order: plain numbers, which are rounded to
 *   `dtype`, or an array already stored as `dtype`
 * @param shape default: scalar for a number, one axis for an array
 */
export function constant(
  values: number | readonly number[] | TensorArray,
  shape?: Shape,
  dtype: DType = 'float32',
): Tensor {
  const list = typeof values === 'number' ? [values] : values;
  const resolved = requireShape(shape ?? (typeof values === 'number' ? [] : [list.length]), 'constant');
  if (list.length !== sizeOf(resolved)) {
    throw new ShapeError(`constant: ${list.length} values do not fill ${showShape(resolved)}`);
  }
  const stored = holds(dtype, list) ? list : encodeNumbers(dtype, Array.from(list, Number));
  return { dtype, shape: resolved, label: 'constant', origin: { kind: 'constant', values: stored } };
}

/** A constant filled with one number. */
export function full(shape: Shape, value: number, dtype: DType = 'float32'): Tensor {
  return constant(encodeNumbers(dtype, new Float64Array(sizeOf(shape)).fill(value)), shape, dtype);
}

/** Makes a parameter; models get theirs from a `Scope`, which also finds them in weights files. */
export function parameter(
  name: string,
  spec: {
    readonly shape: Shape;
    readonly dtype?: DType;
    /** Default true. */
    readonly trainable?: boolean;
    /** Default: whether it is trainable. */
    readonly variable?: boolean;
  },
  initial: InitialValue,
): Parameter {
  const dtype = spec.dtype ?? 'float32';
  const shape = requireShape(spec.shape, name);
  const trainable = spec.trainable ?? true;
  if (initial.from === 'array' && initial.values.length !== sizeOf(shape)) {
    throw new ShapeError(`${name}: ${initial.values.length} values do not fill ${showShape(shape)}`);
  }
  if (trainable && !isFloating(dtype))
    throw new ShapeError(`${name}: a ${dtype} parameter cannot be trained`);
  const variable = spec.variable ?? trainable;
  return { dtype, shape, name, label: name, trainable, variable, origin: { kind: 'parameter', initial } };
}
