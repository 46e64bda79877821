import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { multiply, transpose } from '../../src/ground/linear-algebra.ts';
import { invertPositiveDefinite } from '../../src/ground/positive-definite.ts';
import { randomStream } from '../../src/ground/random.ts';

describe('the inverse of a positive definite matrix', () => {
  it('times the matrix is the identity, and is symmetric', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 25 }), fc.integer(), (size, seed) => {
        const random = randomStream(seed);
        const root = { rows: size, columns: size, data: new Float64Array(size * size) };
        root.data.forEach((_, at) => {
          root.data[at] = random.normal();
        });
        const products = multiply(transpose(root), root);
        const data = products.data.map((value, at) => value + (at % (size + 1) === 0 ? 1 : 0));
        const inverse = invertPositiveDefinite({ ...products, data });
        if (!inverse) throw new Error('not inverted');
        expect(transpose(inverse).data).toEqual(inverse.data);
        multiply(inverse, { ...products, data }).data.forEach((value, at) => {
          expect(value).toBeCloseTo(at % (size + 1) === 0 ? 1 : 0, 8);
        });
      }),
      { numRuns: 40 },
    );
  });

  it('does not exist where a direction has no positive square', () => {
    const inverse = (data: number[]) =>
      invertPositiveDefinite({ rows: 2, columns: 2, data: Float64Array.from(data) });
    expect(inverse([1, 1, 1, 1])).toBeNull();
    expect(inverse([1, 2, 2, 1])).toBeNull();
    expect(inverse([1, 0, 0, Number.NaN])).toBeNull();
    expect(inverse([4, 0, 0, 16])?.data).toEqual(Float64Array.of(0.25, 0, 0, 0.0625));
  });
});
