import { describe, expect, it } from 'vitest';
import { ErrorRecord, residualVariances, variancesAt } from '../../src/farm/index.ts';
import { randomStream } from '../../src/ground/random.ts';
import { errorOfMean, type PaddockCalibration, spreadAt } from '../../src/pasture/intervals/index.ts';
import { targetsFromComponents } from '../../src/pasture/physics.ts';
import type { Targets } from '../../src/pasture/targets.ts';
import { calibrate } from '../../src/runs/calibration.ts';
import { errorRecords } from '../../src/runs/error-records.ts';
import { openRun } from '../../src/runs/open-run.ts';

const masses = (grams: number): Targets => targetsFromComponents({ green: grams, dead: 5, clover: 0 });

/** Out-of-fold rows whose errors have nothing to do with the mass. */
function outOfFold() {
  const random = randomStream(2);
  return Array.from({ length: 300 }, (_, at) => {
    const session = at % 30;
    const predicted = masses(10 + 40 * random.uniform());
    const miss = 4 * randomStream(session).normal() + 6 * random.normal();
    return {
      imageId: `${at}`,
      photoPath: null,
      fold: session % 5,
      session: `${session}`,
      observed: masses(Math.max(0, predicted.green + miss)),
      predicted,
      date: null,
      state: null,
      species: null,
    };
  });
}

describe('a run’s record of errors', () => {
  const rows = outOfFold();
  const calibration = calibrate({ rows });
  const estimates = [25, 35, 45];
  const total = errorRecords(calibration).total as ErrorRecord;

  it('speaks of the variances of its residuals where they do not grow with the mass', () => {
    const found = variancesAt(total, estimates);
    const plain = residualVariances(
      rows.map(({ session, observed, predicted }) => ({
        session,
        residual: observed.total - predicted.total,
      })),
    );
    expect(found).toMatchObject({ sessions: 30, photos: 300 });
    const flat = variancesAt({ ...total, spread: { offset: 1, exponent: 0 } }, estimates);
    expect(flat.withinSessions).toBe(total.withinSessions);
    expect(Math.abs(found.withinSessions / plain.withinSessions - 1)).toBeLessThan(0.3);
    expect(Math.abs(found.betweenSessions / plain.betweenSessions - 1)).toBeLessThan(0.3);
  });

  it('speaks of the variances behind the mean that predict gives', () => {
    const found = variancesAt(total, estimates);
    const paddock = calibration.paddocks[4] as PaddockCalibration;
    const error = errorOfMean(
      paddock,
      estimates.map((grams) => spreadAt(paddock.spread, grams)),
    );
    expect(Math.sqrt(found.betweenSessions + found.withinSessions / estimates.length)).toBeCloseTo(error, 9);
  });

  it('speaks of more where there is more sward, if errors grow', () => {
    const growing = { ...total, spread: { offset: 5, exponent: 0.5 } };
    expect(variancesAt(growing, [60]).withinSessions).toBeCloseTo(13 * total.withinSessions, 9);
    expect(variancesAt(growing, [0]).betweenSessions).toBeCloseTo(total.betweenSessions, 9);
  });

  it('is that of the starter too, which comes without its photos, and can be kept', async () => {
    await using starter = await openRun('starter');
    const records = errorRecords(await starter.calibration());
    for (const record of Object.values(records)) {
      expect(ErrorRecord.parse(JSON.parse(JSON.stringify(record)))).toEqual(record);
    }
    expect(records.total?.betweenSessions).toBeGreaterThan(0);
  });

  it('is null of masses that are not predicted', () => {
    const none = { ...calibration, paddocks: calibration.paddocks.map(() => null) };
    expect(errorRecords(none).total).toBeNull();
  });
});
