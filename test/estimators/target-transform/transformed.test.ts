import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ridge } from '../../../src/estimators/kernel/ridge.ts';
import { CURVES } from '../../../src/estimators/target-transform/curve.ts';
import { transformSettings } from '../../../src/estimators/target-transform/transform-settings.ts';
import { transformed } from '../../../src/estimators/target-transform/transformed.ts';
import { randomStream } from '../../../src/ground/random.ts';
import {
  type Estimator,
  type FitContext,
  fittedModel,
  rowEstimator,
} from '../../../src/learning/estimator.ts';
import { isPhysical, targetsFromComponents } from '../../../src/pasture/physics.ts';
import type { Targets } from '../../../src/pasture/targets.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { fitRows, predictRows, type TaughtRows } from '../../support/training-rows.ts';

const folder = temporaryFolder('target-transform');
const context = (): FitContext => ({ random: randomStream(1), record: () => {} });
const linear = ridge({ kind: 'ridge', penalties: [1e-3], sessionWeight: 0, clip: 4 });
const KINDS = ['sqrt', 'log1p', 'composition'] as const;

/** Skewed masses of one telling feature, and of noise that multiplies. */
function lognormalTask(rows: number, seed: number, noise: number): TaughtRows {
  const random = randomStream(seed);
  const data = Float64Array.from({ length: rows * 2 }, () => random.normal());
  return {
    inputs: { rows, columns: 2, data },
    targets: Array.from({ length: rows }, (_, row) => {
      const grams = Math.exp(3 + 0.4 * (data[row * 2] ?? 0) + noise * random.normal());
      return targetsFromComponents({ green: grams, dead: 0.3 * grams, clover: 0.1 * grams });
    }),
    groups: Array.from({ length: rows }, (_, row) => `session ${row % 10}`),
  };
}

/** A model that says the mean of what it was told. */
const meanOnly = rowEstimator({
  async fit({ train: { targets } }) {
    const mean = (name: 'green' | 'dead' | 'clover'): number =>
      targets.reduce((sum, masses) => sum + masses[name], 0) / targets.length;
    const masses = targetsFromComponents({
      green: mean('green'),
      dead: mean('dead'),
      clover: mean('clover'),
    });
    return fittedModel({
      predict: async ({ count }) => Array.from({ length: count }, () => masses),
      write: async () => {},
    });
  },
  read: async () => {
    throw new Error('not stored');
  },
});

const meanGreen = (targets: readonly Targets[]): number =>
  targets.reduce((sum, { green }) => sum + green, 0) / targets.length;

describe.each(['sqrt', 'log1p'] as const)('the %s scale', (name) => {
  const curve = CURVES[name];

  it('goes back to the grams it came from', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 500, noNaN: true }), (grams) => {
        expect(curve.backward(curve.forward(grams), curve.noSmear)).toBeCloseTo(grams, 8);
      }),
    );
  });

  it('takes the mean of the inverse over the residuals', () => {
    const inverse = (value: number): number => (name === 'sqrt' ? value ** 2 : Math.exp(value) - 1);
    const residuals = [-0.5, 0.1, 0.2, 0.7];
    const expected = residuals.reduce((sum, residual) => sum + inverse(2 + residual), 0) / 4;
    expect(curve.backward(2, curve.smearOf(residuals))).toBeCloseTo(expected, 12);
  });

  it('is right on average with the correction, and too low without', async () => {
    const training = lognormalTask(200, 2, 0.8);
    const biasWith = async (biasCorrection: boolean): Promise<number> => {
      const settings = transformSettings.parse({ kind: name, biasCorrection });
      const model = await fitRows(transformed(settings, linear), training, context());
      return meanGreen(await predictRows(model, training.inputs)) / meanGreen(training.targets);
    };
    const corrected = await biasWith(true);
    expect(corrected).toBeGreaterThan(0.95);
    expect(corrected).toBeLessThan(1.05);
    expect(await biasWith(false)).toBeLessThan(0.9);
  });

  it('hands the estimator masses on the scale', async () => {
    let told: readonly Targets[] = [];
    const spy: Estimator = {
      ...meanOnly,
      async fit(split, given) {
        told = split.train.targets;
        return meanOnly.fit(split, given);
      },
    };
    const training = lognormalTask(12, 4, 0.5);
    const settings = transformSettings.parse({ kind: name, biasCorrection: false });
    await fitRows(transformed(settings, spy), training, context());
    training.targets.forEach(({ green, dead }, photo) => {
      expect(told[photo]?.green).toBe(curve.forward(green));
      expect(told[photo]?.dead).toBe(curve.forward(dead));
    });
  });

  it('has no correction to make with a single session', async () => {
    const training = { ...lognormalTask(20, 5, 0.5), groups: new Array<string>(20).fill('only') };
    const plain = transformSettings.parse({ kind: name, biasCorrection: false });
    const corrected = transformSettings.parse({ kind: name });
    const predict = async (settings: typeof plain) =>
      predictRows(await fitRows(transformed(settings, linear), training, context()), training.inputs);
    expect(await predict(corrected)).toEqual(await predict(plain));
  });
});

describe('composition', () => {
  const composed = transformed({ kind: 'composition' }, linear);

  it('keeps the total that the masses alone give, and splits it by the shares', async () => {
    const training = lognormalTask(80, 6, 0.3);
    const fresh = lognormalTask(20, 7, 0.3).inputs;
    const masses = await predictRows(await fitRows(linear, training, context()), fresh);
    const predicted = await predictRows(await fitRows(composed, training, context()), fresh);
    predicted.forEach((targets, photo) => {
      expect(targets.total).toBeCloseTo(masses[photo]?.total ?? Number.NaN, 9);
      // Every photo is made up alike, which shares see and masses must guess.
      expect(targets.dead / targets.green).toBeCloseTo(0.3, 6);
      expect(targets.clover / targets.green).toBeCloseTo(0.1, 6);
    });
  });

  it('teaches no shares with photos that hold nothing', async () => {
    const training = lognormalTask(30, 8, 0.3);
    const empty = targetsFromComponents({ green: 0, dead: 0, clover: 0 });
    const targets = training.targets.map((masses, photo) => (photo === 3 ? empty : masses));
    const predicted = await predictRows(
      await fitRows(composed, { ...training, targets }, context()),
      training.inputs,
    );
    for (const masses of predicted) expect(isPhysical(masses, 1e-9)).toBe(true);
  });
});

describe.each(KINDS)('an estimator of %s masses', (kind) => {
  const estimator = transformed(transformSettings.parse({ kind }), linear);

  it('predicts physical masses, the same after being written and read', async () => {
    const model = await fitRows(estimator, lognormalTask(60, 9, 0.5), context());
    const place = join(folder, kind);
    mkdirSync(place);
    await model.write(place);
    const fresh = lognormalTask(25, 10, 0.5).inputs;
    const predicted = await predictRows(model, fresh);
    expect(await predictRows(await estimator.read(place), fresh)).toEqual(predicted);
    for (const targets of predicted) expect(isPhysical(targets, 1e-9)).toBe(true);
  });
});

it('leaves an estimator alone where nothing is transformed', () => {
  expect(transformed({ kind: 'none' }, linear)).toBe(linear);
});
