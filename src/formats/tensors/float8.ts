/*
 * 8-bit floats, as PyTorch has them (`float8_e4m3fn` and so on; Micikevicius et al. 2022, Noune et al. 2022 for `fnuz`,
 * the OCP's microscaling formats for `e8m0`). All their numbers are binary32 numbers too.
 */

interface Float8 {
  /** Bits of the fraction; the sign takes one, the exponent the rest. */
  readonly fractionBits: number;
  readonly bias: number;
  /** What the bits of a byte without its sign mean where they mean no finite number. */
  readonly special: (magnitude: number, isNegative: boolean) => number | undefined;
}

const SIGN = 0x80;

/** Without infinities and negative zero, whose place NaN takes. */
const ONE_NAN: Float8['special'] = (magnitude, isNegative) =>
  isNegative && magnitude === 0 ? Number.NaN : undefined;

const E4M3: Float8 = {
  fractionBits: 3,
  bias: 7,
  special: (magnitude) => (magnitude === 0x7f ? Number.NaN : undefined),
};
const E5M2: Float8 = {
  fractionBits: 2,
  bias: 15,
  special: (magnitude) =>
    magnitude > 0x7c ? Number.NaN : magnitude === 0x7c ? Number.POSITIVE_INFINITY : undefined,
};

const TABLES = {
  F8_E4M3: tableOf(E4M3),
  F8_E5M2: tableOf(E5M2),
  F8_E4M3FNUZ: tableOf({ fractionBits: 3, bias: 8, special: ONE_NAN }),
  F8_E5M2FNUZ: tableOf({ fractionBits: 2, bias: 16, special: ONE_NAN }),
  // An exponent alone, without a sign.
  F8_E8M0: Float32Array.from({ length: 256 }, (_, byte) => (byte === 255 ? Number.NaN : 2 ** (byte - 127))),
};

/** Widens 8-bit floats to binary32; exact. */
export function float32FromFloat8(kind: keyof typeof TABLES, bytes: Uint8Array): Float32Array<ArrayBuffer> {
  const table = TABLES[kind];
  return Float32Array.from(bytes, (byte) => table[byte] as number);
}

/** The number that each byte stands for. */
function tableOf({ fractionBits, bias, special }: Float8): Float32Array {
  return Float32Array.from({ length: 256 }, (_, byte) => {
    const isNegative = byte >= SIGN;
    const magnitude = byte % SIGN;
    const exponent = magnitude >> fractionBits;
    const fraction = (magnitude % 2 ** fractionBits) / 2 ** fractionBits;
    const normal = exponent > 0 ? (1 + fraction) * 2 ** (exponent - bias) : fraction * 2 ** (1 - bias);
    const value = special(magnitude, isNegative) ?? normal;
    return isNegative ? -value : value;
  });
}
