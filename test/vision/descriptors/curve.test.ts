import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { angleOf, curve, logisticCurve } from '../../../src/vision/descriptors/curve.ts';
import { momentsOf } from '../../../src/vision/descriptors/statistics.ts';

const number = (limit: number): fc.Arbitrary<number> =>
  fc.double({ min: -limit, max: limit, noNaN: true, noDefaultInfinity: true });

describe('a curve of cubic pieces', () => {
  it('is as near the logistic as it says', () => {
    fc.assert(
      fc.property(number(60), (x) => {
        expect(Math.abs(logisticCurve(x) - 1 / (1 + Math.exp(-x)))).toBeLessThan(4e-10);
      }),
    );
  });

  it('goes through its function where pieces meet, and stays as it ends', () => {
    const square = curve(
      (x) => x * x,
      (x) => 2 * x,
      [1, 3],
      4,
    );
    expect([0, 1, 1.5, 2.2, 3, 9].map(square)).toEqual([1, 1, 2.25, expect.closeTo(4.84, 12), 9, 9]);
  });

  it('gives angles as Math.atan2 does, grey (no chroma, a* negated) among them', () => {
    fc.assert(
      fc.property(number(100), number(100), (y, x) => {
        // Angles of a negative zero are not asked for.
        const up = y === 0 ? 0 : y;
        expect(Math.abs(angleOf(up, x) - Math.atan2(up, x))).toBeLessThan(1e-12);
      }),
    );
    expect(angleOf(0, -0)).toBe(Math.PI);
  });
});

describe('moments of a list', () => {
  it('are those of the plain formula, for any length', () => {
    fc.assert(
      fc.property(fc.array(fc.float({ min: -100, max: 100, noNaN: true }), { minLength: 1 }), (values) => {
        const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
        const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
        const found = momentsOf(Float32Array.from(values));
        expect(Math.abs(found.mean - mean)).toBeLessThan(1e-9);
        expect(Math.abs(found.deviation - Math.sqrt(variance))).toBeLessThan(1e-4);
      }),
    );
  });

  it('have no deviation at all in a constant list', () => {
    expect(momentsOf(new Float32Array(1001).fill(0.1)).deviation).toBe(0);
  });
});
