import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { completedTargets, isComplete, isKnown, massesIn, massesKnownOf } from '../../src/pasture/partial.ts';
import { isPhysical, targetsFromComponents } from '../../src/pasture/physics.ts';
import { absentFractions, completedAfter, substituted } from '../../src/pasture/substitute.ts';
import { byMass, MASS_NAMES, type MassName, type Targets } from '../../src/pasture/targets.ts';

const mass = fc.double({ min: 0, max: 100, noNaN: true });
const complete = fc
  .tuple(mass, mass, mass)
  .map(([green, dead, clover]) => targetsFromComponents({ green, dead, clover }));
const some = fc.subarray([...MASS_NAMES], { minLength: 1 });
const knownOf = (targets: Targets, names: readonly MassName[]): Targets =>
  completedTargets(Object.fromEntries(names.map((name) => [name, targets[name]])));

describe('a sward without the fractions that nobody measured', () => {
  it('has all masses of every photo whose known ones are all there are, and they are the same', () => {
    fc.assert(
      fc.property(complete, some, (targets, names) => {
        const known = knownOf(targets, names);
        const plainer = substituted(known, absentFractions(massesKnownOf([known])));
        expect(isComplete(plainer)).toBe(true);
        expect(isPhysical(plainer, 1e-9)).toBe(true);
        for (const name of MASS_NAMES) if (isKnown(known, name)) expect(plainer[name]).toBe(known[name]);
      }),
    );
  });

  it('never claims a mass that some photo contradicts', () => {
    fc.assert(
      fc.property(complete, some, some, (targets, all, own) => {
        const photo = knownOf(
          targets,
          own.filter((name) => all.includes(name)),
        );
        const known = massesKnownOf([knownOf(targets, all)]);
        const plainer = substituted(photo, absentFractions(known));
        for (const name of massesIn(known)) {
          if (isKnown(plainer, name)) expect(plainer[name]).toBeCloseTo(targets[name], 6);
        }
      }),
    );
  });

  it.each<[readonly MassName[], readonly string[]]>([
    [['total'], ['clover', 'green']],
    [['gdm'], ['clover', 'dead']],
    [['green', 'total'], ['clover']],
    [['clover', 'total'], ['green']],
    [['gdm', 'total'], ['clover']],
    [['green', 'clover'], ['dead']],
    [['green', 'gdm', 'total'], []],
  ])('of %s does without %s', (names, absent) => {
    const known = massesKnownOf(names.map((name) => completedTargets({ [name]: 1 })));
    expect(absentFractions(known)).toEqual(absent);
  });
});

describe('masses completed after a guess', () => {
  it('keep what is known, hold the sums and are not negative', () => {
    const guess = fc.double({ min: -20, max: 100, noNaN: true });
    fc.assert(
      fc.property(complete, fc.subarray([...MASS_NAMES]), guess, guess, guess, (targets, names, a, b, c) => {
        const known = knownOf(targets, names);
        const completed = completedAfter(known, { green: a, dead: b, clover: c });
        expect(isPhysical(completed, 1e-9)).toBe(true);
        for (const name of MASS_NAMES) if (isKnown(known, name)) expect(completed[name]).toBe(known[name]);
      }),
    );
  });

  it('hold the sums where next to nothing of one stands beside much of another', () => {
    const known = completedTargets({ gdm: 64 + 1e-8, clover: 64, dead: 3 });
    const completed = completedAfter(known, { green: 0, dead: 0, clover: 0 });
    expect(isPhysical(completed, 1e-9)).toBe(true);
    expect(completed.green).toBeCloseTo(1e-8, 12);
  });

  it('share a known total in the proportions of the guess', () => {
    expect(completedAfter(completedTargets({ total: 20 }), { green: 4, dead: 1, clover: 5 })).toEqual({
      ...{ green: 8, dead: 2, clover: 10, gdm: 18, total: 20 },
    });
    const nothing = completedAfter(completedTargets({ total: 6 }), { green: 0, dead: -1, clover: 0 });
    expect(nothing).toEqual({ green: 2, dead: 2, clover: 2, gdm: 4, total: 6 });
  });

  it('are the guess where nothing is known', () => {
    const nothing = byMass(() => Number.NaN);
    const guessed = completedAfter(nothing, { green: 4, dead: 1, clover: -5 });
    expect(guessed).toEqual({ green: 4, dead: 1, clover: 0, gdm: 4, total: 5 });
  });
});
