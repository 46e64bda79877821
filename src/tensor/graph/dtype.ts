import type { SafetensorsDtype } from '../../formats/tensors/dtypes.ts';
import {
  bfloat16FromFloat32,
  float16FromFloat32,
  float32FromBfloat16,
  float32FromFloat16,
} from '../../formats/tensors/half.ts';
import { ShapeError } from '../../ground/errors.ts';

/** Element type of a tensor. `float64` exists for checks and host-side precision; models use the others. */
export type DType =
  | 'float32'
  | 'float16'
  | 'bfloat16'
  | 'float64'
  | 'int64'
  | 'int32'
  | 'int8'
  | 'uint8'
  | 'bool';

/** The array a tensor's elements live in: half formats as raw bits in Uint16Array, bool as 0/1 bytes. */
export type TensorArray =
  | Float32Array
  | Float64Array
  | Uint16Array
  | BigInt64Array
  | Int32Array
  | Int8Array
  | Uint8Array;

interface DTypeFacts {
  readonly bytes: number;
  /** TensorProto.DataType of the ONNX format. */
  readonly onnx: number;
  readonly safetensors: SafetensorsDtype;
  readonly floating: boolean;
  readonly array: new (buffer: ArrayBufferLike, offset?: number, length?: number) => TensorArray;
}

const FACTS: Readonly<Record<DType, DTypeFacts>> = {
  float32: { bytes: 4, onnx: 1, safetensors: 'F32', floating: true, array: Float32Array },
  uint8: { bytes: 1, onnx: 2, safetensors: 'U8', floating: false, array: Uint8Array },
  int8: { bytes: 1, onnx: 3, safetensors: 'I8', floating: false, array: Int8Array },
  int32: { bytes: 4, onnx: 6, safetensors: 'I32', floating: false, array: Int32Array },
  int64: { bytes: 8, onnx: 7, safetensors: 'I64', floating: false, array: BigInt64Array },
  bool: { bytes: 1, onnx: 9, safetensors: 'BOOL', floating: false, array: Uint8Array },
  float16: { bytes: 2, onnx: 10, safetensors: 'F16', floating: true, array: Uint16Array },
  float64: { bytes: 8, onnx: 11, safetensors: 'F64', floating: true, array: Float64Array },
  bfloat16: { bytes: 2, onnx: 16, safetensors: 'BF16', floating: true, array: Uint16Array },
};

/** Bytes of one element. */
export const bytesPerElement = (dtype: DType): number => FACTS[dtype].bytes;

/** The ONNX `TensorProto.DataType` code. */
export const onnxTypeCode = (dtype: DType): number => FACTS[dtype].onnx;

/** What safetensors files call it. */
export const storedAs = (dtype: DType): SafetensorsDtype => FACTS[dtype].safetensors;

/** The dtype that safetensors files call so; undefined for one that programs cannot hold. */
export const dtypeStoredAs = (stored: SafetensorsDtype): DType | undefined =>
  (Object.keys(FACTS) as DType[]).find((dtype) => FACTS[dtype].safetensors === stored);

/** Whether gradients can flow through this type. */
export const isFloating = (dtype: DType): boolean => FACTS[dtype].floating;

/** Zeroed storage for `length` elements. */
export function allocate(dtype: DType, length: number): TensorArray {
  return new FACTS[dtype].array(new ArrayBuffer(length * FACTS[dtype].bytes));
}

/** Whether an array is of the kind that holds elements of `dtype`. */
export const holds = (dtype: DType, array: object): array is TensorArray =>
  array.constructor === FACTS[dtype].array;

/** Views bytes as elements of `dtype`, copying only when they are not aligned for it. */
export function viewElements(dtype: DType, bytes: Uint8Array): TensorArray {
  const { bytes: width, array: Elements } = FACTS[dtype];
  const aligned = bytes.byteOffset % width === 0 ? bytes : bytes.slice();
  return new Elements(aligned.buffer, aligned.byteOffset, aligned.byteLength / width);
}

/** The bytes behind an array, in place. */
export const bytesOf = (array: TensorArray): Uint8Array =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

/** @throws ShapeError when `dtype` is not a floating type */
export function requireFloating(dtype: DType, operation: string): void {
  if (!isFloating(dtype))
    throw new ShapeError(`${operation} needs a floating type, not ${dtype}; cast first`);
}

/** Stores numbers as `dtype`: half formats rounded to nearest even, integers truncated, bool as 0 or 1. */
export function encodeNumbers(dtype: DType, values: ArrayLike<number>): TensorArray {
  if (dtype === 'float16') return float16FromFloat32(asSingles(values));
  if (dtype === 'bfloat16') return bfloat16FromFloat32(asSingles(values));
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

/** Numbers in single precision; those that are come back as they are. */
export const asSingles = (values: ArrayLike<number>): Float32Array =>
  values instanceof Float32Array ? values : Float32Array.from(values);

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
