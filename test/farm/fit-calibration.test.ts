import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { shrunkenCorrection } from '../../src/farm/fit-calibration.ts';
import {
  Calibration,
  type CalibrationPair,
  calibratedMasses,
  farmCuttingHeight,
  fitCalibration,
} from '../../src/farm/index.ts';
import { randomStream } from '../../src/ground/random.ts';

const variances = { betweenSessions: 70_000, withinSessions: 350_000, sessions: 23, photos: 282 };
const run = { id: 'starter', name: 'starter', hash: 'ab'.repeat(32) };
const ask = (pairs: readonly CalibrationPair[]) =>
  fitCalibration({ run, mass: 'total', pairs, cuttingHeightCentimetres: 0, variances });

/** Cuts of visits whose sward is `offset + slope · estimate`, with a scatter. */
function cuts(visits: number, each: number, offset: number, slope: number, scatter = 100): CalibrationPair[] {
  const random = randomStream(5);
  return Array.from({ length: visits * each }, (_, at) => {
    const estimate = 800 + 2000 * random.uniform();
    const cut = offset + slope * estimate + scatter * random.normal();
    return { visit: `visit ${at % visits}`, estimate, cut, cuttingHeightCentimetres: 0, trainedOn: false };
  });
}

describe('the height that a calibration stands on', () => {
  const at = (...heights: number[]) =>
    heights.map((cuttingHeightCentimetres) => ({ cuttingHeightCentimetres }));

  it('is that of the cuts where they agree, whatever was said before', () => {
    expect(farmCuttingHeight(at(3, 3, 3), null)).toBe(3);
    expect(farmCuttingHeight(at(3, 3, 3), 0)).toBe(3);
  });

  it('is that of the calibration before where cuts differ, and without one that of most', () => {
    expect(farmCuttingHeight(at(3, 3, 0), 0)).toBe(0);
    expect(farmCuttingHeight(at(3, 3, 0), 4)).toBe(3);
    expect(farmCuttingHeight(at(4, 4, 2, 2), null)).toBe(2);
    expect(farmCuttingHeight([], 4)).toBeNull();
  });
});

describe('a farm’s calibration', () => {
  it('under 5 cuts is a report only', () => {
    const calibration = ask(cuts(2, 2, 900, 1));
    expect(calibration).toMatchObject({ state: 'report-only', offset: 0, slope: 1, cuts: 4, after: null });
    expect(calibration.before?.bias).toBeLessThan(-700);
    expect(calibration.says).toMatch(/not corrected with fewer than 5.* off by \d+ kg DM\/ha/);
    expect(ask([])).toMatchObject({ state: 'report-only', before: null, cuts: 0 });
  });

  it('of one visit is provisional, and changes nothing', () => {
    const calibration = ask(cuts(1, 12, 900, 1));
    expect(calibration).toMatchObject({ state: 'provisional', slope: 1, after: null });
    const masses = { green: 800, dead: 200, clover: 0, gdm: 800, total: 1000 };
    expect(calibratedMasses(masses, calibration)).toBe(masses);
  });

  it('of 5 to 9 cuts is an offset, shrunk, and applied where visits left out are nearer', () => {
    const calibration = ask(cuts(3, 3, 600, 1));
    expect(calibration).toMatchObject({ state: 'applied', slope: 1, cuts: 9, visits: 3 });
    // 9 cuts against a prior worth 6: (70,000 + 350,000) / 70,000.
    expect(calibration.offset).toBeCloseTo((-(calibration.before?.bias ?? 0) * 9) / 15, 6);
    expect(calibration.after?.rmse).toBeLessThan(calibration.before?.rmse ?? 0);
  });

  it('of 10 cuts of two visits has a slope too, and comes to the truth with many', () => {
    expect(ask(cuts(2, 5, 0, 1.4)).slope).toBeGreaterThan(1.05);
    const many = ask(cuts(20, 40, 300, 1.4));
    expect(many.state).toBe('applied');
    expect(many.slope).toBeCloseTo(1.4, 1);
    expect(many.offset + many.slope * 1800).toBeCloseTo(300 + 1.4 * 1800, -1);
    expect(Calibration.parse(many)).toEqual(many);
  });

  it('is not applied where it does not help visits left out', () => {
    const apart: CalibrationPair[] = [900, -900].flatMap((residual, visit) =>
      Array.from({ length: 4 }, (_, at) => ({
        visit: `visit ${visit}`,
        estimate: 1500 + 10 * at,
        cut: 1500 + 10 * at + residual,
        cuttingHeightCentimetres: 0,
        trainedOn: false,
      })),
    );
    const calibration = ask(apart);
    expect(calibration.state).toBe('no-better');
    expect(calibration.after?.rmse).toBeGreaterThan(calibration.before?.rmse ?? 0);
    expect(calibration.says).toMatch(/not applied, since it does not help/);
  });

  it('keeps cuts of other heights out of it', () => {
    const some = cuts(2, 4, 600, 1).map((pair, at) => ({
      ...pair,
      cuttingHeightCentimetres: at < 2 ? 4 : 0,
    }));
    const calibration = ask(some);
    expect(calibration).toMatchObject({ cuts: 6, cutsOfOtherHeights: 2 });
    expect(calibration.says).toMatch(/2 cuts at 4 cm left out/);
  });

  it('takes photos that the run was trained on for no evidence, and says how many', () => {
    const unseen = cuts(3, 3, 600, 1);
    const seen = cuts(2, 4, 0, 1, 1).map((pair) => ({ ...pair, trainedOn: true }));
    const calibration = ask([...unseen, ...seen]);
    const { says, ...alone } = ask(unseen);
    expect(calibration).toMatchObject(alone);
    expect(calibration.says).toBe(
      `${says} 8 cuts left out: the run was trained on their photos, and what it says there is memory.`,
    );
    const nothing = ask(seen);
    expect(nothing).toMatchObject({ state: 'report-only', cuts: 0, before: null, after: null });
    expect(nothing.says).toMatch(/^0 cuts of 0 visits: .* 8 cuts left out/);
  });

  it('moves all masses by one factor, so that sums hold', () => {
    const calibration = { ...ask(cuts(3, 3, 600, 1)), offset: 100, slope: 1.2 };
    const masses = { green: 600, dead: 300, clover: 100, gdm: 700, total: 1000 };
    const moved = calibratedMasses(masses, calibration);
    expect(moved.total).toBeCloseTo(1300, 9);
    expect(moved.green + moved.clover).toBeCloseTo(moved.gdm, 9);
    expect(moved.gdm + moved.dead).toBeCloseTo(moved.total, 9);
  });
});

