import { describe, expect, it } from 'vitest';
import { OBJECTIVES, type ObliviousParameters } from '../../../src/estimators/trees/boost-settings.ts';
import { predictCatBoost } from '../../../src/estimators/trees/catboost-model.ts';
import { trainOblivious } from '../../../src/estimators/trees/oblivious.ts';
import { randomStream } from '../../../src/ground/random.ts';
import { bentTargets, column, normalMatrix, OBLIVIOUS_DEFAULTS, rowsOf } from './small-data.ts';

const QUIET = { ...OBLIVIOUS_DEFAULTS, randomStrength: 0, baggingTemperature: 0 };
const ONE: ObliviousParameters = {
  ...QUIET,
  iterations: 1,
  learningRate: 1,
  depth: 1,
  l2LeafReg: 0,
  scoreFunction: 'L2',
};

function grow(
  rows: readonly (readonly number[])[],
  targets: readonly number[],
  changes: Partial<ObliviousParameters> = {},
  categorical: readonly number[] = [],
) {
  const data = { inputs: rowsOf(rows), targets: column(targets), weights: null, categorical };
  const { model } = trainOblivious(data, { ...ONE, ...changes }, randomStream(1));
  return { model, predict: (row: readonly number[]) => predictCatBoost(model, rowsOf([row])).data[0] };
}

describe('a symmetric tree on hand-made data', () => {
  it('asks the question that explains most, and leaves are the means of their rows', () => {
    const { model, predict } = grow([[1], [2], [3], [4]], [1, 1, 4, 10]);
    expect(model.trees[0]?.splits).toEqual([{ column: 0, border: 3.5 }]);
    expect([predict([3]), predict([4])]).toEqual([2, 10]);
    expect([...(model.trees[0]?.leafWeights ?? [])]).toEqual([3, 1]);
  });

  it('draws leaves towards 0 by l2LeafReg', () => {
    // Residuals ±5 about 5, one row a leaf: 5 / (1 + 4) = 1.
    const { predict } = grow([[1], [2]], [0, 10], { l2LeafReg: 4 });
    expect([predict([1]), predict([2])]).toEqual([4, 6]);
  });

  it('asks the same question on a whole level', () => {
    const rows = [
      [0, 0],
      [0, 1],
      [1, 0],
      [1, 1],
    ];
    const { model, predict } = grow(rows, [0, 2, 100, 150], { depth: 2 });
    expect(model.trees[0]?.splits.map((split) => split.column)).toEqual([0, 1]);
    expect(rows.map(predict)).toEqual([0, 2, 100, 150]);
  });

  it('scores splits by what shrunk leaves explain, or by how they point along the gradients', () => {
    // Residuals 9.1, 0.9, −5, −5. One row against three, G = ±9.1, or two against two, G = ±10, with λ = 1:
    // squares 9.1² · (1/2 + 1/4) = 62.1 < 10² · 2/3; cosine 9.1 · 0.75 / √(1/4 + 3/16) = 10.3 > 10.
    const rows = [
      [1, 1],
      [0, 1],
      [0, 0],
      [0, 0],
    ];
    const asked = (scoreFunction: 'Cosine' | 'L2') =>
      grow(rows, [29.1, 20.9, 15, 15], { scoreFunction, l2LeafReg: 1 }).model.trees[0]?.splits[0]?.column;
    expect(asked('L2')).toBe(1);
    expect(asked('Cosine')).toBe(0);
  });

  it('counts NaN as the smallest value', () => {
    const { model, predict } = grow([[Number.NaN], [Number.NaN], [1], [2]], [8, 8, 0, 0]);
    expect(model.floats[0]?.missing).toBe('AsFalse');
    expect([predict([Number.NaN]), predict([-1e30]), predict([1])]).toEqual([8, 0, 0]);
  });

  it('compares in single precision', () => {
    const { predict } = grow([[0.1], [0.2]], [0, 1]);
    const border = Math.fround((Math.fround(0.1) + Math.fround(0.2)) / 2);
    expect(predict([border])).toBe(0);
    // A double above the border that rounds to it.
    expect(predict([border * (1 + 2 ** -40)])).toBe(0);
  });
});

