/*
 * IEEE 754 binary16 and bfloat16, held as raw bits in Uint16Array since Node 20 has no Float16Array. Narrowing
 * rounds to nearest, ties to even; NaN stays NaN (quiet), what is too large becomes an infinity.
 */

const INFINITY_BITS = 0x7f800000;
/** 65520, halfway between the largest binary16 and the next power of two, as binary32 bits. */
const HALF_OVERFLOW_BITS = 0x477ff000;
/** 2⁻¹⁴, the smallest normal binary16, as binary32 bits. */
const HALF_NORMAL_BITS = 0x38800000;
/** Exponent biases 127 and 15 apart, in place in a binary32. */
const REBIAS_BITS = (127 - 15) << 23;
/** Adding and taking away 2⁵² rounds a small positive double to a whole number, ties to even. */
const ROUNDER = 2 ** 52;

/** Rounds binary32 to binary16 bits (65,520 and beyond become infinite, subnormals are kept). */
export function float16FromFloat32(values: Float32Array): Uint16Array<ArrayBuffer> {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const result = new Uint16Array(values.length);
  for (let i = 0; i < result.length; i++) {
    const whole = bits[i] as number;
    const sign = (whole >>> 16) & 0x8000;
    const magnitude = whole & 0x7fffffff;
    if (magnitude > INFINITY_BITS) {
      result[i] = sign | 0x7e00 | ((magnitude >>> 13) & 0x1ff);
    } else if (magnitude >= HALF_OVERFLOW_BITS) {
      result[i] = sign | 0x7c00;
    } else if (magnitude >= HALF_NORMAL_BITS) {
      const rounded = magnitude + 0xfff + ((magnitude >>> 13) & 1);
      result[i] = sign | ((rounded - REBIAS_BITS) >>> 13);
    } else {
      const steps = Math.abs(values[i] as number) * 2 ** 24;
      result[i] = sign | (steps + ROUNDER - ROUNDER);
    }
  }
  return result;
}

/** Widens binary16 bits to binary32; exact. */
export function float32FromFloat16(halves: Uint16Array): Float32Array<ArrayBuffer> {
  const result = new Float32Array(halves.length);
  const bits = new Uint32Array(result.buffer);
  for (let i = 0; i < halves.length; i++) {
    const half = halves[i] as number;
    const sign = (half & 0x8000) << 16;
    const magnitude = half & 0x7fff;
    if (magnitude >= 0x7c00) {
      bits[i] = sign | INFINITY_BITS | ((magnitude & 0x3ff) << 13);
    } else if (magnitude >= 0x400) {
      bits[i] = sign | ((magnitude << 13) + REBIAS_BITS);
    } else {
      result[i] = (sign === 0 ? magnitude : -magnitude) * 2 ** -24;
    }
  }
  return result;
}

/** Rounds binary32 to bfloat16 bits. */
export function bfloat16FromFloat32(values: Float32Array): Uint16Array<ArrayBuffer> {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const result = new Uint16Array(values.length);
  for (let i = 0; i < result.length; i++) {
    const whole = bits[i] as number;
    const notANumber = (whole & 0x7fffffff) > INFINITY_BITS;
    result[i] = notANumber ? (whole >>> 16) | 0x40 : (whole + 0x7fff + ((whole >>> 16) & 1)) >>> 16;
  }
  return result;
}

/** Widens bfloat16 bits to binary32; exact. */
export function float32FromBfloat16(brains: Uint16Array): Float32Array<ArrayBuffer> {
  const bits = new Uint32Array(brains.length);
  for (let i = 0; i < brains.length; i++) bits[i] = (brains[i] as number) << 16;
  return new Float32Array(bits.buffer);
}
