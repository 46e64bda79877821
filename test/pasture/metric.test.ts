import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { scoreTargets, weightedR2 } from '../../src/pasture/metric.ts';
import { targetsFromComponents } from '../../src/pasture/physics.ts';
import { TARGET_WEIGHTS, type Targets, targetsFromArray, targetsToArray } from '../../src/pasture/targets.ts';

const mass = fc.double({ min: 0, max: 200, noNaN: true });
const quadrat = fc
  .record({ green: mass, dead: mass, clover: mass })
  .map((components): Targets => targetsFromComponents(components));
const photos = fc.array(quadrat, { minLength: 2, maxLength: 30 });

describe('weighted R²', () => {
  it('is 1 for perfect predictions of quadrats that differ', () => {
    fc.assert(
      fc.property(photos, (observed) => {
        const score = weightedR2(observed, observed);
        expect(Number.isNaN(score) || score === 1).toBe(true);
      }),
    );
  });

  it('is exactly 0 when every row is predicted as the weighted mean of all rows', () => {
    fc.assert(
      fc.property(photos, (observed) => {
        const flat = observed.map(targetsToArray);
        const weighted = flat.map((row) =>
          row.reduce((sum, value, i) => sum + value * (TARGET_WEIGHTS[i] ?? 0), 0),
        );
        const mean = weighted.reduce((a, b) => a + b, 0) / flat.length;
        fc.pre(mean > 1);
        const guess = observed.map(() => ({ green: mean, dead: mean, clover: mean, gdm: mean, total: mean }));
        expect(weightedR2(observed, guess)).toBeCloseTo(0, 9);
      }),
    );
  });

  it('does not depend on the order of the photos', () => {
    fc.assert(
      fc.property(photos, photos, (a, b) => {
        const count = Math.min(a.length, b.length);
        const observed = a.slice(0, count);
        const predicted = b.slice(0, count);
        const forward = weightedR2(observed, predicted);
        const backward = weightedR2([...observed].reverse(), [...predicted].reverse());
        fc.pre(Number.isFinite(forward));
        expect(Math.abs(backward - forward)).toBeLessThanOrEqual(1e-9 * (1 + Math.abs(forward)));
      }),
    );
  });

  it('follows the formula on a case small enough for pencil and paper', () => {
    // Total alone carries the difference: Σw·y = 0.5·10 + 0.5·30 over Σw = 2, so the mean is 10.
    const zero = { green: 0, dead: 0, clover: 0, gdm: 0 };
    const observed = [
      { ...zero, total: 10 },
      { ...zero, total: 30 },
    ];
    const predicted = [
      { ...zero, total: 12 },
      { ...zero, total: 30 },
    ];
    // Residual 0.5·2² = 2; denominator 0.5·0² + 0.5·20² + 2·(0.1+0.1+0.1+0.2)·10² = 300.
    expect(weightedR2(observed, predicted)).toBeCloseTo(1 - 2 / 300, 12);
  });

  it('refuses lists that do not pair up', () => {
    expect(() => weightedR2([], [])).toThrow(/no image/);
    const one = targetsFromComponents({ green: 1, dead: 1, clover: 1 });
    expect(() => weightedR2([one], [one, one])).toThrow(/1 observed but 2 predicted/);
  });
});

describe('per-target scores', () => {
  it('reports bias with the sign of predicted − observed', () => {
    const observed = [1, 2, 3].map((green) => targetsFromComponents({ green, dead: green, clover: 0 }));
    const predicted = [2, 3, 4].map((green) => targetsFromComponents({ green, dead: green - 1, clover: 0 }));
    const score = scoreTargets(observed, predicted);
    expect(score.perTarget.Dry_Green_g).toMatchObject({ bias: 1, mae: 1, rmse: 1 });
    expect(score.perTarget.Dry_Dead_g.bias).toBe(0);
    expect(score.perTarget.Dry_Clover_g.r2).toBeNaN();
    expect(score.imageCount).toBe(3);
  });
});

describe('anchors on the 357 training images', () => {
  // Mean and standard deviation of each target over all 357 images (field guide, labels table); the scores of
  // the zero and the mean predictor depend on nothing else.
  const means = [26.62, 12.04, 6.65, 33.27, 45.32];
  const deviations = [25.4, 12.4, 12.12, 24.94, 27.98];
  const count = 356;
  const observed = Array.from({ length: count }, (_, image) =>
    targetsFromArray(
      means.map((mean, target) => {
        const side = image % 2 === 0 ? 1 : -1;
        return mean + side * (deviations[target] ?? 0) * Math.sqrt((count - 1) / count);
      }),
    ),
  );
  const constant = (values: readonly number[]): Targets[] => observed.map(() => targetsFromArray(values));

  it('scores the sample submission of zeros at −1.429', () => {
    expect(weightedR2(observed, constant([0, 0, 0, 0, 0]))).toBeCloseTo(-1.429, 2);
  });

  it('scores the per-target mean at 0.240', () => {
    expect(weightedR2(observed, constant(means))).toBeCloseTo(0.24, 2);
  });
});

describe('scores of photos of which some masses were not measured', () => {
  const without = (masses: Targets, name: keyof Targets): Targets => ({ ...masses, [name]: Number.NaN });

  it('are of what was measured, with the weights as they are', () => {
    const observed = [
      { ...targetsFromComponents({ green: 10, dead: 5, clover: 0 }), green: Number.NaN },
      targetsFromComponents({ green: 30, dead: 1, clover: 4 }),
    ];
    const predicted = observed.map(() => targetsFromComponents({ green: 20, dead: 3, clover: 2 }));
    const cells = observed.flatMap((row, photo) =>
      targetsToArray(row).flatMap((y, target) =>
        Number.isNaN(y)
          ? []
          : [
              {
                y,
                guess: targetsToArray(predicted[photo] as Targets)[target] ?? 0,
                weight: TARGET_WEIGHTS[target] ?? 0,
              },
            ],
      ),
    );
    const sum = (of: (cell: (typeof cells)[number]) => number): number =>
      cells.reduce((total, cell) => total + cell.weight * of(cell), 0);
    const mean = sum(({ y }) => y) / sum(() => 1);
    const expected = 1 - sum(({ y, guess }) => (y - guess) ** 2) / sum(({ y }) => (y - mean) ** 2);
    expect(weightedR2(observed, predicted)).toBeCloseTo(expected, 12);
  });

  it('of a target are those of the photos of which it was measured', () => {
    fc.assert(
      fc.property(photos, photos, (observed, others) => {
        const predicted = observed.map((_, photo) => others[photo % others.length] as Targets);
        const holed = [...observed.map((masses) => without(masses, 'dead')), ...observed];
        const score = scoreTargets(holed, [...predicted, ...predicted]).perTarget;
        expect(score.Dry_Dead_g).toEqual(scoreTargets(observed, predicted).perTarget.Dry_Dead_g);
        expect(score.Dry_Total_g.photos).toBe(2 * observed.length);
      }),
    );
  });

  it('are none where what was measured has no prediction', () => {
    const observed = [1, 2].map((green) => targetsFromComponents({ green, dead: 1, clover: 1 }));
    const predicted = observed.map((masses) => without(masses, 'total'));
    expect(weightedR2(observed, predicted)).toBeNaN();
    expect(
      weightedR2(
        observed.map((masses) => without(masses, 'total')),
        predicted,
      ),
    ).toBe(1);
  });
});
