import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  identityErrors,
  isPhysical,
  targetsFromComponents,
  targetsFromNestedMasses,
} from '../../src/pasture/physics.ts';
import { reconcile } from '../../src/pasture/reconcile.ts';
import { type Targets, targetsFromArray, targetsToArray } from '../../src/pasture/targets.ts';
import { gramsToKilogramsPerHectare, kilogramsPerHectareToGrams } from '../../src/pasture/units.ts';

const anyMass = fc.double({ min: -50, max: 200, noNaN: true });
const free = fc.tuple(anyMass, anyMass, anyMass, anyMass, anyMass).map((row) => targetsFromArray(row));
const weights = fc.array(fc.double({ min: 0.05, max: 5, noNaN: true }), { minLength: 5, maxLength: 5 });

function cost(a: Targets, b: Targets, scale: readonly number[]): number {
  const other = targetsToArray(b);
  return targetsToArray(a).reduce((sum, v, i) => sum + (scale[i] ?? 0) * (v - (other[i] ?? 0)) ** 2, 0);
}

/**
 * Orthogonal projection of five free predictions onto the two identities, in grams; masses may stay negative.
 * With a = green + clover − GDM, b = dead + GDM − total, u = (3a + b) / 8 and v = (a + 3b) / 8: green and
 * clover lose u, dead loses v, GDM gains u − v, total gains v.
 */
function projectOntoIdentities(free: Targets): Targets {
  const a = free.green + free.clover - free.gdm;
  const b = free.dead + free.gdm - free.total;
  const u = (3 * a + b) / 8;
  const v = (a + 3 * b) / 8;
  return {
    green: free.green - u,
    dead: free.dead - v,
    clover: free.clover - u,
    gdm: free.gdm + u - v,
    total: free.total + v,
  };
}

describe('derivations', () => {
  it('sums three components to GDM and total', () => {
    const targets = targetsFromComponents({ green: 10, dead: 4, clover: 3 });
    expect(targets).toEqual({ green: 10, dead: 4, clover: 3, gdm: 13, total: 17 });
  });

  it('finds dead and clover as what nested masses leave', () => {
    const targets = targetsFromNestedMasses({ total: 17, gdm: 13, green: 10 });
    expect(targets).toEqual({ green: 10, dead: 4, clover: 3, gdm: 13, total: 17 });
  });

  it('gives physical masses for any input', () => {
    fc.assert(
      fc.property(anyMass, anyMass, anyMass, (a, b, c) => {
        expect(isPhysical(targetsFromComponents({ green: a, dead: b, clover: c }))).toBe(true);
        expect(isPhysical(targetsFromNestedMasses({ total: a, gdm: b, green: c }))).toBe(true);
      }),
    );
  });

  it('calls negative, disordered and unbalanced masses unphysical', () => {
    expect(isPhysical(targetsFromArray([1, 1, -1, 0, 1]))).toBe(false);
    expect(isPhysical(targetsFromArray([1, 1, 1, 2.6, 3]))).toBe(false);
    expect(isPhysical(targetsFromArray([1, 1, 1, 2, 3.4]), 0.5)).toBe(true);
    expect(isPhysical(targetsFromArray([1, 1, Number.NaN, 2, 3]))).toBe(false);
  });
});

describe('reconciliation', () => {
  it('equals the closed-form projection where that is non-negative', () => {
    fc.assert(
      fc.property(free, (prediction) => {
        const projected = projectOntoIdentities(prediction);
        fc.pre(targetsToArray(projected).every((value) => value > 0));
        const reconciled = targetsToArray(reconcile(prediction));
        targetsToArray(projected).forEach((value, i) => {
          expect(reconciled[i]).toBeCloseTo(value, 8);
        });
      }),
    );
  });

  it('always gives physical masses, whatever the weights', () => {
    fc.assert(
      fc.property(free, weights, (prediction, scale) => {
        expect(isPhysical(reconcile(prediction, scale))).toBe(true);
      }),
    );
  });

  it('is nearer to the predictions than any other physical masses', () => {
    fc.assert(
      fc.property(free, weights, anyMass, anyMass, anyMass, (prediction, scale, green, dead, clover) => {
        const other = targetsFromComponents({ green, dead, clover });
        const best = cost(reconcile(prediction, scale), prediction, scale);
        expect(best).toBeLessThanOrEqual(cost(other, prediction, scale) + 1e-9);
      }),
    );
  });

  it('leaves physical masses as they are', () => {
    fc.assert(
      fc.property(anyMass, anyMass, anyMass, weights, (green, dead, clover, scale) => {
        const targets = targetsFromComponents({ green, dead, clover });
        targetsToArray(reconcile(targets, scale)).forEach((value, i) => {
          expect(value).toBeCloseTo(targetsToArray(targets)[i] ?? Number.NaN, 8);
        });
      }),
    );
  });

  it('takes a full inverse covariance, and the diagonal one means the same as weights', () => {
    const prediction = targetsFromArray([30, 5, -3, 20, 40]);
    const scale = [0.1, 0.1, 0.1, 0.2, 0.5];
    const matrix = scale.map((value, row) => scale.map((_, column) => (row === column ? value : 0)));
    expect(reconcile(prediction, matrix)).toEqual(reconcile(prediction, scale));
  });

  it('trusts a heavily weighted total', () => {
    const prediction = targetsFromArray([30, 5, 2, 20, 40]);
    expect(reconcile(prediction, [1, 1, 1, 1, 1e6]).total).toBeCloseTo(40, 3);
  });

  it('refuses weights that are not positive and predictions that are not finite', () => {
    const prediction = targetsFromArray([1, 1, 1, 1, 1]);
    expect(() => reconcile(prediction, [1, 1, 1, 1])).toThrow(/5 weights/);
    expect(() => reconcile(prediction, [1, 1, 0, 1, 1])).toThrow(/positive/);
    expect(() => reconcile(targetsFromArray([1, 1, Number.NaN, 1, 1]))).toThrow(/not finite/);
  });

  it('keeps the projection on both identities', () => {
    fc.assert(
      fc.property(free, (prediction) => {
        const errors = identityErrors(projectOntoIdentities(prediction));
        expect(errors.gdm).toBeCloseTo(0, 9);
        expect(errors.total).toBeCloseTo(0, 9);
      }),
    );
  });
});

describe('units', () => {
  it('turns grams on the 0.21 m² quadrat into kg DM/ha', () => {
    expect(gramsToKilogramsPerHectare(1)).toBeCloseTo(47.619, 3);
    expect(gramsToKilogramsPerHectare(1, 0.1)).toBeCloseTo(100, 9);
    expect(gramsToKilogramsPerHectare(1, 0.25)).toBeCloseTo(40, 9);
    expect(kilogramsPerHectareToGrams(gramsToKilogramsPerHectare(12.5, 0.3), 0.3)).toBeCloseTo(12.5, 12);
  });

  it('refuses a frame without area', () => {
    expect(() => gramsToKilogramsPerHectare(1, 0)).toThrow(/frame area/);
    expect(() => gramsToKilogramsPerHectare(1, Number.NaN)).toThrow(/frame area/);
  });
});
