import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type BinnedMatrix,
  binCount,
  binMatrix,
  type NumericBins,
} from '../../../src/estimators/trees/bins.ts';
import { normalMatrix, rowsOf } from './small-data.ts';

const rules = { maxBin: 255, minDataInBin: 1, categorical: new Set<number>(), single: false };

function firstNumeric({ columns: [column] }: BinnedMatrix): NumericBins {
  if (column?.kind !== 'numeric') throw new Error('the column should be numeric');
  return column;
}

describe('bins', () => {
  it('give every one of few values its own bin, with bounds half way between', () => {
    const binned = binMatrix(rowsOf([[1], [4], [2], [4]]), rules);
    expect([...firstNumeric(binned).bounds]).toEqual([1.5, 3]);
    expect([...binned.bins]).toEqual([0, 2, 1, 2]);
  });

  it('hold about as many rows each when values outnumber them', () => {
    const inputs = normalMatrix(1000, 1, 1);
    const counts = new Array<number>(10).fill(0);
    for (const bin of binMatrix(inputs, { ...rules, maxBin: 10 }).bins) counts[bin] = (counts[bin] ?? 0) + 1;
    expect(counts).toEqual(new Array(10).fill(100));
  });

  it('hold at least minDataInBin rows, but for what is left at the end', () => {
    const inputs = normalMatrix(30, 1, 2);
    const column = firstNumeric(binMatrix(inputs, { ...rules, minDataInBin: 4 }));
    expect(binCount(column)).toBeLessThanOrEqual(8);
  });

  it('put missing values last, or lowest where bounds are single-precision', () => {
    const inputs = rowsOf([[1], [Number.NaN], [2]]);
    expect([...binMatrix(inputs, rules).bins]).toEqual([0, 2, 1]);
    const lowest = binMatrix(rowsOf([[1], [Number.NaN], [2], [-1e38]]), { ...rules, single: true });
    expect([...lowest.bins]).toEqual([2, 0, 3, 1]);
    expect(firstNumeric(lowest).bounds[0]).toBeLessThan(-3e38);
  });

  it('number categories by how often they occur and send the rarest and the unknown to bin 0', () => {
    const inputs = rowsOf([[7], [3], [5], [3], [Number.NaN], [7], [3]]);
    const binned = binMatrix(inputs, { ...rules, maxBin: 3, categorical: new Set([0]) });
    expect(binned.columns).toEqual([{ kind: 'categorical', codes: Int32Array.of(3, 7) }]);
    expect([...binned.bins]).toEqual([2, 1, 0, 1, 0, 2, 1]);
  });

  it.each([Math.fround, (value: number) => value])('sort many numbers as few', (precision) => {
    const { data } = normalMatrix(3000, 1, 6);
    const values = data.map((value, at) => (at % 50 === 0 ? 0 : at % 51 === 0 ? -0 : precision(value ** 9)));
    values.set([Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 5e-324, -5e-324, 1e308, -1e308]);
    const column = firstNumeric(
      binMatrix({ rows: 3000, columns: 1, data: values }, { ...rules, maxBin: 4000 }),
    );
    const ascending = [...new Set(values)].sort((a, b) => a - b);
    expect(column.bounds.length).toBe(ascending.length - 1);
    for (const [at, bound] of column.bounds.entries()) {
      expect(bound).toBeGreaterThanOrEqual(ascending[at] ?? Number.NaN);
      expect(bound).toBeLessThan(ascending[at + 1] ?? Number.NaN);
    }
    expect(column.range).toEqual([Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]);
  });

  it('refuse a categorical column of amounts', () => {
    expect(() => binMatrix(rowsOf([[0.5]]), { ...rules, categorical: new Set([0]) })).toThrow(
      /column 1: is categorical but holds 0.5; number its categories/,
    );
  });

  it('keep order, and part values only at a bound between them', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ noNaN: true }), { minLength: 1, maxLength: 60 }),
        fc.boolean(),
        (values, single) => {
          const inputs = rowsOf(values.map((value) => [single ? Math.fround(value) : value]));
          const binned = binMatrix(inputs, { ...rules, maxBin: 16, single });
          const { bins } = binned;
          const column = firstNumeric(binned);
          const order = [...inputs.data.keys()].sort((a, b) => (inputs.data[a] ?? 0) - (inputs.data[b] ?? 0));
          for (let at = 1; at < order.length; at++) {
            expect(bins[order[at] ?? 0] ?? 0).toBeGreaterThanOrEqual(bins[order[at - 1] ?? 0] ?? 0);
          }
          expect(binCount(column)).toBeLessThanOrEqual(16);
          for (const bound of column.bounds) if (single) expect(Math.fround(bound)).toBe(bound);
        },
      ),
    );
  });
});
