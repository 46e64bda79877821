import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  cutsAtHeight,
  paddockTotal,
  regressionMean,
  type SampledFrame,
  visitMean,
} from '../../src/farm/index.ts';
import { meanVariance, residualShare, wholeVariance } from '../../src/farm/mean-variance.ts';
import { randomStream } from '../../src/ground/random.ts';
import { mean as meanOf } from '../../src/ground/statistics.ts';

const variances = { betweenSessions: 70_000, withinSessions: 350_000, sessions: 23, photos: 282 };
const options = { coverage: 0.9, variances, run: 'run starter' };
const photo = (estimate: number): SampledFrame => ({ estimate, cut: null });

describe('the mean of a visit', () => {
  it('from photos has the variance σ²_session + (s² + σ²_photo) / n', () => {
    const mean = visitMean([1000, 1400, 1800, 2200].map(photo), options);
    const spread = 800_000 / 3;
    expect(mean).toMatchObject({ mean: 1600, frames: 4, cuts: 0, method: 'photos', source: 'modelled' });
    expect(mean.standardError).toBeCloseTo(Math.sqrt(70_000 + (spread + 350_000) / 4), 9);
    expect(mean.from).toEqual(['4 photos by run starter']);
    expect(paddockTotal(mean, { value: 10, unit: 'ha', source: 'measured', from: ['given'] })).toMatchObject({
      value: 16_000,
      unit: 'kg DM',
      source: 'modelled',
      from: ['4 photos by run starter', 'given'],
    });
  });

  it('counts cuts as weighed and moves the others by a share of their mean residual', () => {
    const frames = [{ estimate: 1000, cut: 1300 }, { estimate: 1400, cut: 1500 }, photo(1800), photo(2200)];
    const share = 70_000 / (70_000 + 350_000 / 2);
    expect(residualShare(variances, 2)).toBeCloseTo(share, 12);
    const mean = visitMean(frames, options);
    expect(mean.mean).toBeCloseTo((1300 + 1500 + 1800 + 2200 + 2 * share * 200) / 4, 9);
    expect(mean).toMatchObject({ method: 'photos-and-cuts', source: 'modelled' });
    expect(mean.from).toEqual(['2 photos by run starter', '2 cuts']);
  });

  it('is measured only where every frame was cut', () => {
    const mean = visitMean(
      [
        { estimate: 1000, cut: 1200 },
        { estimate: null, cut: 1600 },
      ],
      options,
    );
    expect(mean).toMatchObject({ mean: 1400, method: 'cuts', source: 'measured', from: ['2 cuts'] });
    // s = 282.84, standard error 200, t(0.95, 1) = 6.3138
    expect(mean.interval?.high).toBeCloseTo(1400 + 6.3138 * 200, 1);
    expect(mean.interval?.low).toBeCloseTo(1400 - 6.3138 * 200, 1);
  });

  it('takes cuts without a photo as frames, which tell nothing of what photos err by', () => {
    const mean = visitMean([photo(1000), photo(1400), { estimate: null, cut: 3000 }], options);
    expect(mean.mean).toBeCloseTo(1800, 9);
    expect(mean).toMatchObject({ frames: 3, cuts: 1 });
  });

  it('of one photo has no interval, since one says nothing of how uneven a paddock is', () => {
    expect(visitMean([photo(1000)], options)).toMatchObject({
      mean: 1000,
      interval: null,
      standardError: null,
    });
  });

  it('of nothing, or of photos of which nothing is known, is refused with what to do', () => {
    expect(() => visitMean([], options)).toThrow(/photograph a frame or cut one/);
    expect(() => visitMean([photo(1)], { ...options, variances: null })).toThrow(/cut at least 5 frames/);
  });

  it('of photos of which nothing is known is that of cuts, by regression from 10 on', () => {
    const cut = (count: number): SampledFrame[] =>
      Array.from({ length: count }, (_, at) => ({ estimate: 1000 + 100 * at, cut: 2 * (1000 + 100 * at) }));
    const unknown = { ...options, variances: null };
    expect(visitMean([...cut(9), photo(9000)], unknown)).toMatchObject({ method: 'cuts', mean: 2800 });
    const mean = visitMean([...cut(10), photo(3000)], unknown);
    expect(mean.method).toBe('regression');
    expect(mean.mean).toBeCloseTo((2 * (14_500 + 3000)) / 11, 6);
  });

  const masses = fc.array(fc.double({ min: 0, max: 8000, noNaN: true }), { minLength: 2, maxLength: 30 });

  it('lies between its least and largest photo, in its interval, whatever their order', () => {
    fc.assert(
      fc.property(masses, (estimates) => {
        const mean = visitMean(estimates.map(photo), options);
        expect(mean.mean).toBeGreaterThanOrEqual(Math.min(...estimates) - 1e-9);
        expect(mean.mean).toBeLessThanOrEqual(Math.max(...estimates) + 1e-9);
        expect(mean.interval?.low).toBeLessThanOrEqual(mean.mean);
        expect(mean.interval?.high).toBeGreaterThanOrEqual(mean.mean);
        expect(mean.interval?.low).toBeGreaterThanOrEqual(0);
        const turned = visitMean([...estimates].reverse().map(photo), options);
        expect(turned.mean).toBeCloseTo(mean.mean, 6);
      }),
    );
  });

  it('has an interval that narrows with photos of the same spread, and never below the session’s', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 400 }),
        fc.double({ min: 0, max: 1e6, noNaN: true }),
        (frames, spread) => {
          const at = (count: number): number =>
            wholeVariance(meanVariance({ frames: count, cuts: 0, spread }, variances));
          expect(at(frames + 1)).toBeLessThan(at(frames));
          expect(at(frames)).toBeGreaterThan(variances.betweenSessions);
        },
      ),
    );
    const twice = [1000, 2000, 1000, 2000].map(photo);
    const width = (frames: SampledFrame[]): number => {
      const { interval } = visitMean(frames, options);
      return (interval?.high ?? Number.NaN) - (interval?.low ?? Number.NaN);
    };
    expect(width([...twice, ...twice, ...twice, ...twice])).toBeLessThan(width(twice));
  });

  it('has a variance that every cut makes less, to that of cuts alone', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.double({ min: 0, max: 1e6, noNaN: true }),
        (frames, spread) => {
          const at = (cuts: number): number =>
            wholeVariance(meanVariance({ frames, cuts, spread }, variances));
          for (let cuts = 0; cuts < frames; cuts++) expect(at(cuts + 1)).toBeLessThan(at(cuts));
          expect(at(frames)).toBeCloseTo(spread / frames, 6);
        },
      ),
    );
  });
});