describe('ordered target statistics', () => {
  const codes = Array.from({ length: 120 }, (_, row) => row % 6);
  const high = new Set([1, 4, 5]);

  it('let trees use categories whatever the order of their codes', () => {
    const rows = codes.map((code) => [code]);
    const { predict } = grow(
      rows,
      codes.map((code) => (high.has(code) ? 20 : 10)),
      { iterations: 50, depth: 3 },
      [0],
    );
    for (let code = 0; code < 6; code++) expect(predict([code])).toBeCloseTo(high.has(code) ? 20 : 10, 0);
  });

  it('do not let a row see its own target', () => {
    const random = randomStream(9);
    const rows = Array.from({ length: 200 }, (_, row) => [row]);
    const noise = rows.map(() => random.normal());
    // Every row is a category of its own, so an honest statistic is constant and explains nothing.
    const { model } = grow(rows, noise, { iterations: 20, depth: 2 }, [0]);
    expect(model.trees.every(({ splits }) => splits.length === 0)).toBe(true);
  });

  it('give unknown categories the prior', () => {
    const rows = codes.map((code) => [code]);
    const { model, predict } = grow(
      rows,
      codes.map((code) => (high.has(code) ? 20 : 10)),
      { iterations: 50 },
      [0],
    );
    expect(model.statistics).toHaveLength(1);
    expect(predict([77])).toBe(predict([78]));
    expect(predict([77])).toBe(predict([Number.NaN]));
  });

  it('refuse amounts', () => {
    expect(() => grow([[0.5], [1]], [1, 2], {}, [0])).toThrow(/column 1: is categorical but holds 0.5/);
  });
});

describe('boosting symmetric trees', () => {
  const inputs = normalMatrix(240, 8, 5);
  const targets = bentTargets(inputs, 6);
  const data = { inputs, targets: column(targets), weights: null, categorical: [] };
  const freshInputs = normalMatrix(200, 8, 7);
  const held = { inputs: freshInputs, targets: column(bentTargets(freshInputs, 8)) };
  const some = { ...QUIET, iterations: 100, depth: 4, learningRate: 0.1 };

  it('lowers the training loss with every tree', () => {
    const { trainingLoss } = trainOblivious(data, some, randomStream(1));
    for (let tree = 1; tree < trainingLoss.length; tree++) {
      expect(trainingLoss[tree] ?? 0).toBeLessThanOrEqual(trainingLoss[tree - 1] ?? 0);
    }
    expect(trainingLoss.at(-1)).toBeLessThan(0.2 * (trainingLoss[0] ?? 0));
  });

  it.each(OBJECTIVES)('%s lowers its own loss on rows it has not seen', (objective) => {
    const alpha = objective === 'quantile' ? 0.7 : 2;
    const { validationLoss } = trainOblivious(data, { ...some, objective, alpha }, randomStream(1), held);
    const drop = (validationLoss[0] ?? 0) - (validationLoss.at(-1) ?? 0);
    expect(drop).toBeGreaterThan(
      0.1 * Math.abs(validationLoss[0] ?? 0) * (objective === 'tweedie' ? 0.01 : 1),
    );
  });

  it.each(['Plain', 'Ordered'] as const)(
    'with %s boosting, noise and bootstrap still learns and repeats itself',
    (boostingType) => {
      const parameters = { ...some, boostingType, randomStrength: 1, baggingTemperature: 1, rsm: 0.5 };
      const run = (seed: number) => trainOblivious(data, parameters, randomStream(seed), held);
      const first = run(1);
      expect(first.validationLoss.at(-1)).toBeLessThan(0.7 * (first.validationLoss[0] ?? 0));
      expect(run(1).model).toEqual(first.model);
      expect(run(2).model.trees).not.toEqual(first.model.trees);
    },
  );

  it('with Ordered boosting takes gradients from models that have not seen the row', () => {
    const plain = trainOblivious(data, some, randomStream(1)).model;
    const ordered = trainOblivious(data, { ...some, boostingType: 'Ordered' }, randomStream(1)).model;
    expect(ordered.trees).not.toEqual(plain.trees);
  });

  it('takes more Newton steps in a leaf when asked, which fits a curved loss closer', () => {
    const parameters = {
      ...some,
      objective: 'tweedie' as const,
      iterations: 5,
      learningRate: 1,
      l2LeafReg: 0,
    };
    const loss = (leafEstimationIterations: number) =>
      trainOblivious(data, { ...parameters, leafEstimationIterations }, randomStream(1)).trainingLoss[0] ?? 0;
    expect(loss(5)).toBeLessThan(loss(1));
  });

  it('stops early and keeps the trees up to the best', () => {
    const parameters = { ...some, iterations: 600, learningRate: 0.4, odWait: 10 };
    const { model, validationLoss } = trainOblivious(data, parameters, randomStream(1), held);
    expect(validationLoss.length).toBe(model.trees.length + 10);
    expect(validationLoss.indexOf(Math.min(...validationLoss))).toBe(model.trees.length - 1);
  });

  it('fits several outputs with shared splits, each as well as its own leaves allow', () => {
    const other = targets.map((value) => 100 - 2 * value);
    const both = {
      rows: 240,
      columns: 2,
      data: Float64Array.from([...targets].flatMap((value, row) => [value, other[row] ?? 0])),
    };
    const { model } = trainOblivious({ ...data, targets: both }, some, randomStream(1));
    const predicted = predictCatBoost(model, inputs);
    for (let row = 0; row < 240; row++) {
      // The second output is a line of the first, and so are the leaves.
      expect(predicted.data[2 * row + 1]).toBeCloseTo(100 - 2 * (predicted.data[2 * row] ?? 0), 6);
    }
  });
});
