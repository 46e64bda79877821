import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { greedyPicks, greedyWeights } from '../../../src/estimators/combination/greedy-selection.ts';
import {
  metricProducts,
  residualCorrelations,
  residualProducts,
} from '../../../src/estimators/combination/residual-products.ts';
import { simplexLeastSquares } from '../../../src/estimators/combination/simplex-least-squares.ts';
import { randomStream } from '../../../src/ground/random.ts';
import { weightedR2 } from '../../../src/pasture/metric.ts';
import type { Targets } from '../../../src/pasture/targets.ts';
import { inventedMembers } from './invented-members.ts';

type Products = number[][];

function errorOf(products: Products, weights: readonly number[]): number {
  return weights.reduce(
    (sum, a, i) => sum + a * weights.reduce((inner, b, j) => inner + b * (products[i]?.[j] ?? 0), 0),
    0,
  );
}

/** Products of random errors: any symmetric matrix without negative directions can come out. */
const products = fc
  .array(fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 4, maxLength: 4 }), {
    minLength: 1,
    maxLength: 4,
  })
  .map(
    (errors): Products => errors.map((a) => errors.map((b) => a.reduce((s, e, k) => s + e * (b[k] ?? 0), 0))),
  );

/** All weights in steps of 1 / parts. */
function simplexGrid(size: number, parts: number): number[][] {
  if (size === 1) return [[parts]];
  return Array.from({ length: parts + 1 }, (_, first) =>
    simplexGrid(size - 1, parts - first).map((rest) => [first, ...rest]),
  ).flat();
}

describe('error products', () => {
  it('give the squared error of any weighted mean, as the metric weighs it', () => {
    const { members, observed } = inventedMembers(20, [5, 9], 3);
    const matrix = metricProducts(residualProducts(members, observed));
    const blend = observed.map((_, photo): Targets => {
      const [a, b] = [members[0]?.[photo], members[1]?.[photo]];
      const mix = (key: keyof Targets): number => 0.3 * (a?.[key] ?? 0) + 0.7 * (b?.[key] ?? 0);
      return {
        green: mix('green'),
        dead: mix('dead'),
        clover: mix('clover'),
        gdm: mix('gdm'),
        total: mix('total'),
      };
    });
    const both = [weightedR2(observed, blend), weightedR2(observed, members[0] ?? [])] as const;
    expect((1 - both[0]) / (1 - both[1])).toBeCloseTo(
      errorOf(matrix, [0.3, 0.7]) / errorOf(matrix, [1, 0]),
      10,
    );
  });

  it('know errors that are the same, opposite or unrelated', () => {
    const { members, observed } = inventedMembers(400, [6, 6], 4);
    const [first = []] = members;
    const flat = (shift: number): Targets[] =>
      observed.map(({ green, dead, clover, gdm, total }, photo) => ({
        green,
        dead,
        clover,
        gdm,
        total: total + shift * ((photo % 2) - 0.5),
      }));
    const mirrored = residualCorrelations([flat(4), flat(-2)], observed);
    expect(mirrored[0]?.[1]).toBeCloseTo(-1, 10);
    const shifted = first.map((targets) => ({ ...targets, total: targets.total + 50 }));
    expect(residualCorrelations([first, shifted], observed)[0]?.[1]).toBeCloseTo(1, 10);
    expect(Math.abs(residualCorrelations(members, observed)[0]?.[1] ?? 1)).toBeLessThan(0.15);
    expect(residualCorrelations([observed, first], observed)).toEqual([
      [1, 0],
      [0, 1],
    ]);
  });
});

describe('least squares on the simplex', () => {
  it('beats every other choice of weights', () => {
    fc.assert(
      fc.property(products, (matrix) => {
        const weights = simplexLeastSquares(matrix);
        expect(weights.every((weight) => weight >= 0)).toBe(true);
        expect(weights.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 9);
        const best = Math.min(
          ...simplexGrid(matrix.length, 20).map((parts) =>
            errorOf(
              matrix,
              parts.map((part) => part / 20),
            ),
          ),
        );
        expect(errorOf(matrix, weights)).toBeLessThanOrEqual(best + 1e-6 * (1 + best));
      }),
    );
  });

  it('has the closed form of two independent members, and drops one that only harms', () => {
    // Variances 1 and 3 share the weight 3 : 1.
    const inside = simplexLeastSquares([
      [1, 0],
      [0, 3],
    ]);
    expect(inside[0]).toBeCloseTo(0.75, 8);
    const outside = simplexLeastSquares([
      [1, 2],
      [2, 5],
    ]);
    expect(outside).toEqual([1, 0]);
  });

  it('shares evenly between members that are the same or never wrong', () => {
    const same = simplexLeastSquares([
      [2, 2, 2],
      [2, 2, 2],
      [2, 2, 2],
    ]);
    for (const weight of same) expect(weight).toBeCloseTo(1 / 3, 6);
    expect(
      simplexLeastSquares([
        [0, 0],
        [0, 0],
      ]),
    ).toEqual([0.5, 0.5]);
  });

  it('is pulled towards equal weights by shrinkage', () => {
    const matrix = [
      [1, 0],
      [0, 3],
    ];
    // With the ridge 2s on the diagonal: (3 + 2s) / (4 + 4s).
    expect(simplexLeastSquares(matrix, 0.5)[0]).toBeCloseTo(4 / 6, 8);
    expect(simplexLeastSquares(matrix, 1e6)[0]).toBeCloseTo(0.5, 5);
  });
});

describe('greedy selection', () => {
  // Errors of three members on two photos: (2, 0), (0, 2), (3, 3).
  const matrix = [
    [4, 0, 6],
    [0, 4, 6],
    [6, 6, 18],
  ];

  it('picks the best first, then what mends it, and stops where more does harm', () => {
    // Alone: 4, 4, 18. Mean of 0 and 1: (1, 1), error 2; a third pick gives (4/3, 2/3), 20/9; four again 2.
    expect(greedyPicks(matrix, [0, 1, 2], 1)).toEqual([0]);
    expect(greedyPicks(matrix, [0, 1, 2], 4)).toEqual([0, 1]);
    expect(greedyPicks(matrix, [1, 2], 5)).toEqual([1]);
  });

  it('takes a member as often as it helps', () => {
    // Independent members with variances 1 and 3: weights 3 : 1 are the optimum.
    const picks = greedyPicks(
      [
        [1, 0],
        [0, 3],
      ],
      [0, 1],
      4,
    );
    expect(picks.toSorted()).toEqual([0, 0, 0, 1]);
  });

  it('averages bags to weights of sum 1 that depend on the seed only', () => {
    const settings = { picks: 10, bags: 8, share: 0.67 };
    const weights = greedyWeights(matrix, settings, randomStream(5));
    expect(weights).toEqual(greedyWeights(matrix, settings, randomStream(5)));
    expect(weights.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 10);
    expect(greedyWeights(matrix, { ...settings, share: 1 }, randomStream(5))).toEqual(
      [0.5, 0.5, 0].map((w) => expect.closeTo(w, 10)),
    );
  });
});
