import { describe, expect, it } from 'vitest';
import { MASS_NAMES, targetsToArray } from '../../src/pasture/targets.ts';
import { calibrate } from '../../src/runs/calibration.ts';
import { meanTargets, type PhotoPrediction, pooledSpread, spreadOf } from '../../src/runs/prediction.ts';
import { runUncertainty } from '../../src/runs/uncertainty.ts';
import { inventedRows, masses } from '../report/run-results.ts';

const rows = inventedRows(120).map((row) => ({ ...row, session: `${row.date} ${row.state}` }));

function predictionOf(imageId: string, change: Partial<PhotoPrediction> = {}): PhotoPrediction {
  const targets = masses(30, 10, 5);
  return {
    imageId,
    path: null,
    targets,
    folds: [targets, targets],
    dropoutSpread: null,
    intervals: null,
    outOfDomain: 0.5,
    trainedOn: null,
    ...change,
  };
}

describe('uncertainty from out-of-fold predictions', () => {
  const uncertainty = runUncertainty(calibrate({ rows }));

  it('gives every mass an interval that holds it', () => {
    expect(uncertainty.sessions).toBe(12);
    const [photo] = uncertainty.withIntervals([predictionOf('a')], 0.8);
    const values = targetsToArray(masses(30, 10, 5));
    MASS_NAMES.forEach((target, index) => {
      const { low, high } = photo?.intervals?.[target] ?? { low: Number.NaN, high: Number.NaN };
      expect(low).toBeGreaterThanOrEqual(0);
      expect(low).toBeLessThanOrEqual(values[index] ?? 0);
      expect(high).toBeGreaterThanOrEqual(values[index] ?? 0);
    });
  });

  it('gives the mean of photos a narrower interval than each photo', () => {
    const photos = Array.from({ length: 9 }, (_, index) => predictionOf(String(index)));
    const single = uncertainty.withIntervals(photos, 0.8)[0]?.intervals?.total;
    const { mean, intervals, photos: count } = uncertainty.paddockMean(photos, 0.8);
    expect(count).toBe(9);
    expect(mean.total).toBeCloseTo(45, 10);
    const width = intervals.total.high - intervals.total.low;
    expect(width).toBeLessThan((single?.high ?? 0) - (single?.low ?? 0));
  });

  it('doubts photos unlike those trained on and masses beyond all measured', () => {
    const most = Math.max(...rows.map((row) => row.observed.total));
    const doubts = uncertainty.doubts([
      predictionOf('fine'),
      predictionOf('unknown', { outOfDomain: null }),
      predictionOf('noise', { outOfDomain: 0.99 }),
      predictionOf('jungle', { targets: masses(most, 1, 0) }),
    ]);
    expect(doubts.map(({ imageId, kind }) => [imageId, kind])).toEqual([
      ['noise', 'domain'],
      ['jungle', 'range'],
    ]);
    expect(doubts[0]?.message).toMatch(/noise: unlike the photos .* 99 %/);
    expect(doubts[1]?.message).toMatch(/jungle: .* more than any training photo had/);
  });
});

describe('spreads', () => {
  it('are standard deviations over the models', () => {
    const spread = spreadOf([masses(10, 0, 0), masses(14, 0, 2)]);
    expect(spread.green).toBeCloseTo(Math.sqrt(8), 12);
    expect(spread.dead).toBe(0);
    expect(spread.total).toBeCloseTo(Math.sqrt(18), 12);
    expect(spreadOf([masses(1, 2, 3)]).total).toBe(0);
  });

  it('are pooled by their variances', () => {
    const [one, two] = [spreadOf([masses(0, 0, 0), masses(2, 0, 0)]), spreadOf([masses(1, 0, 0)])];
    expect(pooledSpread([one, two]).green).toBeCloseTo(1, 12);
  });

  it('leave the mean of predictions physical', () => {
    expect(meanTargets([masses(2, 4, 6), masses(6, 0, 0)], [3, 1])).toEqual(masses(3, 3, 4.5));
  });
});
