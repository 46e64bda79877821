import { describe, expect, it } from 'vitest';
import {
  type AnsweringRun,
  type Calibration,
  type CutResult,
  calibratedEstimate,
  type Estimate,
  type VisitFrame,
  variancesAt,
  visitFindings,
  visitMean,
  withPartsOfTotal,
} from '../../src/farm/index.ts';
import { byMass } from '../../src/pasture/targets.ts';
import { hour, paddockOf, rectangle, uuid } from './records.ts';

const record = {
  spread: { offset: 10, exponent: 0.5 },
  betweenSessions: 20,
  withinSessions: 100,
  sessions: 20,
  photos: 200,
};
const run: AnsweringRun = {
  id: 'starter',
  name: 'starter',
  hash: 'a'.repeat(64),
  frameAreaSquareMetres: 0.25,
  errors: { photo: byMass(() => record), height: null },
};
const paddock = paddockOf(rectangle(149, -33.01, 149.01, -33));

/** An estimate of so many kg DM/ha; grams on a quarter of a square metre are 0.025 of them. */
function estimateOf(green: number, dead: number, clover: number, trainedOn = false): Estimate {
  const kgDmPerHa = { green, dead, clover, gdm: green + clover, total: green + dead + clover };
  const masses = byMass((mass) => kgDmPerHa[mass] * 0.025);
  return {
    id: uuid(1),
    photoId: uuid(2),
    source: 'modelled',
    estimatedAt: hour(0),
    masses,
    frameAreaSquareMetres: 0.25,
    kgDmPerHa,
    interval: {
      coverage: 0.9,
      ...byMass((mass): [number, number] => [masses[mass] / 2, masses[mass] * 2]),
    },
    outOfDomain: { share: 0, flagged: false },
    trainedOn,
    height: null,
    run,
    engine: 'sward',
    precision: 'fp32',
  };
}

function cutOf(kgDmPerHa: number, sorted: readonly [number, number, number] | null = null): CutResult {
  const [green, dead, clover] = sorted ?? [0, 0, 0];
  const dryGrams = kgDmPerHa * 0.025;
  return {
    dryMatter: 0.2,
    dryGrams,
    kgDmPerHa,
    masses: sorted && {
      green: green * 0.025,
      dead: dead * 0.025,
      clover: clover * 0.025,
      gdm: (green + clover) * 0.025,
      total: dryGrams,
    },
    frameAreaSquareMetres: 0.25,
    cuttingHeightCentimetres: 0,
    settled: true,
    warnings: [],
    source: 'measured',
    from: ['a cut'],
  };
}

const findings = (frames: readonly VisitFrame[], calibration: Calibration | null = null) =>
  visitFindings(frames, { paddock, run, calibration });

/** That parts make up the whole. */
function expectWhole({ kgDmPerHa }: ReturnType<typeof findings>): void {
  const { green, dead, clover, gdm, total } = byMass((mass) => kgDmPerHa[mass]?.mean ?? Number.NaN);
  expect(green + dead + clover).toBeCloseTo(total, 6);
  expect(green + clover).toBeCloseTo(gdm, 6);
}

