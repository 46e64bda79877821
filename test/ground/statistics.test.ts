import { describe, expect, it } from 'vitest';
import { mean, meanAndDeviation, quantileSorted } from '../../src/ground/statistics.ts';

describe('statistics', () => {
  it('average from the first value on, and of nothing there is no mean', () => {
    expect(mean([0.1, 0.2, 0.3])).toBe((0.1 + 0.2 + 0.3) / 3);
    expect(mean([1, Number.NaN])).toBeNaN();
    expect(mean([])).toBeNaN();
  });

  it('spread by the sample standard deviation, leaving out what is not a number', () => {
    const { mean, deviation, count } = meanAndDeviation([2, 4, 4, 4, 5, 5, 7, 9, Number.NaN]);
    expect([mean, count]).toEqual([5, 8]);
    expect(deviation).toBeCloseTo(Math.sqrt(32 / 7), 12);
    expect(meanAndDeviation([3]).deviation).toBeNaN();
    expect(meanAndDeviation([]).mean).toBeNaN();
  });

  it('have quantiles between order statistics', () => {
    expect(quantileSorted([1, 2, 3, 4], 0.5)).toBe(2.5);
    expect(quantileSorted([1, 2, 3, 4], 0.25)).toBe(1.75);
    expect(quantileSorted([7], 0.25)).toBe(7);
    expect(quantileSorted([], 0.5)).toBeNaN();
  });
});
