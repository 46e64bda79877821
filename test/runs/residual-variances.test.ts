import { describe, expect, it } from 'vitest';
import { residualVariances } from '../../src/farm/index.ts';
import { randomStream } from '../../src/ground/random.ts';
import { errorOfMean, spreadAt } from '../../src/pasture/intervals/index.ts';
import { targetsFromComponents } from '../../src/pasture/physics.ts';
import type { Targets } from '../../src/pasture/targets.ts';
import { calibrate } from '../../src/runs/calibration.ts';
import { openRun } from '../../src/runs/open-run.ts';
import { residualVariancesAt } from '../../src/runs/residual-variances.ts';

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

describe('a run’s residual variances', () => {
  const rows = outOfFold();
  const calibration = calibrate(rows);
  const predictions = [20, 30, 40].map(masses);

  it('are those of its residuals where they do not grow with the mass', () => {
    const found = residualVariancesAt(calibration, predictions).total;
    const plain = residualVariances(
      rows.map(({ session, observed, predicted }) => ({
        session,
        residual: observed.total - predicted.total,
      })),
    );
    expect(found).toMatchObject({ sessions: 30, photos: 300 });
    expect((found?.withinSessions ?? 0) / plain.withinSessions).toBeCloseTo(1, 0);
    expect((found?.betweenSessions ?? 0) / plain.betweenSessions).toBeCloseTo(1, 0);
  });

  it('are those behind the mean that predict gives', () => {
    const found = residualVariancesAt(calibration, predictions).total;
    const paddock = calibration.paddocks[4];
    if (!found || !paddock) throw new Error('total has no calibration');
    const error = errorOfMean(
      paddock,
      predictions.map(({ total }) => spreadAt(paddock.spread, total)),
    );
    expect(Math.sqrt(found.betweenSessions + found.withinSessions / predictions.length)).toBeCloseTo(
      error,
      9,
    );
  });

  it('are known of the starter, which comes without its photos, and null of masses that are not predicted', async () => {
    await using starter = await openRun('starter');
    const found = residualVariancesAt(await starter.calibration(), predictions);
    expect(found.total?.betweenSessions).toBeGreaterThan(0);
    expect(found.clover?.sessions).toBe(found.total?.sessions);
    expect(
      residualVariancesAt({ ...calibration, paddocks: calibration.paddocks.map(() => null) }, predictions)
        .total,
    ).toBeNull();
  });
});
