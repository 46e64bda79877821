import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type CalibrationRow,
  calibratePhotos,
  nestedCoverage,
  photoInterval,
} from '../../../src/pasture/intervals/index.ts';
import { orderStatistic, weightedOrderStatistic } from '../../../src/pasture/intervals/quantile.ts';
import { fitSpreadModel, spreadAt } from '../../../src/pasture/intervals/spread-model.ts';
import { inventedSessions } from './sessions.ts';

const row = (session: string, residual: number, predicted = 50): CalibrationRow => ({
  session,
  fold: 0,
  predicted,
  observed: predicted + residual,
});

describe('order statistics', () => {
  it('are the smallest value that the share asked for does not exceed', () => {
    const values = Float64Array.of(5, 1, 4, 2, 3);
    expect([0.2, 0.21, 0.6, 0.81, 1, 1.5].map((level) => orderStatistic(values, level))).toEqual([
      1, 2, 3, 5, 5, 5,
    ]);
    const tenths = Float64Array.from({ length: 10 }, (_, index) => index + 1);
    expect(orderStatistic(tenths, 0.9)).toBe(9);
    expect(() => orderStatistic(new Float64Array(0), 0.5)).toThrow(RangeError);
  });

  it('count values by their weights', () => {
    const values = [
      { value: 3, weight: 1 },
      { value: 1, weight: 2 },
      { value: 2, weight: 1 },
    ];
    expect([0.5, 0.51, 0.75, 0.76, 2].map((level) => weightedOrderStatistic(values, level))).toEqual([
      1, 2, 2, 3, 3,
    ]);
  });
});

describe('the spread model', () => {
  it('is constant for errors that are alike at all masses', () => {
    const rows = inventedSessions({ sessions: 40, photos: 25, common: 0 }, 1);
    const model = fitSpreadModel(rows);
    expect(model.exponent).toBeLessThanOrEqual(0.1);
  });

  it('grows where errors grow', () => {
    const deviation = (predicted: number): number => 1 + 0.2 * predicted;
    const rows = inventedSessions({ sessions: 40, photos: 25, common: 0, deviation }, 1);
    const model = fitSpreadModel(rows);
    expect(spreadAt(model, 90)).toBeGreaterThan(1.5 * spreadAt(model, 10));
  });

  it('is 1 everywhere when nothing was ever wrong', () => {
    const model = fitSpreadModel([1, 2, 3].map((mass) => row('a', 0, mass)));
    expect(spreadAt(model, 80)).toBe(1);
  });
});

