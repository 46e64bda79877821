import { ShapeError } from '../../ground/errors.ts';
import { encodeNumbers, holds, type TensorArray } from '../graph/dtype.ts';
import type { TensorSpec } from '../graph/operator.ts';
import { showShape, sizeOf } from '../graph/shape.ts';
import type { TensorData } from '../graph/values.ts';
import { Tensor as Value } from './runtime.ts';

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
  if (values.length !== sizeOf(spec.shape) || !holds(spec.dtype, values)) {
    const given = ArrayBuffer.isView(feed) ? `${feed.constructor.name} of ${feed.length}` : showSpec(feed);
    throw new ShapeError(`input "${name}" must be ${showSpec(spec)}, but was given ${given}`);
  }
  return runtimeValue(spec, values);
}

const showSpec = (spec: TensorSpec): string => `${spec.dtype}${showShape(spec.shape)}`;
