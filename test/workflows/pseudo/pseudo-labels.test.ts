import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { targetsFromComponents } from '../../../src/pasture/physics.ts';
import { mostCertain, uncertaintyOf } from '../../../src/workflows/pseudo/pseudo-labels.ts';

const small = targetsFromComponents({ green: 6, dead: 3, clover: 1 });
const large = targetsFromComponents({ green: 60, dead: 30, clover: 10 });

describe('uncertainty of a prediction', () => {
  it('is the mean deviation of the five targets', () => {
    expect(uncertaintyOf([1, 2, 3, 4, 5], large, 'absolute')).toBe(3);
  });

  it('relative to the mass does not favour bare ground', () => {
    const tenth = [0.6, 0.3, 0.1, 0.7, 1];
    const deviations = tenth.map((value) => value * 10);
    expect(uncertaintyOf(tenth, small, 'absolute')).toBeLessThan(
      uncertaintyOf(deviations, large, 'absolute'),
    );
    expect(uncertaintyOf(tenth, small, 'relative')).toBeCloseTo(
      uncertaintyOf(deviations, large, 'relative'),
      12,
    );
  });

  it('stays finite where nothing stands', () => {
    const bare = targetsFromComponents({ green: 0, dead: 0, clover: 0 });
    expect(uncertaintyOf([1, 1, 1, 1, 1], bare, 'relative')).toBeCloseTo(0.2, 12);
  });
});

describe('the most certain share', () => {
  it('keeps the lowest, in their order', () => {
    expect(mostCertain([5, 1, 4, 2, 3, 9, 8, 7, 6, 10], 0.3)).toEqual([1, 3, 4]);
  });

  it('is at least one photo, and all at share 1', () => {
    expect(mostCertain([2, 1], 0.1)).toEqual([1]);
    expect(mostCertain([2, 1, 3], 1)).toEqual([0, 1, 2]);
  });

  it('never keeps a photo less certain than one it leaves', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 50, noNaN: true }), { minLength: 1, maxLength: 40 }),
        fc.double({ min: 0.05, max: 1, noNaN: true }),
        (uncertainties, share) => {
          const kept = new Set(mostCertain(uncertainties, share));
          const worstKept = Math.max(...[...kept].map((photo) => uncertainties[photo] as number));
          const left = uncertainties.filter((_, photo) => !kept.has(photo));
          return left.every((uncertainty) => uncertainty >= worstKept);
        },
      ),
    );
  });
});
