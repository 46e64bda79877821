import { describe, expect, it } from 'vitest';
import { takeRows } from '../../src/ground/matrix.ts';
import { randomStream } from '../../src/ground/random.ts';
import type { Estimator, TrainingSet } from '../../src/learning/estimator.ts';
import { targetsFromComponents } from '../../src/pasture/physics.ts';
import type { Targets } from '../../src/pasture/targets.ts';
import { fitFold } from '../../src/runs/cross-validation.ts';
import { withPseudoLabels } from '../../src/runs/pseudo-training.ts';

const total = (grams: number): Targets => targetsFromComponents({ green: grams, dead: 0, clover: 0 });
const inputs = { rows: 6, columns: 1, data: Float64Array.of(0, 1, 2, 3, 4, 5) };
const measured = {
  inputs,
  targets: [10, 11, 12, 13].map(total),
  groups: ['a', 'a', 'b', 'b'],
};
const pseudo = {
  paths: ['x.jpg', 'y.jpg'],
  byFold: [
    [total(50), total(51)],
    [total(60), total(61)],
  ],
  weight: 0.4,
};
/** Measured photos in folds 0 and 1; pseudo-labelled ones in none. */
const folds = [0, 0, 1, 1, -1, -1];

/** What an estimator was given for a fold. */
async function givenFor(fold: number): Promise<TrainingSet<typeof inputs>> {
  const given: TrainingSet<typeof inputs>[] = [];
  const estimator: Estimator<typeof inputs> = {
    async fit(training) {
      given.push(training);
      return { predict: async () => [], write: async () => {} };
    },
    read: async () => ({ predict: async () => [], write: async () => {} }),
  };
  const learner = { estimator, take: takeRows, ...withPseudoLabels(measured, pseudo) };
  await fitFold(learner, folds, fold, randomStream(1));
  return given[0] as TrainingSet<typeof inputs>;
}

describe('training with pseudo-labelled photos', () => {
  it('tells each fold what its own teacher said', async () => {
    expect((await givenFor(0)).targets.map((targets) => targets.total)).toEqual([12, 13, 50, 51]);
    expect((await givenFor(1)).targets.map((targets) => targets.total)).toEqual([10, 11, 60, 61]);
  });

  it('lets them count less, each in a session of its own', async () => {
    const { weights, groups, inputs: rows } = await givenFor(0);
    expect(weights).toEqual([1, 1, 0.4, 0.4]);
    expect(new Set(groups).size).toBe(3);
    expect([...rows.data]).toEqual([2, 3, 4, 5]);
  });

  it('never validates on them', async () => {
    for (const fold of [0, 1]) {
      const { validation } = await givenFor(fold);
      expect(validation?.targets.map((targets) => targets.total)).toEqual(fold === 0 ? [10, 11] : [12, 13]);
    }
  });
});
