import { describe, expect, it } from 'vitest';
import { calibratePaddock, errorOfMean, paddockInterval } from '../../../src/pasture/intervals/index.ts';
import { inventedSessions } from './sessions.ts';

/** Predictions of `count` photos with errors as {@link inventedSessions} makes them, all of one session. */
const visits = (seed: number, common: number, count: number): ReturnType<typeof inventedSessions>[] => {
  const rows = inventedSessions({ sessions: 150, photos: count, common }, seed);
  return Array.from({ length: 150 }, (_, session) => rows.slice(session * count, (session + 1) * count));
};

describe('variance components', () => {
  it('are found again', () => {
    const rows = inventedSessions({ sessions: 400, photos: 10, common: 1 }, 1);
    const shifted = rows.map((row) => ({
      ...row,
      predicted: row.predicted + 200,
      observed: row.observed + 200,
    }));
    const { betweenSessions, withinSessions } = calibratePaddock(shifted);
    expect(betweenSessions / (betweenSessions + withinSessions)).toBeCloseTo(0.5, 1);
  });

  it('give the session everything where each has one photo', () => {
    const { betweenSessions, withinSessions } = calibratePaddock(
      inventedSessions({ sessions: 50, photos: 1, common: 1 }, 2),
    );
    expect(withinSessions).toBe(0);
    expect(betweenSessions).toBeGreaterThan(0);
  });

  it('keep the part of the session whole in the error of a mean', () => {
    const parts = { betweenSessions: 4, withinSessions: 9 };
    expect(errorOfMean(parts, [1])).toBeCloseTo(Math.sqrt(13), 12);
    expect(errorOfMean(parts, new Array<number>(9).fill(1))).toBeCloseTo(Math.sqrt(5), 12);
    expect(errorOfMean(parts, [2, 2])).toBeCloseTo(Math.sqrt(16 + 18), 12);
  });
});

describe('the interval of a mean of photos', () => {
  it('is wider than √n would have it', () => {
    const calibration = calibratePaddock(inventedSessions({ sessions: 30, photos: 16, common: 1 }, 3));
    const width = (count: number): number => {
      const { low, high } = paddockInterval(calibration, new Array<number>(count).fill(60), 0.8);
      return high - low;
    };
    expect(width(16)).toBeLessThan(width(1));
    expect(width(16)).toBeGreaterThan(2 * (width(1) / 4));
  });

  it.each([
    [0.5, 3],
    [1, 8],
    [2, 12],
  ])('covers means of new sessions, with a common error of %d and %d photos', (common, count) => {
    let inside = 0;
    let total = 0;
    for (let draw = 0; draw < 8; draw++) {
      const calibration = calibratePaddock(inventedSessions({ sessions: 25, photos: 12, common }, 40 + draw));
      for (const photos of visits(700 + draw, common, count)) {
        const observed = photos.reduce((sum, row) => sum + row.observed, 0) / count;
        const { low, high } = paddockInterval(
          calibration,
          photos.map((row) => row.predicted),
          0.9,
        );
        if (observed >= low && observed <= high) inside++;
        total++;
      }
    }
    expect(inside / total).toBeGreaterThan(0.86);
    expect(inside / total).toBeLessThan(0.97);
  });

  it('holds the mean, above 0', () => {
    const calibration = calibratePaddock(inventedSessions({ sessions: 8, photos: 5, common: 1 }, 4));
    const { low, high } = paddockInterval(calibration, [0, 2, 1], 0.9);
    expect(low).toBe(0);
    expect(high).toBeGreaterThan(1);
    expect(() => paddockInterval(calibration, [], 0.9)).toThrow(RangeError);
  });
});
