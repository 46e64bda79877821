import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  bfloat16FromFloat32,
  float16FromFloat32,
  float32FromBfloat16,
  float32FromFloat16,
} from '../../../src/formats/tensors/half.ts';

const ALL_BITS = Uint16Array.from({ length: 65536 }, (_, bits) => bits);

/** The definition of binary16, by its fields. */
function halfByDefinition(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** The bits whose value is nearest, the even ones of a tie, found by search among the finite ones. */
function nearest(value: number, decode: (bits: number) => number, largest: number): number {
  const magnitude = Math.abs(value);
  let low = 0;
  let high = largest;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (decode(middle) <= magnitude) low = middle;
    else high = middle;
  }
  const below = magnitude - decode(low);
  const above = decode(high) - magnitude;
  const chosen = below === above ? low + (low & 1) : below < above ? low : high;
  return value < 0 || Object.is(value, -0) ? chosen | 0x8000 : chosen;
}

describe('binary16', () => {
  it('widens all 65,536 values as defined', () => {
    const widened = float32FromFloat16(ALL_BITS);
    expect(ALL_BITS.every((bits) => Object.is(widened[bits], halfByDefinition(bits)))).toBe(true);
  });

  it('comes back unchanged from binary32, but for NaN made quiet', () => {
    const back = float16FromFloat32(float32FromFloat16(ALL_BITS));
    const isNaN16 = (bits: number) => (bits & 0x7fff) > 0x7c00;
    expect(ALL_BITS.every((bits) => back[bits] === (isNaN16(bits) ? bits | 0x200 : bits))).toBe(true);
  });

  it('rounds to the nearest, ties to even', () => {
    const representable = fc.integer({ min: 0, max: 0x7bfe }).map(halfByDefinition);
    const ties = fc
      .integer({ min: 0, max: 0x7bfe })
      .map((b) => (halfByDefinition(b) + halfByDefinition(b + 1)) / 2);
    const anything = fc.float({ noNaN: true, min: -65504, max: 65504 });
    const tiny = fc.float({ noNaN: true, min: -Math.fround(2e-4), max: Math.fround(2e-4) });
    fc.assert(
      fc.property(fc.oneof(representable, ties, anything, tiny), fc.boolean(), (magnitude, negate) => {
        const value = negate ? -magnitude : magnitude;
        expect(float16FromFloat32(Float32Array.of(value))[0]).toBe(nearest(value, halfByDefinition, 0x7bff));
      }),
      { numRuns: 2000, seed: 1 },
    );
  });

  it('overflows to infinity from 65,520 on and keeps NaN', () => {
    const values = Float32Array.of(65519.99, 65520, -65520, 1e30, Infinity, -Infinity, NaN);
    expect([...float16FromFloat32(values)]).toEqual([0x7bff, 0x7c00, 0xfc00, 0x7c00, 0x7c00, 0xfc00, 0x7e00]);
  });

  it('keeps a NaN whose payload lies in the dropped bits', () => {
    const bits = Uint32Array.of(0x7f800001, 0xff800001);
    expect([...float16FromFloat32(new Float32Array(bits.buffer))]).toEqual([0x7e00, 0xfe00]);
  });

  it('converts a view into the middle of a buffer', () => {
    const whole = Float32Array.of(1, 2, 3, 4);
    expect([...float32FromFloat16(float16FromFloat32(whole.subarray(1, 3)))]).toEqual([2, 3]);
    expect([...float32FromBfloat16(bfloat16FromFloat32(whole.subarray(1, 3)))]).toEqual([2, 3]);
  });
});

describe('bfloat16', () => {
  const decode = (bits: number): number => float32FromBfloat16(Uint16Array.of(bits))[0] ?? Number.NaN;

  it('widens by appending 16 zero bits', () => {
    const widened = new Uint32Array(float32FromBfloat16(ALL_BITS).buffer);
    expect(ALL_BITS.every((bits) => widened[bits] === bits * 65536)).toBe(true);
  });

  it('comes back unchanged from binary32, but for NaN made quiet', () => {
    const back = bfloat16FromFloat32(float32FromBfloat16(ALL_BITS));
    const isNaN16 = (bits: number) => (bits & 0x7fff) > 0x7f80;
    expect(ALL_BITS.every((bits) => back[bits] === (isNaN16(bits) ? bits | 0x40 : bits))).toBe(true);
  });

  it('rounds to the nearest, ties to even', () => {
    const ties = fc.integer({ min: 0, max: 0x7f7e }).map((bits) => (decode(bits) + decode(bits + 1)) / 2);
    const anything = fc.float({ noNaN: true, min: -Math.fround(3e38), max: Math.fround(3e38) });
    fc.assert(
      fc.property(fc.oneof(ties, anything), (value) => {
        expect(bfloat16FromFloat32(Float32Array.of(value))[0]).toBe(nearest(value, decode, 0x7f7f));
      }),
      { numRuns: 2000, seed: 1 },
    );
  });

  it('overflows to infinity and keeps NaN', () => {
    const payload = new Float32Array(Uint32Array.of(0x7f800001).buffer)[0] ?? 0;
    const values = Float32Array.of(3.4028234663852886e38, -3.4028234663852886e38, Infinity, NaN, payload);
    expect([...bfloat16FromFloat32(values)]).toEqual([0x7f80, 0xff80, 0x7f80, 0x7fc0, 0x7fc0]);
  });
});
