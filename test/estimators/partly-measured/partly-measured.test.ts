import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { kernelRidge } from '../../../src/estimators/kernel/kernel-ridge.ts';
import { ridge } from '../../../src/estimators/kernel/ridge.ts';
import { partlyMeasured } from '../../../src/estimators/partly-measured/partly-measured.ts';
import { reduced } from '../../../src/estimators/reduction/reduced.ts';
import { transformed } from '../../../src/estimators/target-transform/transformed.ts';
import { randomStream } from '../../../src/ground/random.ts';
import type { Estimator, FitContext } from '../../../src/learning/estimator.ts';
import { completedTargets, isComplete, isKnown } from '../../../src/pasture/partial.ts';
import { isPhysical, targetsFromComponents } from '../../../src/pasture/physics.ts';
import { MASS_NAMES, type MassName, type Targets } from '../../../src/pasture/targets.ts';
import { rowEstimatorOf } from '../../../src/recipes/registry.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { fitRows, predictRows, type TaughtRows } from '../../support/training-rows.ts';
import { resolveRecipe } from '../../support/written-settings.ts';

const root = temporaryFolder('partly-measured');
const SHARED = { sessionWeight: 0.5, clip: 4 };
const LINEAR = ridge({ kind: 'ridge', penalties: [0.01], ...SHARED });
const RADIAL = kernelRidge({
  kind: 'kernel-ridge',
  kernels: ['rbf'],
  gammas: [0.1],
  penalties: [0.01],
  ...SHARED,
});

const context = (): FitContext => ({ random: randomStream(3), record: () => {} });

/** Masses that features tell through noise, none near 0, in eight sessions. */
function task(rows: number): TaughtRows & { readonly targets: readonly Targets[] } {
  const random = randomStream(5);
  const data = Float64Array.from({ length: rows * 6 }, () => random.normal());
  const at = (row: number, column: number): number => data[row * 6 + column] ?? 0;
  return {
    inputs: { rows, columns: 6, data },
    targets: Array.from({ length: rows }, (_, row) =>
      targetsFromComponents({
        green: 80 + 10 * at(row, 0) + random.normal(),
        dead: 50 + 5 * at(row, 1) + random.normal(),
        clover: 50 + 4 * at(row, 2) - 3 * at(row, 0) + random.normal(),
      }),
    ),
    groups: Array.from({ length: rows }, (_, row) => `session ${row % 8}`),
  };
}

const WHOLE = task(80);

/** The same photos with some masses measured only. */
const measuring = (which: (photo: number) => readonly MassName[]): typeof WHOLE => ({
  ...WHOLE,
  targets: WHOLE.targets.map((targets, photo) =>
    completedTargets(Object.fromEntries(which(photo).map((mass) => [mass, targets[mass]]))),
  ),
});

const answers = async (estimator: Estimator, rows: typeof WHOLE): Promise<Targets[]> =>
  predictRows(await fitRows(estimator, rows, context()), WHOLE.inputs);

describe('an estimator of partly measured photos', () => {
  it.each([
    ['ridge', LINEAR],
    ['kernel-ridge', RADIAL],
  ])('is the estimator itself where all is measured: %s', async (_, inner) => {
    expect(await answers(partlyMeasured(inner), WHOLE)).toEqual(await answers(inner, WHOLE));
  });

  it.each([
    ['ridge', LINEAR],
    ['kernel-ridge', RADIAL],
  ])('says the same total from totals alone as from all masses, and nothing else: %s', async (_, inner) => {
    const whole = await answers(inner, WHOLE);
    const totals = await answers(
      partlyMeasured(inner),
      measuring(() => ['total']),
    );
    totals.forEach((masses, row) => {
      expect(masses.total).toBeCloseTo(whole[row]?.total ?? 0, 6);
      expect(MASS_NAMES.filter((mass) => isKnown(masses, mass))).toEqual(['total']);
    });
  });

  it('says the same of green and total from these two as from all masses', async () => {
    const whole = await answers(LINEAR, WHOLE);
    const two = await answers(
      partlyMeasured(LINEAR),
      measuring(() => ['green', 'total']),
    );
    two.forEach((masses, row) => {
      expect(masses.green).toBeCloseTo(whole[row]?.green ?? 0, 6);
      expect(masses.total).toBeCloseTo(whole[row]?.total ?? 0, 6);
      expect(masses.dead).toBeNaN();
    });
  });

  it('keeps the totals of photos of which the fractions were not measured', async () => {
    const whole = await answers(LINEAR, WHOLE);
    const mixed = await answers(
      partlyMeasured(LINEAR),
      measuring((photo) => (photo % 2 === 0 ? ['total'] : MASS_NAMES)),
    );
    mixed.forEach((masses, row) => {
      expect(masses.total).toBeCloseTo(whole[row]?.total ?? 0, 6);
      expect(Math.abs(masses.green - (whole[row]?.green ?? 0))).toBeLessThan(3);
      expect(isPhysical(masses)).toBe(true);
    });
  });

  it('reads a model of some masses back as it was', async () => {
    const estimator = partlyMeasured(RADIAL);
    const model = await fitRows(
      estimator,
      measuring(() => ['gdm', 'total']),
      context(),
    );
    const folder = join(root, 'model');
    mkdirSync(folder, { recursive: true });
    await model.write(folder);
    const again = await estimator.read(folder);
    expect(again.predicts).toEqual({ green: false, dead: true, clover: false, gdm: true, total: true });
    expect(await predictRows(again, WHOLE.inputs)).toEqual(await predictRows(model, WHOLE.inputs));
    expect(again.capabilities.graph).toBe(true);
  });

  it('learns from cells that are missing at random, whatever the estimator', async () => {
    const random = randomStream(9);
    const holed = measuring(() => MASS_NAMES.filter(() => random.uniform() > 0.3));
    const rows = {
      ...holed,
      targets: holed.targets.map((masses, photo) =>
        MASS_NAMES.some((mass) => isKnown(masses, mass)) ? masses : (WHOLE.targets[photo] as Targets),
      ),
    };
    const boosted = await resolveRecipe('feature-boost', [
      'estimator.members=1',
      'estimator.numIterations=80',
    ]);
    const average = await resolveRecipe('feature-ridge', [
      'estimator={"kind":"kernel-average","members":[{"input":0}]}',
    ]);
    const net = await resolveRecipe('feature-mlp', ['estimator.members=1', 'estimator.epochs=60']);
    const estimators: [string, Estimator][] = [
      ['ridge', LINEAR],
      ['kernel-ridge', RADIAL],
      ['pls', reduced({ kind: 'pls', components: 3, clip: 4 }, LINEAR)],
      ['roots', transformed({ kind: 'sqrt', biasCorrection: true, innerFolds: 3 }, LINEAR)],
      ['composition', transformed({ kind: 'composition' }, LINEAR)],
      ['boosted trees', rowEstimatorOf(boosted.estimator)],
      ['kernel-average', rowEstimatorOf(average.estimator)],
      ['network', rowEstimatorOf(net.estimator)],
    ];
    for (const [name, inner] of estimators) {
      const masses = await answers(partlyMeasured(inner), rows);
      const miss = masses.map(({ total }, row) => Math.abs(total - (WHOLE.targets[row]?.total ?? 0)));
      expect(masses.every(isComplete), name).toBe(true);
      expect(miss.reduce((sum, value) => sum + value, 0) / miss.length, name).toBeLessThan(9);
    }
  }, 60_000);
});
