/**
 * The typed array that holds each safetensors dtype. F16, BF16 and the 8-bit floats stay raw bits; BOOL is a
 * byte an element.
 */
export interface ArrayOfDtype {
  F64: Float64Array;
  F32: Float32Array;
  F16: Uint16Array;
  BF16: Uint16Array;
  F8_E4M3: Uint8Array;
  F8_E5M2: Uint8Array;
  F8_E8M0: Uint8Array;
  I64: BigInt64Array;
  I32: Int32Array;
  I16: Int16Array;
  I8: Int8Array;
  U64: BigUint64Array;
  U32: Uint32Array;
  U16: Uint16Array;
  U8: Uint8Array;
  BOOL: Uint8Array;
}

/** Element types of the format whose elements fill whole bytes; 4- and 6-bit floats and complex are refused. */
export type SafetensorsDtype = keyof ArrayOfDtype;

/** Elements of one tensor in file order, row-major. */
export type TensorArray = ArrayOfDtype[SafetensorsDtype];

interface ArrayType<A> {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBuffer): A;
}

/** The array class of each dtype; its `BYTES_PER_ELEMENT` is the size of an element in the file. */
export const ARRAY_TYPES: { readonly [D in SafetensorsDtype]: ArrayType<ArrayOfDtype[D]> } = {
  F64: Float64Array,
  F32: Float32Array,
  F16: Uint16Array,
  BF16: Uint16Array,
  F8_E4M3: Uint8Array,
  F8_E5M2: Uint8Array,
  F8_E8M0: Uint8Array,
  I64: BigInt64Array,
  I32: Int32Array,
  I16: Int16Array,
  I8: Int8Array,
  U64: BigUint64Array,
  U32: Uint32Array,
  U16: Uint16Array,
  U8: Uint8Array,
  BOOL: Uint8Array,
};

/** Whether a header's dtype text is one this library reads and writes. */
export function isDtype(text: string): text is SafetensorsDtype {
  return Object.hasOwn(ARRAY_TYPES, text);
}

/** Bytes of one element. */
export function bytesPerElement(dtype: SafetensorsDtype): number {
  return ARRAY_TYPES[dtype].BYTES_PER_ELEMENT;
}
