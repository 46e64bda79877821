import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nestedIntervals } from '../../src/pasture/nested-intervals.ts';
import { byMass, MASS_NAMES, type MassName } from '../../src/pasture/targets.ts';

const interval = fc
  .tuple(fc.double({ min: 0, max: 1e4, noNaN: true }), fc.double({ min: 0, max: 1e4, noNaN: true }))
  .map(([low, width]) => ({ low, high: low + width }));
const unknown = fc.constant({ low: Number.NaN, high: Number.NaN });
const intervals = fc
  .tuple(...MASS_NAMES.map(() => fc.oneof({ weight: 5, arbitrary: interval }, unknown)))
  .map((list) => byMass((_, index) => list[index] ?? { low: Number.NaN, high: Number.NaN }));

/** Parts and what they are parts of. */
const PARTS: readonly (readonly [part: MassName, whole: MassName])[] = [
  ['green', 'gdm'],
  ['clover', 'gdm'],
  ['gdm', 'total'],
  ['dead', 'total'],
  ['green', 'total'],
];

describe('intervals of masses that are parts of each other', () => {
  it('are in order, and none is narrower than it was', () => {
    fc.assert(
      fc.property(intervals, (given) => {
        const nested = nestedIntervals(given);
        for (const [part, whole] of PARTS) {
          if ([given[part].low, given[whole].low].some(Number.isNaN)) continue;
          expect(nested[part].low).toBeLessThanOrEqual(nested[whole].low);
          expect(nested[part].high).toBeLessThanOrEqual(nested[whole].high);
        }
        for (const mass of MASS_NAMES) {
          if (Number.isNaN(given[mass].low)) {
            expect(nested[mass]).toEqual(given[mass]);
          } else {
            expect(nested[mass].low).toBeLessThanOrEqual(given[mass].low);
            expect(nested[mass].high).toBeGreaterThanOrEqual(given[mass].high);
          }
        }
        expect(nestedIntervals(nested)).toEqual(nested);
      }),
      { seed: 1 },
    );
  });

  it('that are in order stay as they are', () => {
    const given = byMass((mass) => ({ low: mass === 'total' ? 2 : 1, high: mass === 'total' ? 9 : 5 }));
    expect(nestedIntervals(given)).toEqual(given);
  });
});