describe('the shrunken correction', () => {
  const pairs = fc.array(
    fc.record({
      estimate: fc.double({ min: 1, max: 6000, noNaN: true }),
      cut: fc.double({ min: 0, max: 6000, noNaN: true }),
    }),
    { minLength: 1, maxLength: 20 },
  );
  const positive = fc.double({ min: 1, max: 1e6, noNaN: true });

  it('is the identity without cuts, or where sessions err by nothing in common', () => {
    expect(shrunkenCorrection([], variances, true)).toEqual({ offset: 0, slope: 1 });
    fc.assert(
      fc.property(pairs, (some) => {
        expect(shrunkenCorrection(some, { ...variances, betweenSessions: 0 }, true)).toEqual({
          offset: 0,
          slope: 1,
        });
        const tiny = shrunkenCorrection(some, { ...variances, betweenSessions: 1e-9 }, true);
        expect(Math.abs(tiny.offset)).toBeLessThan(1e-6);
      }),
    );
  });

  it('solves the ridge equations', () => {
    fc.assert(
      fc.property(pairs, positive, positive, (some, betweenSessions, withinSessions) => {
        const { offset, slope } = shrunkenCorrection(some, { betweenSessions, withinSessions }, true);
        const noise = betweenSessions + withinSessions;
        const usual = some.reduce((sum, { estimate }) => sum + estimate, 0) / some.length;
        // The gradient of Σ (r − a − (b − 1) x)² / σ² + a² / τ_a² + (b − 1)² / τ_b² is 0 there.
        const left = some.map(({ estimate, cut }) => cut - estimate - offset - (slope - 1) * estimate);
        const first = left.reduce((sum, r) => sum + r, 0) / noise - offset / betweenSessions;
        const second =
          left.reduce((sum, r, at) => sum + (r * (some[at]?.estimate ?? 0)) / usual, 0) / noise -
          ((slope - 1) * usual) / betweenSessions;
        const scale =
          some.reduce(
            (sum, { estimate, cut }) => sum + Math.abs(cut - estimate) * (1 + estimate / usual),
            1,
          ) / noise;
        expect(Math.abs(first)).toBeLessThan(1e-6 * scale);
        expect(Math.abs(second)).toBeLessThan(1e-6 * scale);
      }),
    );
  });

  it('of an offset lies between nothing and the mean residual', () => {
    fc.assert(
      fc.property(pairs, (some) => {
        const { offset } = shrunkenCorrection(some, variances, false);
        const residual = some.reduce((sum, { estimate, cut }) => sum + cut - estimate, 0) / some.length;
        expect(Math.abs(offset)).toBeLessThanOrEqual(Math.abs(residual) + 1e-9);
        expect(offset * residual).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});