describe('what a total is made of', () => {
  it('is as photos say, scaled to the total where cuts tell that alone, and says so', () => {
    const found = findings([
      { estimate: estimateOf(800, 500, 50), cut: cutOf(1500) },
      { estimate: estimateOf(900, 440, 60), cut: cutOf(1456) },
    ]);
    const { green, gdm, total } = found.kgDmPerHa;
    expect(total).toMatchObject({ mean: 1478, source: 'measured', from: ['2 cuts'] });
    expectWhole(found);
    expect(green?.mean).toBeCloseTo((850 * 1478) / 1375, 6);
    expect(green).toMatchObject({
      source: 'modelled',
      from: ['2 photos by run starter', 'scaled to the total of 2 cuts'],
    });
    expect(gdm?.source).toBe('modelled');
    for (const mass of ['green', 'dead', 'clover'] as const) {
      const part = found.kgDmPerHa[mass];
      expect(part?.interval?.low).toBeLessThanOrEqual(part?.mean ?? Number.NaN);
      expect(part?.interval?.high).toBeGreaterThanOrEqual(part?.mean ?? Number.NaN);
    }
  });

  it('is whole where some frames were cut and some of these sorted', () => {
    const found = findings([
      { estimate: estimateOf(800, 500, 50), cut: cutOf(1500, [1000, 400, 100]) },
      { estimate: estimateOf(900, 440, 60), cut: cutOf(1456) },
      { estimate: estimateOf(300, 100, 0), cut: null },
      { estimate: null, cut: cutOf(700, [100, 600, 0]) },
    ]);
    expectWhole(found);
    expect(found.kgDmPerHa.green?.from.at(-1)).toBe('scaled to the total of 3 cuts');
  });

  it('is whole where parts happen to sum to the total and not to GDM', () => {
    const known = visitMean([{ estimate: null, cut: 1000 }], { coverage: 0.9, variances: null, run: 'run' });
    const of = (mean: number) => ({ ...known, mean });
    const means = { green: of(1500), dead: of(200), clover: of(240), gdm: of(1510), total: of(1940) };
    const { gdm, ...others } = withPartsOfTotal(means);
    expect(gdm?.mean).toBeCloseTo(1740, 9);
    expect({ ...others, gdm: means.gdm }).toEqual(means);
  });

  it('is as GDM was cut where green and clover were not told apart', () => {
    const known = visitMean([{ estimate: null, cut: 1000 }], { coverage: 0.9, variances: null, run: 'run' });
    const of = (mean: number, cuts = 1) => ({ ...known, mean, cuts });
    const parts = { green: of(900, 0), clover: of(100, 0) };
    const whole = withPartsOfTotal({ ...parts, dead: of(500), gdm: of(1500), total: of(2000) });
    expect(byMass((mass) => whole[mass]?.mean)).toEqual(
      byMass((mass) => expect.closeTo({ green: 1350, dead: 500, clover: 150, gdm: 1500, total: 2000 }[mass])),
    );
    expect(withPartsOfTotal({ ...parts, dead: null, gdm: of(500), total: null }).green?.mean).toBe(450);
  });

  it('is the sum of its parts where cuts tell of these alone', () => {
    const known = visitMean([{ estimate: null, cut: 1000 }], { coverage: 0.9, variances: null, run: 'run' });
    const of = (mean: number, half: number, cuts = 0) => ({
      ...known,
      mean,
      cuts,
      interval: { coverage: 0.9, low: mean - half, high: mean + half },
    });
    const living = { clover: of(100, 50), gdm: of(1000, 300) };
    const seen = { ...living, green: of(900, 300), dead: of(500, 300), total: of(1500, 500) };
    expect(withPartsOfTotal(seen)).toEqual(seen);
    const dead = withPartsOfTotal({ ...seen, dead: of(1100, 800, 4) });
    expect(dead).toMatchObject({ gdm: { mean: 1000 }, total: { mean: 2100, cuts: 0 } });
    expect(dead.total?.interval?.high).toBeCloseTo(2100 + Math.hypot(300, 800), 9);
    expect(dead.total?.from.at(-1)).toBe('moved to the sum of its parts, corrected by 4 cuts');
    const green = withPartsOfTotal({ ...seen, green: of(600, 50, 4) });
    expect(green).toMatchObject({
      gdm: { mean: 700, interval: { low: 400, high: 1000 } },
      total: { mean: 1200, interval: { low: 700, high: 1700 } },
    });
    expect(withPartsOfTotal({ ...seen, green: of(600, 50, 4), dead: null, total: null }).gdm?.mean).toBe(700);
    expect(withPartsOfTotal({ ...seen, gdm: of(800, 50, 4) })).toMatchObject({
      green: { mean: 720 },
      clover: { mean: 80 },
      total: { mean: 1300 },
    });
  });

  it('is measured, and as it was weighed, where all cuts were sorted', () => {
    const found = findings([
      { estimate: estimateOf(1, 2, 3), cut: cutOf(1500, [1000, 400, 100]) },
      { estimate: null, cut: cutOf(700, [100, 600, 0]) },
    ]);
    expect(found.kgDmPerHa.green).toMatchObject({ mean: 550, source: 'measured', from: ['2 cuts'] });
    expectWhole(found);
  });

  it('is as it was where photos alone tell', () => {
    const found = findings([{ estimate: estimateOf(800, 500, 50), cut: null }]);
    expect(found.kgDmPerHa.green).toMatchObject({ mean: 800, from: ['1 photo by run starter'] });
    expectWhole(found);
  });

  it('is not known where photos saw nothing of what was cut', () => {
    const found = findings([{ estimate: estimateOf(0, 0, 0), cut: cutOf(400) }]);
    expect(found.kgDmPerHa).toMatchObject({ green: null, dead: null, clover: null, gdm: null });
    expect(found.warnings.join(' ')).toMatch(/what it is made of is not known/);
  });
});

