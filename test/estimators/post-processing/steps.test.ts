import { describe, expect, it } from 'vitest';
import {
  applyStep,
  fitStep,
  fittedStepSchema,
  parseSteps,
  stepName,
} from '../../../src/estimators/post-processing/steps.ts';
import { UsageError } from '../../../src/ground/errors.ts';
import { isPhysical, targetsFromComponents } from '../../../src/pasture/physics.ts';
import type { Targets } from '../../../src/pasture/targets.ts';
import { inventedMembers, largestDifference } from '../combination/invented-members.ts';

const rows = inventedMembers(60, [6], 5);
const [predicted = []] = rows.members;

function free(green: number, dead: number, clover: number, gdm: number, total: number): Targets {
  return { green, dead, clover, gdm, total };
}

describe('calibration', () => {
  it('recovers known slopes and intercepts', () => {
    const bent = rows.observed.map(({ green, dead, clover, gdm, total }) =>
      free((green - 3) / 2, dead + 1, clover / 0.8, gdm / 4, (total + 5) / 1.5),
    );
    const step = fitStep({ kind: 'calibration' }, bent, rows.observed);
    if (step.kind !== 'calibration') throw new Error('another step came back');
    const close = (values: readonly number[]): number[] => values.map((value) => expect.closeTo(value, 8));
    expect(step.slope).toEqual(close([2, 1, 0.8, 4, 1.5]));
    expect(step.intercept).toEqual(close([3, -1, 0, 0, -5]));
    expect(largestDifference(applyStep(step, bent, rows.states), rows.observed)).toBeLessThan(1e-8);
  });

  it('only shifts what does not vary', () => {
    const flat = rows.observed.map(() => free(1, 1, 1, 2, 3));
    const step = fitStep({ kind: 'calibration' }, flat, rows.observed);
    const [answer] = applyStep(step, flat, rows.states);
    const mean = rows.observed.reduce((sum, targets) => sum + targets.total, 0) / rows.observed.length;
    expect(answer?.total).toBeCloseTo(mean, 8);
  });
});

describe('clipping', () => {
  it('keeps masses inside the measured range, each target its own', () => {
    const measured = [free(5, 2, 0, 5, 7), free(30, 0, 4, 34, 34)];
    const step = fitStep({ kind: 'clip' }, measured, measured);
    expect(applyStep(step, [free(1, 9, 2, 50, 51)], [null])).toEqual([free(5, 2, 2, 34, 34)]);
  });
});

describe('projection', () => {
  it.each(['plain', 'metric', 'covariance'] as const)(
    '%s makes masses physical and leaves physical ones',
    (weighing) => {
      const broken = predicted.map((targets) => ({
        ...targets,
        gdm: targets.gdm + 3,
        total: targets.total - 4,
      }));
      const step = fitStep({ kind: 'projection', weighing }, broken, rows.observed);
      for (const targets of applyStep(step, broken, rows.states)) expect(isPhysical(targets)).toBe(true);
      expect(largestDifference(applyStep(step, predicted, rows.states), predicted)).toBeLessThan(1e-9);
    },
  );

  it('by covariance moves the target that errs most', () => {
    const random = inventedMembers(300, [1], 9);
    const guess = (random.members[0] ?? []).map((targets, photo) => ({
      ...targets,
      total: targets.total + (photo % 2 === 0 ? 20 : -20),
    }));
    const step = fitStep({ kind: 'projection', weighing: 'covariance' }, guess, random.observed);
    const [answer] = applyStep(step, [free(10, 10, 10, 20, 60)], [null]);
    expect(answer?.green).toBeCloseTo(10, 0);
    expect(answer?.total).toBeLessThan(33);
  });
});

describe('rules of the competition', () => {
  it('take dead matter from Western Australia only', () => {
    const step = fitStep({ kind: 'wa-dead' }, predicted, rows.observed);
    const masses = targetsFromComponents({ green: 4, dead: 3, clover: 2 });
    expect(applyStep(step, [masses, masses, masses], ['WA', 'Tas', null])).toEqual([
      { ...masses, dead: 0, total: 6 },
      masses,
      masses,
    ]);
  });

  it('bend masses as the first place did', () => {
    const step = fitStep({ kind: 'first-place' }, predicted, rows.observed);
    const bend = (dead: number): Targets | undefined =>
      applyStep(step, [targetsFromComponents({ green: 10, dead, clover: 5 })], [null])[0];
    // Clover 5 → 4; GDM half-way from 15 to 14; total half-way from 15 + dead to 14 + new dead.
    expect(bend(30)).toEqual(free(10, 33, 4, 14.5, 46));
    expect(bend(15)).toEqual(free(10, 15, 4, 14.5, 29.5));
    expect(bend(5)).toEqual(free(10, 4.5, 4, 14.5, 19.25));
  });
});

describe('the list of steps', () => {
  const names = (text: string, identitiesHold = true): string[] =>
    parseSteps(text, identitiesHold).map(stepName);

  it('ends in a projection where identities break, unless none is wanted', () => {
    expect(names('')).toEqual([]);
    expect(names('', false)).toEqual(['projection=metric']);
    expect(names('calibration')).toEqual(['calibration', 'projection=metric']);
    expect(names('calibration,wa-dead')).toEqual(['calibration', 'projection=metric', 'wa-dead']);
    expect(names('clip, projection=plain')).toEqual(['clip', 'projection=plain']);
    expect(names('projection=covariance,clip')).toEqual([
      'projection=covariance',
      'clip',
      'projection=metric',
    ]);
    expect(names('calibration,projection=none')).toEqual(['calibration']);
    expect(names('projection', false)).toEqual(['projection=metric']);
    expect(names('wa-dead')).toEqual(['wa-dead']);
    expect(names('wa-dead', false)).toEqual(['projection=metric', 'wa-dead']);
  });

  it.each(['shrink', 'projection=best', 'clip=3', 'calibration=a=b', 'constructor'])('refuses %s', (text) => {
    expect(() => parseSteps(text, true)).toThrow(UsageError);
  });

  it('keeps fitted steps through JSON', () => {
    for (const choice of parseSteps('calibration,clip,projection=covariance,wa-dead,first-place', true)) {
      const step = fitStep(choice, predicted, rows.observed);
      expect(fittedStepSchema.parse(JSON.parse(JSON.stringify(step)))).toEqual(step);
    }
  });
});
