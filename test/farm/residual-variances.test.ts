import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inUnit, residualVariances } from '../../src/farm/index.ts';
import { randomStream } from '../../src/ground/random.ts';

describe('variances of residuals', () => {
  it('are worked by hand: sessions of 1, 3 and of −1, −3', () => {
    const rows = [1, 3, -1, -3].map((residual, at) => ({ session: at < 2 ? 'a' : 'b', residual }));
    // Within: (2 + 2) / 2 = 2; between: mean of 2² and (−2)², less 2 / 2.
    expect(residualVariances(rows)).toEqual({
      betweenSessions: 3,
      withinSessions: 2,
      sessions: 2,
      photos: 4,
    });
  });

  it('find what residuals were made with, sessions of unequal size', () => {
    const random = randomStream(3);
    const rows = Array.from({ length: 4000 }, (_, session) => {
      const common = Math.sqrt(70) * random.normal();
      return Array.from({ length: 1 + random.integer(12) }, () => ({
        session: `${session}`,
        residual: common + Math.sqrt(154) * random.normal(),
      }));
    }).flat();
    const { betweenSessions, withinSessions } = residualVariances(rows);
    expect(Math.abs(betweenSessions - 70)).toBeLessThan(5);
    expect(Math.abs(withinSessions - 154)).toBeLessThan(4);
  });

  it('are never negative, do not depend on the order of rows, and go with the square of the unit', () => {
    const rows = fc.array(
      fc.record({
        session: fc.constantFrom('a', 'b', 'c'),
        residual: fc.double({ min: -100, max: 100, noNaN: true }),
      }),
      { minLength: 1, maxLength: 30 },
    );
    fc.assert(
      fc.property(rows, (some) => {
        const found = residualVariances(some);
        expect(found.betweenSessions).toBeGreaterThanOrEqual(0);
        expect(found.withinSessions).toBeGreaterThanOrEqual(0);
        const turned = residualVariances([...some].reverse());
        expect(turned.betweenSessions).toBeCloseTo(found.betweenSessions, 6);
        const doubled = residualVariances(
          some.map(({ session, residual }) => ({ session, residual: 2 * residual })),
        );
        expect(doubled.withinSessions).toBeCloseTo(inUnit(found, 2).withinSessions, 6);
        expect(doubled.betweenSessions).toBeCloseTo(inUnit(found, 2).betweenSessions, 6);
      }),
    );
  });

  it('ask for residuals', () => {
    expect(() => residualVariances([])).toThrow(/need residuals/);
  });
});
