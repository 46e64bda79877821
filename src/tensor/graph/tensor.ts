import { ShapeError } from '../../ground/errors.ts';
import { allocate, type DType, isFloating, type TensorArray } from './dtype.ts';
import { encodeNumbers } from './half.ts';
import type { Operation } from './operator.ts';
import { requireShape, type Shape, showShape, sizeOf } from './shape.ts';

/** What is known about a value before anything runs. */
export interface TensorSpec {
  readonly dtype: DType;
  readonly shape: Shape;
}

/**
 * A symbolic value: an immutable description of an array that a program will compute. It has a static shape
 * and dtype, and knows the operation or leaf it comes from; there is no graph object besides.
 */
export interface Tensor extends TensorSpec {
  /** How errors call it: the name of a leaf, or the operator it came from. */
  readonly label: string;
  readonly origin: Origin;
}

export type Origin =
  | { readonly kind: 'operation'; readonly operation: Operation; readonly output: number }
  | InputOrigin
  | { readonly kind: 'constant'; readonly values: TensorArray }
  | ParameterOrigin
  | { readonly kind: 'placeholder' };

/** A value the caller feeds, or, with `fill`, one that a seeded stream fills anew in every run. */
export interface InputOrigin {
  readonly kind: 'input';
  readonly name: string;
  readonly fill?: RandomFill;
}

/** What a random input is filled with: 1 with probability `keep`, else 0. */
export interface RandomFill {
  readonly distribution: 'bernoulli';
  readonly keep: number;
}

export interface ParameterOrigin {
  readonly kind: 'parameter';
  readonly initial: InitialValue;
}

/** Where a parameter's first value lies. */
export type InitialValue =
  | { readonly from: 'array'; readonly values: TensorArray }
  | { readonly from: 'generator'; readonly generate: () => TensorArray }
  | FileValue;

/** Bytes of a file, used in place. `dtype` is that of the file. */
export interface FileValue {
  readonly from: 'file';
  readonly path: string;
  readonly dtype: DType;
  /** Byte offset of the first element from the start of the file. */
  readonly offset: number;
  /** Length in bytes. */
  readonly length: number;
}

/**
 * A named weight. A constant one becomes part of the program; a variable one is fed from, and updated in, a
 * `Variables` store. The name is the checkpoint's.
 */
export interface Parameter extends Tensor {
  readonly name: string;
  /** Whether an optimizer may change it. */
  readonly trainable: boolean;
  /** Whether training changes it at all: trainable ones, and running statistics. */
  readonly variable: boolean;
  readonly origin: ParameterOrigin;
}

/** A value given at every run under `name`. @throws ShapeError for an axis that is not positive */
export function input(name: string, shape: Shape, dtype: DType = 'float32'): Tensor {
  return { dtype, shape: requireShape(shape, name), label: name, origin: { kind: 'input', name } };
}

/**
 * A mask that the program fills at every run from the seeded stream it is given: bytes that are 1 with
 * probability `keep`, else 0. What dropout and stochastic depth multiply with.
 */
export function randomMask(name: string, shape: Shape, keep: number): Tensor {
  const fill: RandomFill = { distribution: 'bernoulli', keep };
  return {
    dtype: 'bool',
    shape: requireShape(shape, name),
    label: name,
    origin: { kind: 'input', name, fill },
  };
}

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
  const stored = isStored(list, dtype) ? list : encodeNumbers(dtype, Array.from(list, Number));
  return { dtype, shape: resolved, label: 'constant', origin: { kind: 'constant', values: stored } };
}

/** A constant filled with one number. */
export function full(shape: Shape, value: number, dtype: DType = 'float32'): Tensor {
  return constant(encodeNumbers(dtype, new Float64Array(sizeOf(shape)).fill(value)), shape, dtype);
}

function isStored(values: readonly number[] | TensorArray, dtype: DType): values is TensorArray {
  return ArrayBuffer.isView(values) && allocate(dtype, 0).constructor === values.constructor;
}

/** Makes a parameter; models get theirs from a `Scope`, which also finds them in checkpoints. */
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

/** Whether a tensor is a parameter. */
export const isParameter = (tensor: Tensor): tensor is Parameter => tensor.origin.kind === 'parameter';

/** `norm1.weight float32[384]`, as errors print it. */
export const describe = (tensor: Tensor): string =>
  `${tensor.label} ${tensor.dtype}${showShape(tensor.shape)}`;
