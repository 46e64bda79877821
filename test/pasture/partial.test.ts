import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  completedTargets,
  contradictionIn,
  isComplete,
  isKnown,
  knownCounts,
  type PartialTargets,
} from '../../src/pasture/partial.ts';
import { targetsFromComponents } from '../../src/pasture/physics.ts';
import { MASS_NAMES, type MassName, type Targets } from '../../src/pasture/targets.ts';

const mass = fc.oneof(
  fc.constant(0),
  fc.integer({ min: 0, max: 2_000_000 }).map((value) => value / 10_000),
);
const complete = fc
  .tuple(mass, mass, mass)
  .map(([green, dead, clover]) => targetsFromComponents({ green, dead, clover }));
const kept = fc.subarray([...MASS_NAMES]);

const only = (targets: Targets, names: readonly MassName[]): PartialTargets =>
  Object.fromEntries(names.map((name) => [name, targets[name]]));

/** Each mass as a sum of green, dead and clover. */
const SUMS: Readonly<Record<MassName, readonly number[]>> = {
  green: [1, 0, 0],
  dead: [0, 1, 0],
  clover: [0, 0, 1],
  gdm: [1, 0, 1],
  total: [1, 1, 1],
};

function rank(rows: readonly (readonly number[])[]): number {
  const left = rows.map((row) => [...row]);
  let found = 0;
  for (let column = 0; column < 3; column++) {
    const pivot = left.slice(found).find((row) => row[column] !== 0);
    if (!pivot) continue;
    left.splice(left.indexOf(pivot), 1);
    for (const row of left.slice(found)) {
      const factor = (row[column] ?? 0) / (pivot[column] ?? 1);
      row.forEach((value, at) => {
        row[at] = value - factor * (pivot[at] ?? 0);
      });
    }
    left.splice(found++, 0, pivot);
  }
  return found;
}

const follows = (name: MassName, names: readonly MassName[]): boolean => {
  const rows = names.map((other) => SUMS[other]);
  return rank([...rows, SUMS[name]]) === rank(rows);
};

describe('masses of which some were not measured', () => {
  it('are completed by all that follows, exactly, and by nothing else', () => {
    fc.assert(
      fc.property(complete, kept, (targets, names) => {
        const completed = completedTargets(only(targets, names));
        for (const name of MASS_NAMES) {
          expect(isKnown(completed, name)).toBe(follows(name, names));
          if (names.includes(name)) expect(completed[name]).toBe(targets[name]);
          else if (isKnown(completed, name)) expect(completed[name]).toBeCloseTo(targets[name], 9);
        }
        expect(contradictionIn(completed)).toBeNull();
      }),
    );
  });

  it('find no trace of a fraction that is not there', () => {
    fc.assert(
      fc.property(mass, mass, (green, dead) => {
        const { gdm, total } = targetsFromComponents({ green, dead, clover: 0 });
        expect(completedTargets({ green, gdm, total }).clover).toBe(0);
        expect(completedTargets({ green, dead, total }).clover).toBe(0);
      }),
    );
  });

  it('stay as they are when all are there, also where sums stray a little', () => {
    const published = { green: 10, dead: 4, clover: 3, gdm: 13.3, total: 17.1 };
    expect(completedTargets(published)).toEqual(published);
    expect(isComplete(completedTargets(published))).toBe(true);
    expect(contradictionIn(published)).toBeNull();
  });

  it('know nothing from nothing, and take what is not finite for not measured', () => {
    const unknown = completedTargets({ green: Number.NaN, total: Number.POSITIVE_INFINITY, dead: undefined });
    expect(MASS_NAMES.some((name) => isKnown(unknown, name))).toBe(false);
    expect(contradictionIn(unknown)).toBeNull();
  });

  it('leave nothing rather than less than nothing within what sums may stray', () => {
    expect(completedTargets({ gdm: 10.4, total: 10 }).dead).toBe(0);
    expect(contradictionIn(completedTargets({ gdm: 10.4, total: 10 }))).toBeNull();
  });

  it.each([
    [{ gdm: 15, total: 10 }, 'Dry_Total_g is 5.00 g less than GDM_g'],
    [{ green: 12, gdm: 10 }, 'GDM_g is 2.00 g less than Dry_Green_g'],
    [{ clover: 12, gdm: 10 }, 'GDM_g is 2.00 g less than Dry_Clover_g'],
    [{ dead: 12, total: 10 }, 'Dry_Total_g is 2.00 g less than Dry_Dead_g'],
    [{ green: 12, total: 10 }, 'Dry_Total_g is 2.00 g less than Dry_Green_g'],
    [{ clover: 12, total: 10 }, 'Dry_Total_g is 2.00 g less than Dry_Clover_g'],
    [{ green: 5, clover: 4, gdm: 10 }, 'GDM_g is 1.00 g away from Dry_Green_g + Dry_Clover_g'],
    [{ green: 5, clover: 4, dead: 2, total: 13 }, 'Dry_Total_g is 2.00 g away from GDM_g + Dry_Dead_g'],
  ])('tell what of %o cannot be', (measured, sentence) => {
    expect(contradictionIn(completedTargets(measured))).toBe(sentence);
  });

  it('are counted by mass', () => {
    const photos = [{ total: 10 }, { total: 12, green: 3 }, { green: 1, dead: 1, clover: 1 }];
    expect(knownCounts(photos.map(completedTargets))).toEqual({
      green: 2,
      dead: 1,
      clover: 1,
      gdm: 1,
      total: 3,
    });
  });
});
