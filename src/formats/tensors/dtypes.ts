/**
 * The array class of each element type, by the names safetensors has for them, for types whose elements fill whole
 * bytes: 4- and 6-bit floats and complex numbers are not read. F16, BF16 and the 8-bit floats stay raw bits; BOOL is
 * a byte an element.
 */
export const ARRAY_TYPES = {
  F64: Float64Array,
  F32: Float32Array,
  F16: Uint16Array,
  BF16: Uint16Array,
  F8_E4M3: Uint8Array,
  F8_E5M2: Uint8Array,
  F8_E8M0: Uint8Array,
  F8_E4M3FNUZ: Uint8Array,
  F8_E5M2FNUZ: Uint8Array,
  I64: BigInt64Array,
  I32: Int32Array,
  I16: Int16Array,
  I8: Int8Array,
  U64: BigUint64Array,
  U32: Uint32Array,
  U16: Uint16Array,
  U8: Uint8Array,
  BOOL: Uint8Array,
} as const;

/** An element type of tensors in files. */
export type SafetensorsDtype = keyof typeof ARRAY_TYPES;

/** The typed array that holds each dtype. */
export type ArrayOfDtype = { [D in SafetensorsDtype]: (typeof ARRAY_TYPES)[D]['prototype'] };

/** Elements of one stored tensor, row-major. */
export type StoredArray = ArrayOfDtype[SafetensorsDtype];

/** Bytes as elements of a dtype. The host must be little-endian, as every platform of ONNX Runtime's package is. */
export function storedArray(dtype: SafetensorsDtype, bytes: ArrayBuffer): StoredArray {
  const Elements: new (buffer: ArrayBuffer) => StoredArray = ARRAY_TYPES[dtype];
  return new Elements(bytes);
}
