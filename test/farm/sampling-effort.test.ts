import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  effortAdvice,
  effortNeeded,
  quadratsNeeded,
  type SampledFrame,
  visitMean,
  visitSoFar,
  workWorth,
} from '../../src/farm/index.ts';
import { expectedHalfWidth } from '../../src/farm/sampling-effort.ts';

const variances = { betweenSessions: 40_000, withinSessions: 350_000, sessions: 23, photos: 282 };
const visit = {
  mean: 2000,
  design: { frames: 8, cuts: 0, spread: 300_000 },
  variances,
  coverage: 0.9,
};

describe('quadrats that a paddock needs', () => {
  it.each([
    [0.15, 9],
    [0.447, 77],
    [0.72, 200],
  ])('for ±10 %% at 95 %%, where they vary by %f: %i', (variation, count) => {
    expect(quadratsNeeded(variation, 0.1, 0.95)).toBe(count);
  });

  it('are a quarter for twice the error, and one at least', () => {
    expect(quadratsNeeded(0.72, 0.2, 0.95)).toBe(50);
    expect(quadratsNeeded(0, 0.2, 0.95)).toBe(1);
  });
});

describe('what a visit still needs', () => {
  it('is photos while they help', () => {
    const needed = effortNeeded(visit, 0.25);
    expect(needed.kind).toBe('photos');
    expect(expectedHalfWidth(visit, { photos: needed.more })).toBeLessThanOrEqual(500);
    expect(expectedHalfWidth(visit, { photos: needed.more - 1 })).toBeGreaterThan(500);
  });

  it('is cuts below what photos err by in common, and that is said', () => {
    // ±10 % are 200 kg; 1.65 · √40,000 are 329 however many photos there are.
    const needed = effortNeeded(visit, 0.1);
    expect(needed.kind).toBe('cuts');
    const { more, photosBesides } = needed;
    expect(needed.says).toMatch(
      /More photos alone do not bring ±10 %.* more cuts of photographed frames and \d+ more photos would/,
    );
    expect(expectedHalfWidth(visit, { cuts: more, photos: photosBesides })).toBeLessThanOrEqual(200);
    expect(expectedHalfWidth(visit, { cuts: more - 1, photos: photosBesides })).toBeGreaterThan(200);
    expect(expectedHalfWidth(visit, { cuts: more })).toBeGreaterThan(200);
  });

  it('names frames that are not there yet', () => {
    const wide = { ...variances, withinSessions: 1_000_000 };
    const saidOf = (cuts: number): string =>
      effortNeeded({ ...visit, variances: wide, design: { frames: 8, cuts, spread: 500_000 } }, 0.1).says;
    expect(saidOf(8)).toMatch(
      /: those of one visit.*\. \d+ more frames, photographed and cut, would, more than/,
    );
    expect(saidOf(3)).toMatch(
      /Cuts of the 5 frames not cut yet and \d+ more frames, photographed and cut, would, more than/,
    );
  });

  it('says so where it is more than a day has room for', () => {
    const beyond = ', more than a day has room for.';
    const [done, tooMany] = [effortNeeded(visit, 0.25), effortNeeded(visit, 0.05)];
    expect(done.says.endsWith(beyond)).toBe(done.more > 40);
    expect(tooMany).toMatchObject({ kind: 'cuts' });
    expect(tooMany.more).toBeGreaterThan(15);
    expect(tooMany.says.endsWith(`would${beyond}`)).toBe(true);
  });

  it('is nothing where it is near enough, and said to be out of reach where it is', () => {
    expect(effortNeeded(visit, 0.9)).toMatchObject({ kind: 'enough', more: 0 });
    expect(effortNeeded(visit, 0.001).kind).toBe('out-of-reach');
  });

  it('is never less for a nearer mean', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.05, max: 0.5, noNaN: true }),
        fc.integer({ min: 2, max: 30 }),
        (precision, frames) => {
          const at = (share: number) =>
            effortNeeded({ ...visit, design: { ...visit.design, frames } }, share);
          const rank = { enough: 0, photos: 1, cuts: 2, 'out-of-reach': 3 };
          const [near, far] = [at(precision), at(precision * 1.3)];
          expect(rank[near.kind]).toBeGreaterThanOrEqual(rank[far.kind]);
          if (near.kind === far.kind) expect(near.more).toBeGreaterThanOrEqual(far.more);
        },
      ),
      { numRuns: 30 },
    );
  });
});

