import { describe, expect, it } from 'vitest';
import { studentReach } from '../../src/ground/student-t.ts';

describe('the reach of Student’s t', () => {
  // Two-sided points of the distribution, as printed in tables.
  it.each([
    [0.95, 1, 12.7062],
    [0.95, 2, 4.3027],
    [0.95, 3, 3.1824],
    [0.95, 10, 2.2281],
    [0.95, 30, 2.0423],
    [0.95, 1000, 1.9623],
    [0.9, 4, 2.1318],
    [0.9, 5, 2.015],
    [0.99, 7, 3.4995],
    [0.8, 120, 1.2886],
  ])('is that of tables: %f, %i', (coverage, freedom, point) => {
    expect(studentReach(coverage, freedom)).toBeCloseTo(point, 4);
  });

  it('comes to that of the normal distribution', () => {
    expect(studentReach(0.95, Number.POSITIVE_INFINITY)).toBeCloseTo(1.959964, 5);
    expect(studentReach(0.9, Number.POSITIVE_INFINITY)).toBeCloseTo(1.644854, 5);
    expect(studentReach(0.95, 1001)).toBeLessThan(studentReach(0.95, 1000));
  });

  it('takes degrees that are not whole as fewer, never as more', () => {
    expect(studentReach(0.9, 2.9)).toBe(studentReach(0.9, 2));
  });

  it('refuses what is out of range', () => {
    expect(() => studentReach(1, 5)).toThrow(/between 0 and 1/);
    expect(() => studentReach(0.9, 0.5)).toThrow(/fewer than 1/);
  });
});
