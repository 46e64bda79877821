/*
 * WebAssembly's binary format (https://webassembly.github.io/spec/core/binary), as much of it as one function with a
 * loop over vectors of four float32 numbers needs.
 */

/** Encoded instructions, or another piece of a module. */
export type Bytes = readonly number[];

/** What a local holds: an address or a count, a float32 number, or four of them. */
export type ValueType = 'i32' | 'f32' | 'v128';

const VALUE_TYPES: Readonly<Record<ValueType, number>> = { i32: 0x7f, f32: 0x7d, v128: 0x7b };

/** Instructions on vectors, by their names in the specification. */
const VECTOR_CODES = {
  'v128.load': 0,
  'v128.store': 11,
  'f32x4.splat': 19,
  'f32x4.abs': 224,
  'f32x4.neg': 225,
  'f32x4.sqrt': 227,
  'f32x4.add': 228,
  'f32x4.sub': 229,
  'f32x4.mul': 230,
  'f32x4.div': 231,
} as const;

export type VectorCode = keyof typeof VECTOR_CODES;

/** LEB128 of a whole number that is not negative. */
function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) + 0x80);
  bytes.push(rest);
  return bytes;
}

/** As `unsigned`, with room for the sign, which is always plus here. */
function signed(value: number): number[] {
  const bytes = unsigned(value);
  const last = bytes.at(-1) as number;
  return last < 0x40 ? bytes : [...bytes.slice(0, -1), last + 0x80, 0];
}

const list = (items: readonly Bytes[]): number[] => [...unsigned(items.length), ...items.flat()];

const section = (id: number, content: Bytes): number[] => [id, ...unsigned(content.length), ...content];

const name = (text: string): number[] => list([...Buffer.from(text)].map((byte) => [byte]));

export const vector = (code: VectorCode): Bytes => [0xfd, ...unsigned(VECTOR_CODES[code])];

/** Loads from, or stores to, an address and an offset from it; both are multiples of 16. */
export const access = (code: 'v128.load' | 'v128.store', offset: number): Bytes => [
  ...vector(code),
  4,
  ...unsigned(offset),
];

export const localGet = (index: number): Bytes => [0x20, ...unsigned(index)];
export const localSet = (index: number): Bytes => [0x21, ...unsigned(index)];
const localTee = (index: number): Bytes => [0x22, ...unsigned(index)];
const constant = (value: number): Bytes => [0x41, ...signed(value)];

/** Adds to an address. */
export const advance = (index: number, bytes: number): Bytes => [
  ...localGet(index),
  ...constant(bytes),
  0x6a,
  ...localSet(index),
];

/** Repeats what `body` does, and takes `step` from a count after each round, until nothing is left of it. */
export const loopUntilZero = (count: number, step: number, body: Bytes): Bytes => [
  ...[0x03, 0x40, ...body],
  ...[...localGet(count), ...constant(step), 0x6b, ...localTee(count), 0x0d, 0, 0x0b],
];

/** Where a module takes its memory from, and what its function is called. */
export const MEMORY = { module: 'kernel', field: 'memory' } as const;
export const FUNCTION = 'run';

/**
 * A module with one function, over a memory that it is given.
 *
 * @param parameters locals that are passed, the first ones
 * @param vectors how many vectors it keeps in locals, after the parameters
 */
export function moduleOf(
  parameters: readonly ValueType[],
  vectors: number,
  body: Bytes,
): Uint8Array<ArrayBuffer> {
  const signature = [0x60, ...list(parameters.map((type) => [VALUE_TYPES[type]])), 0];
  const memory = [...name(MEMORY.module), ...name(MEMORY.field), 0x02, 0x00, 0];
  const code = [...list([[...unsigned(vectors), VALUE_TYPES.v128]]), ...body, 0x0b];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, list([signature])),
    ...section(2, list([memory])),
    ...section(3, list([[0]])),
    ...section(7, list([[...name(FUNCTION), 0x00, 0]])),
    ...section(10, list([[...unsigned(code.length), ...code]])),
  ]);
}