describe('the interval of a photo', () => {
  it('reaches as far as the residual at the calibrated level', () => {
    // Four sessions of one photo: leaving one out, the share of smaller errors elsewhere is 0, 1/3, 2/3, 1.
    const rows = [row('a', 1), row('b', -2), row('c', 3), row('d', -4)];
    const constant = calibratePhotos(rows, { offset: 1, exponent: 0 });
    expect([...constant.sharesBelow].map((share) => share.toFixed(3))).toEqual([
      '0.000',
      '0.333',
      '0.667',
      '1.000',
    ]);
    expect(photoInterval(constant, 50, [], 0.5)).toEqual({ low: 48, high: 52 });
    expect(photoInterval(constant, 50, [], 0.9)).toEqual({ low: 46, high: 54 });
    expect(photoInterval(constant, 3, [], 0.9)).toEqual({ low: 0, high: 7 });
  });

  it('takes each residual around what the model says that did not see it', () => {
    const rows = [
      { ...row('a', 2), fold: 0 },
      { ...row('b', 2), fold: 1 },
    ];
    const constant = calibratePhotos(rows, { offset: 1, exponent: 0 });
    expect(photoInterval(constant, 50, [40, 60], 0.9)).toEqual({ low: 38, high: 62 });
    expect(photoInterval(constant, 50, [50, 50], 0.9)).toEqual({ low: 48, high: 52 });
  });

  it('lies above 0 and holds the prediction, whatever the data', () => {
    const rows = fc.array(
      fc.record({
        session: fc.constantFrom('a', 'b', 'c', 'd'),
        fold: fc.integer({ min: 0, max: 3 }),
        predicted: fc.double({ min: 0, max: 150, noNaN: true }),
        observed: fc.double({ min: 0, max: 150, noNaN: true }),
      }),
      { minLength: 1, maxLength: 30 },
    );
    const mass = fc.double({ min: 0, max: 300, noNaN: true });
    const coverage = fc.double({ min: 0.01, max: 0.99, noNaN: true });
    fc.assert(
      fc.property(
        rows,
        mass,
        fc.array(mass, { maxLength: 4 }),
        coverage,
        (data, prediction, folds, asked) => {
          const { low, high } = photoInterval(calibratePhotos(data), prediction, folds, asked);
          expect(low).toBeGreaterThanOrEqual(0);
          expect(low).toBeLessThanOrEqual(prediction);
          expect(high).toBeGreaterThanOrEqual(prediction);
          expect(Number.isFinite(high)).toBe(true);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('is wider for more coverage', () => {
    const calibration = calibratePhotos(inventedSessions({ sessions: 20, photos: 10, common: 1 }, 3));
    const widths = [0.5, 0.7, 0.9, 0.95].map((coverage) => {
      const { low, high } = photoInterval(calibration, 60, [], coverage);
      return high - low;
    });
    expect(widths).toEqual(widths.toSorted((a, b) => a - b));
    expect(new Set(widths).size).toBe(4);
  });

  it('refuses coverages that are none and calibration on nothing', () => {
    expect(() => photoInterval(calibratePhotos([row('a', 1)]), 5, [], 1)).toThrow(/between 0 and 1/);
    expect(() => calibratePhotos([])).toThrow(RangeError);
  });
});

describe('coverage on sessions that had no part', () => {
  it.each([0, 0.5, 1, 2])('is what was asked for, with a common error of %d', (common) => {
    // 240 new photos of 60 sessions each, over 10 draws of 25 sessions to calibrate on.
    let inside = 0;
    let count = 0;
    for (let draw = 0; draw < 10; draw++) {
      const calibration = calibratePhotos(inventedSessions({ sessions: 25, photos: 12, common }, 10 + draw));
      for (const { predicted, observed } of inventedSessions(
        { sessions: 60, photos: 4, common },
        500 + draw,
      )) {
        const { low, high } = photoInterval(calibration, predicted, [], 0.9);
        if (observed >= low && observed <= high) inside++;
        count++;
      }
    }
    // Calibrations on 25 sessions of common errors deviate by about 0.05 each: two standard errors of ten.
    expect(inside / count).toBeGreaterThan(0.865);
    expect(inside / count).toBeLessThan(0.935);
  });

  it('is told truly by leaving sessions out, and constant widths are wider where errors grow', () => {
    const deviation = (predicted: number): number => 1 + 0.3 * predicted;
    const rows = inventedSessions({ sessions: 30, photos: 10, common: 0.5, deviation }, 7);
    const [found] = nestedCoverage(rows, [0.9]) ?? [];
    expect(found?.single.photos).toBeGreaterThan(0.87);
    expect(found?.single.photos).toBeLessThan(0.93);
    expect(found?.single.sessions).toBeCloseTo(found?.single.photos ?? 0, 10);
    expect(found?.single.width).toBeLessThan(0.95 * (found?.constant.width ?? 0));
  });

  it('holds for a mass that is mostly absent', () => {
    const rows = inventedSessions({ sessions: 40, photos: 12, common: 0.5 }, 5).map((photo, index) => {
      const absent = index % 3 > 0;
      return {
        ...photo,
        predicted: absent ? (index % 7) / 7 : photo.predicted / 5,
        observed: absent ? 0 : photo.observed / 5,
      };
    });
    const [found] = nestedCoverage(rows, [0.9]) ?? [];
    expect(found?.single.photos).toBeGreaterThan(0.87);
    expect(found?.single.photos).toBeLessThan(0.93);
  });

  it('needs three sessions', () => {
    expect(nestedCoverage([row('a', 1), row('b', 2)], [0.9])).toBeNull();
    expect(nestedCoverage([row('a', 1), row('b', 2), row('c', 1)], [0.9])).toHaveLength(1);
  });
});