describe('the width that is expected', () => {
  it('with all frames cut is that of cuts, which scatter more than estimates by what photos do not see', () => {
    // t(0.95, 7) = 1.8946
    const expected = 1.8946 * Math.sqrt((300_000 + 350_000) / 8);
    expect(expectedHalfWidth(visit, { cuts: 8 })).toBeCloseTo(expected, 0);
  });
});

describe('a visit as it stands', () => {
  const ask = (frames: readonly SampledFrame[]) =>
    visitMean(frames, { coverage: 0.9, variances, run: 'run starter' });

  it('is expected to be off by what its interval says', () => {
    const frames = [900, 1500, 2100, 2600].map((estimate, at) => ({ estimate, cut: at === 0 ? 1000 : null }));
    const visit = ask([...frames, { estimate: null, cut: 1200 }]);
    const soFar = visitSoFar(visit, variances);
    if (!soFar) throw new Error('a visit of five frames stands');
    expect(soFar.design).toMatchObject({ frames: 5, cuts: 2, paired: 1 });
    expect(visit.mean + expectedHalfWidth(soFar)).toBeCloseTo(visit.interval?.high ?? Number.NaN, 9);
  });

  it('is nothing to plan from with one photo, or bare ground', () => {
    expect(visitSoFar(ask([{ estimate: 900, cut: null }]), variances)).toBeNull();
    expect(visitSoFar(ask([0, 0].map((cut) => ({ estimate: 100, cut }))), variances)).toBeNull();
  });
});

describe('what is worth doing next', () => {
  const photos = (more: number) =>
    ({ kind: 'photos', more, photosBesides: 0, says: `${more} photos` }) as const;
  const cuts = (more: number) => ({ kind: 'cuts', more, photosBesides: 10, says: `${more} cuts` }) as const;
  const never = { kind: 'out-of-reach', more: 0, photosBesides: 0, says: 'never' } as const;

  it('is for ±10 % where somebody would do that', () => {
    expect(effortAdvice({ tenPercent: photos(12), twentyPercent: photos(3) }, [])).toBe('12 photos');
    expect(effortAdvice({ tenPercent: cuts(5), twentyPercent: photos(3) }, [])).toBe('5 cuts');
  });

  it('is for ±20 % where ±10 % would take 81 cuts', () => {
    expect(effortAdvice({ tenPercent: cuts(81), twentyPercent: photos(3) }, [])).toMatch(
      /^3 photos ±10 % would/,
    );
  });

  it('asks nobody for what nobody does', () => {
    const asked = effortAdvice({ tenPercent: never, twentyPercent: cuts(163) }, []);
    expect(asked).toMatch(/as near as a visit comes here/);
    expect(asked).not.toMatch(/163/);
    const effort = { tenPercent: never, twentyPercent: cuts(163) };
    expect(effortAdvice(effort, [{ work: 'heights', before: 885, after: 657 }])).toMatch(
      /^Heights of all frames: ± 657 kg DM\/ha instead of ± 885\. ±20 % would take more/,
    );
    expect(effortAdvice(effort, [{ work: 'one-more-cut', before: 885, after: 880 }])).toBe(asked);
  });
});

describe('what more work would bring', () => {
  it('is less to be off by for each of a cut, photos and heights, the best first', () => {
    const withHeight = { ...variances, betweenSessions: 15_000, withinSessions: 200_000 };
    const worth = workWorth(visit, withHeight);
    expect(worth.map(({ work }) => work).sort()).toEqual(['heights', 'one-more-cut', 'ten-more-photos']);
    for (const { before, after } of worth) expect(after).toBeLessThan(before);
    expect(worth.map(({ after }) => after)).toEqual(worth.map(({ after }) => after).sort((a, b) => a - b));
    expect(workWorth(visit, null)).toHaveLength(2);
  });

  it('leaves out what would bring nothing', () => {
    // The frames look alike and photos of a visit hardly err together, so that a cut shows more than it settles.
    const even = {
      ...visit,
      design: { frames: 8, cuts: 0, spread: 500 },
      variances: { ...variances, betweenSessions: 10 },
    };
    expect(expectedHalfWidth(even, { cuts: 1 })).toBeGreaterThan(expectedHalfWidth(even));
    const worth = workWorth(even, { ...even.variances, withinSessions: 900_000 });
    expect(worth.map(({ work }) => work)).toEqual(['ten-more-photos']);
    for (const { before, after } of worth) expect(after).toBeLessThan(before);
  });

  it('is more of a cut than of ten photos once there are many photos', () => {
    const many = { ...visit, design: { ...visit.design, frames: 60 } };
    expect(workWorth(many, null)[0]?.work).toBe('one-more-cut');
  });
});
