import {
  bfloat16FromFloat32,
  float16FromFloat32,
  float32FromBfloat16,
  float32FromFloat16,
} from '../../formats/safetensors/half.ts';
import { allocate, type DType, type TensorArray } from './dtype.ts';

/** Stores numbers as `dtype`: half formats rounded to nearest even, integers truncated, bool as 0 or 1. */
export function encodeNumbers(dtype: DType, values: ArrayLike<number>): TensorArray {
  if (dtype === 'float16') return float16FromFloat32(Float32Array.from(values));
  if (dtype === 'bfloat16') return bfloat16FromFloat32(Float32Array.from(values));
  const result = allocate(dtype, values.length);
  const length = values.length;
  if (result instanceof BigInt64Array) {
    for (let i = 0; i < length; i++) result[i] = BigInt(Math.trunc(values[i] as number));
  } else if (dtype === 'bool') {
    for (let i = 0; i < length; i++) result[i] = values[i] ? 1 : 0;
  } else {
    for (let i = 0; i < length; i++) result[i] = values[i] as number;
  }
  return result;
}

/** Reads elements of `dtype` as plain numbers; float32 and float64 arrays come back as they are. */
export function decodeNumbers(dtype: DType, array: TensorArray): Float32Array | Float64Array {
  if (array instanceof Float32Array || array instanceof Float64Array) return array;
  if (array instanceof Uint16Array) {
    return dtype === 'bfloat16' ? float32FromBfloat16(array) : float32FromFloat16(array);
  }
  const result = new Float64Array(array.length);
  for (let i = 0; i < array.length; i++) result[i] = Number(array[i]);
  return result;
}