describe('the error of a visit’s mean', () => {
  it.each([0, 1, 3, 6])('is that of visits drawn with the run’s variances, %i of 8 frames cut', (cuts) => {
    const random = randomStream(11).fork(cuts);
    const errors = Array.from({ length: 10_000 }, () => {
      const common = Math.sqrt(variances.betweenSessions) * random.normal();
      const frames = Array.from({ length: 8 }, () => {
        const estimate = 20_000 + 500 * random.normal();
        return { estimate, truth: estimate + common + Math.sqrt(variances.withinSessions) * random.normal() };
      });
      const asked = frames.map(({ estimate, truth }, at) => ({ estimate, cut: at < cuts ? truth : null }));
      return visitMean(asked, options).mean - meanOf(frames.map(({ truth }) => truth));
    });
    const { session, photos } = meanVariance({ frames: 8, cuts, spread: 0 }, variances);
    expect(meanOf(errors.map((error) => error ** 2)) / (session + photos)).toBeCloseTo(1, 1);
    expect(Math.abs(meanOf(errors))).toBeLessThan(10);
  });

  it('is known by few frames where frames are what it is of', () => {
    const exact = { ...variances, betweenSessions: 0, withinSessions: 0 };
    const { interval } = visitMean([1000, 1200].map(photo), { ...options, variances: exact });
    // Standard error 100, t(0.95, 1) = 6.3138
    expect(interval?.high).toBeCloseTo(1100 + 631.38, 1);
  });
});

describe('double sampling', () => {
  it('is worked by hand: x 1, 2, 3 and y 2, 3, 5, ten photos of mean 2.5', () => {
    // b = 3 / 2, ȳ = 10 / 3; residual squares 14 / 3 − 4.5 = 1 / 6, over 1 degree.
    const pairs = [
      { estimate: 1, cut: 2 },
      { estimate: 2, cut: 3 },
      { estimate: 3, cut: 5 },
    ];
    const { mean, variance, slope } = regressionMean([1, 2, 3, 2, 3, 3, 3, 2, 3, 3], pairs);
    expect(slope).toBeCloseTo(1.5, 12);
    expect(mean).toBeCloseTo(10 / 3 + 1.5 * 0.5, 12);
    expect(variance).toBeCloseTo(1 / 6 / 3 + (7 / 3 - 1 / 6) / 10, 12);
  });

  it('with estimates all alike is the mean of the cuts', () => {
    const pairs = [4, 5, 9].map((cut) => ({ estimate: 2, cut }));
    expect(regressionMean([2, 2, 2, 7], pairs)).toMatchObject({ mean: 6, slope: 0 });
    expect(() => regressionMean([1, 2], pairs.slice(1))).toThrow(/2 cuts has no variance/);
  });
});

describe('cuts of several heights', () => {
  it('are kept apart, never converted, and said to be', () => {
    const cuts = [0, 4, 0, 2].map((cuttingHeightCentimetres) => ({ cuttingHeightCentimetres }));
    const { used, apart, warning } = cutsAtHeight(cuts, 0);
    expect([used.length, apart.length]).toEqual([2, 2]);
    expect(warning).toMatch(/2 cuts at 2 cm and 4 cm left out: the others are at ground level/);
    expect(cutsAtHeight(used, 0).warning).toBeNull();
  });
});