describe('a run that is known from few sessions', () => {
  const few = { ...record, betweenSessions: 0, sessions: 5, photos: 15 };
  const frames = [800, 900, 1000].map((green) => ({ estimate: estimateOf(green, 0, 0), cut: null }));
  const meanBy = (errors: typeof record) =>
    visitFindings(frames, {
      paddock,
      run: { ...run, errors: { photo: byMass(() => errors), height: null } },
      calibration: null,
    });

  it('vouches for no more visits than these can, and says so', () => {
    const { kgDmPerHa, warnings } = meanBy(few);
    expect(kgDmPerHa.total?.interval?.coverage).toBeCloseTo(5 / 6, 12);
    expect(warnings).toEqual([
      'How the run errs is known from 5 sessions alone: they vouch for 83 % of such visits at most, not for 90 %.',
    ]);
    expect(meanBy({ ...few, sessions: 9, photos: 27 })).toMatchObject({
      kgDmPerHa: { total: { interval: { coverage: 0.9 } } },
      warnings: [],
    });
  });

  it('is not believed to err by nothing in common', () => {
    const spread = { ...few.spread, exponent: 0 };
    const found = variancesAt({ ...few, spread }, [50]);
    // √(2 / 5) of 100 / 3, the variance of means of three photos.
    expect(found.betweenSessions).toBeCloseTo(Math.sqrt(0.4) * (100 / 3), 9);
    expect(variancesAt({ ...few, spread, betweenSessions: 80 }, [50]).betweenSessions).toBe(80);
    expect(variancesAt({ ...few, spread, sessions: 9 }, [50]).betweenSessions).toBe(0);
  });
});

describe('photos that the run was trained on', () => {
  it('are named, but for those whose own cut counts', () => {
    const seen = estimateOf(800, 500, 50, true);
    const { warnings } = findings([
      { estimate: seen, cut: null },
      { estimate: estimateOf(700, 400, 50), cut: null },
    ]);
    expect(warnings).toEqual([
      'The run was trained on 1 photo of these: what it says there is memory, not prediction.',
    ]);
    expect(findings([{ estimate: seen, cut: cutOf(1400) }]).warnings.join(' ')).not.toMatch(/memory/);
  });

  it('say nothing of how the run errs on the others where they were cut', () => {
    const other = { estimate: estimateOf(700, 400, 50), cut: null };
    const { total } = findings([
      other,
      { estimate: estimateOf(800, 500, 50, true), cut: cutOf(3000) },
    ]).kgDmPerHa;
    expect(total).toMatchObject({ mean: (1150 + 3000) / 2, cuts: 1, paired: 0 });
  });
});

describe('an estimate under the farm’s calibration', () => {
  const calibration: Calibration = {
    run,
    mass: 'total',
    cuttingHeightCentimetres: 0,
    offset: 100,
    slope: 0.9,
    cuts: 12,
    visits: 3,
    cutsOfOtherHeights: 0,
    state: 'applied',
    before: { rmse: 300, bias: 100 },
    after: { rmse: 200, bias: 0 },
    says: '12 cuts of 3 visits: applied.',
  };
  const estimate = estimateOf(800, 400, 0);

  it('is what the mean of that one photo is', () => {
    const calibrated = calibratedEstimate(estimate, calibration);
    const found = findings([{ estimate, cut: null }], calibration);
    expect(calibrated.kgDmPerHa.total).toBeCloseTo(1180, 9);
    for (const mass of ['green', 'dead', 'clover', 'gdm', 'total'] as const)
      expect(found.kgDmPerHa[mass]?.mean).toBe(calibrated.kgDmPerHa[mass]);
    const grams = (calibrated.kgDmPerHa.total ?? 0) * 0.025;
    expect(calibrated.masses.total).toBeCloseTo(grams, 9);
    expect(calibrated.interval?.total).toEqual([expect.closeTo(grams / 2, 9), expect.closeTo(grams * 2, 9)]);
  });

  it('is as the run says it where the calibration is not applied, or there is none', () => {
    expect(calibratedEstimate(estimate, null)).toBe(estimate);
    expect(calibratedEstimate(estimate, { ...calibration, state: 'provisional' }).kgDmPerHa).toEqual(
      estimate.kgDmPerHa,
    );
  });
});
