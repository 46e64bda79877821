import { closeSync, openSync, readSync } from 'node:fs';
import { Tensor as Value } from 'onnxruntime-node';
import { InputError, ShapeError } from '../../ground/errors.ts';
import {
  allocate,
  bytesOf,
  bytesPerElement,
  type DType,
  type TensorArray,
  viewElements,
} from '../graph/dtype.ts';
import { decodeNumbers, encodeNumbers } from '../graph/half.ts';
import { type Shape, showShape, sizeOf } from '../graph/shape.ts';
import type { FileValue, Parameter, TensorSpec } from '../graph/tensor.ts';

/** An array with its shape: what programs return, and take. */
export interface TensorData extends TensorSpec {
  readonly values: TensorArray;
}

/** What may be fed for an input: data with a shape, bare elements in its order, or a number for a scalar. */
export type Feed = TensorData | TensorArray | number;

/** Wraps elements for ONNX Runtime without copying them. */
export function runtimeValue(spec: TensorSpec, values: TensorArray): Value {
  // onnxruntime-node knows no bfloat16 values; programs take them as initializers and cast inside.
  if (spec.dtype === 'bfloat16') {
    throw new ShapeError('bfloat16 values can be neither fed nor returned; use float32 outside and cast');
  }
  return new Value(spec.dtype as 'float32', values as Float32Array, [...spec.shape]);
}

/** What was given for an input, checked against what it must be. @throws ShapeError naming the input */
export function feedValue(name: string, spec: TensorSpec, feed: Feed | undefined): Value {
  if (feed === undefined) throw new ShapeError(`input "${name}" ${showSpec(spec)} was not given`);
  if (typeof feed === 'number') {
    if (sizeOf(spec.shape) !== 1)
      throw new ShapeError(`input "${name}" is ${showSpec(spec)}, not one number`);
    return runtimeValue(spec, encodeNumbers(spec.dtype, [feed]));
  }
  const values = ArrayBuffer.isView(feed) ? feed : feed.values;
  const right = values.constructor === allocate(spec.dtype, 0).constructor;
  if (values.length !== sizeOf(spec.shape) || !right) {
    const given = ArrayBuffer.isView(feed) ? `${feed.constructor.name} of ${feed.length}` : showSpec(feed);
    throw new ShapeError(`input "${name}" must be ${showSpec(spec)}, but was given ${given}`);
  }
  return runtimeValue(spec, values);
}

const showSpec = (spec: TensorSpec): string => `${spec.dtype}${showShape(spec.shape as Shape)}`;

/**
 * A parameter's first value, in its own dtype. Always a fresh array.
 *
 * @throws InputError when its file is shorter than it was
 */
export function initialValues(parameter: Parameter): TensorArray {
  const { initial } = parameter.origin;
  if (initial.from === 'file') return converted(initial.dtype, parameter.dtype, readFileValue(initial));
  const values = initial.from === 'array' ? initial.values : initial.generate();
  if (values.length !== sizeOf(parameter.shape)) {
    throw new ShapeError(
      `${parameter.name}: ${values.length} values do not fill ${showShape(parameter.shape)}`,
    );
  }
  return values.slice();
}

/** The elements of a file value, read. @throws InputError when the file is too short */
export function readFileValue(value: FileValue): TensorArray {
  const bytes = bytesOf(allocate(value.dtype, value.length / bytesPerElement(value.dtype)));
  const file = openSync(value.path, 'r');
  try {
    let done = 0;
    while (done < bytes.length) {
      const count = readSync(file, bytes, done, bytes.length - done, value.offset + done);
      if (count === 0) throw new InputError(value.path, 'the file ends too early', 'fetch or write it again');
      done += count;
    }
  } finally {
    closeSync(file);
  }
  return viewElements(value.dtype, bytes);
}

function converted(from: DType, to: DType, values: TensorArray): TensorArray {
  return from === to ? values : encodeNumbers(to, decodeNumbers(from, values));
}
