import { describe, expect, it } from 'vitest';
import { type LeafwiseParameters, OBJECTIVES } from '../../../src/estimators/trees/boost-settings.ts';
import { quantile } from '../../../src/estimators/trees/objectives.ts';
import { bentTargets, boosted, column, FREE, LEAFWISE_DEFAULTS, normalMatrix, rowsOf } from './small-data.ts';

const NaN_ = Number.NaN;

function grow(
  rows: readonly (readonly number[])[],
  targets: readonly number[],
  changes: Partial<LeafwiseParameters> = {},
  categorical: readonly number[] = [],
) {
  const data = { inputs: rowsOf(rows), targets: column(targets), categorical };
  const model = boosted(data, { ...FREE, ...changes });
  const [tree] = model.trees;
  if (!tree) throw new Error('one tree should have grown');
  return { tree, predict: (row: readonly number[]) => model.predict(rowsOf([row]))[0] };
}

describe('a leaf-wise tree on hand-made data', () => {
  it('finds the split of most gain, and its gain is exact', () => {
    // Mean 4; residuals −3 −3 0 6; best: {−3, −3} | {0, 6}: 36/2 + 36/2 against {−3 −3 0} | {6}: 36/3 + 36.
    const { tree } = grow([[1], [2], [3], [4]], [1, 1, 4, 10], { numLeaves: 2 });
    expect([...tree.splitFeature]).toEqual([0]);
    expect([...tree.threshold]).toEqual([3.5]);
    expect(tree.splitGain[0]).toBeCloseTo(36 / 3 + 36, 12);
    expect([...tree.leafValue]).toEqual([2, 10]);
    expect([...tree.leafCount]).toEqual([3, 1]);
    expect(tree.internalCount[0]).toBe(4);
  });

  it('shrinks gains and leaves by λ₁ and λ₂ as documented', () => {
    const { tree } = grow([[1], [2]], [0, 10], { numLeaves: 2, lambdaL1: 1, lambdaL2: 1 });
    // Gradients ±5: (5 − 1)²/(1 + 1) each, the root has none; leaves ∓(5 − 1)/2 about the mean of 5.
    expect(tree.splitGain[0]).toBeCloseTo(16, 12);
    expect([...tree.leafValue]).toEqual([3, 7]);
  });

  it('splits the leaf that gains most first', () => {
    const rows = [
      [0, 0],
      [0, 1],
      [1, 0],
      [1, 1],
    ];
    const { tree } = grow(rows, [0, 2, 100, 150], { numLeaves: 3 });
    expect([...tree.splitFeature]).toEqual([0, 1]);
    expect([...tree.leftChild]).toEqual([-1, -2]);
    expect([...tree.rightChild]).toEqual([1, -3]);
    expect([...tree.leafValue]).toEqual([1, 100, 150]);
  });

  it('obeys minDataInLeaf, maxDepth, numLeaves and minGainToSplit', () => {
    const inputs = normalMatrix(200, 5, 1);
    const data = { inputs, targets: column(bentTargets(inputs, 2)) };
    const shape = (changes: Partial<LeafwiseParameters>) =>
      boosted(data, { ...FREE, numLeaves: 64, ...changes }).trees[0];
    expect(Math.min(...(shape({ minDataInLeaf: 15 })?.leafCount ?? []))).toBeGreaterThanOrEqual(15);
    expect(shape({ maxDepth: 2 })?.leafValue.length).toBe(4);
    expect(shape({ numLeaves: 7 })?.leafValue.length).toBe(7);
    const least = Math.min(...(shape({ minGainToSplit: 50 })?.splitGain ?? []));
    expect(least).toBeGreaterThan(50);
  });

  it('is a constant where nothing can be split', () => {
    const { tree, predict } = grow([[1], [1]], [2, 4]);
    expect(tree.leftChild.length).toBe(0);
    expect(predict([5])).toBe(3);
  });

  it('agrees with itself whether children are summed or subtracted', () => {
    const inputs = normalMatrix(300, 4, 3);
    const targets = bentTargets(inputs, 4);
    const weights = Float64Array.from(targets, (_, row) => 0.5 + (row % 3));
    const model = boosted({ inputs, targets: column(targets), weights }, { ...FREE, numLeaves: 40 });
    const [tree] = model.trees;
    const predicted = model.predict(inputs);
    for (const [leaf, value] of (tree?.leafValue ?? []).entries()) {
      const inLeaf = [...predicted.keys()].filter((row) => predicted[row] === value);
      const mass = inLeaf.reduce((sum, row) => sum + (weights[row] ?? 0), 0);
      const mean = inLeaf.reduce((sum, row) => sum + (weights[row] ?? 0) * (targets[row] ?? 0), 0) / mass;
      expect(value).toBeCloseTo(mean, 9);
      expect(tree?.leafWeight[leaf]).toBeCloseTo(mass, 9);
      expect(tree?.leafCount[leaf]).toBe(inLeaf.length);
    }
  });
});

describe('missing values', () => {
  it('go to the side where they fit, learnt for each node', () => {
    const rows = [[1], [2], [8], [9], [NaN_], [NaN_]];
    expect(grow(rows, [0, 0, 9, 9, 0, 0], { numLeaves: 2 }).predict([NaN_])).toBe(0);
    expect(grow(rows, [0, 0, 9, 9, 9, 9], { numLeaves: 2 }).predict([NaN_])).toBe(9);
  });

  it('can be parted from all numbers', () => {
    const { predict } = grow([[1], [2], [NaN_], [NaN_]], [1, 1, 7, 7], { numLeaves: 2 });
    expect([predict([1]), predict([1e9]), predict([NaN_])]).toEqual([1, 1, 7]);
  });

  it('count as 0 in a column that had none in training', () => {
    const { predict } = grow([[-1], [1]], [3, 5], { numLeaves: 2 });
    expect(predict([NaN_])).toBe(predict([0]));
  });
});

describe('categorical columns', () => {
  const free = { numLeaves: 2, catSmooth: 0, catL2: 0 };

  it('are split by sets of categories, whatever the order of their codes', () => {
    const rows = [0, 1, 2, 3, 4, 5].flatMap((code) => [[code], [code]]);
    const high = new Set([1, 4, 5]);
    const { tree, predict } = grow(
      rows,
      rows.map(([code = 0]) => (high.has(code) ? 20 : 10)),
      free,
      [0],
    );
    for (let code = 0; code < 6; code++) expect(predict([code])).toBe(high.has(code) ? 20 : 10);
    expect(tree.splitGain[0]).toBeCloseTo(12 * 25, 9);
  });

  it('are tried one against the rest when few', () => {
    const { tree, predict } = grow([[0], [1], [2]], [1, 9, 1], free, [0]);
    expect([predict([0]), predict([1]), predict([2])]).toEqual([1, 9, 1]);
    expect(tree.decisionType[0] ?? 0).toBe(9);
  });

  it('send missing and unknown categories right', () => {
    const { tree, predict } = grow([[0], [0], [40], [40]], [1, 1, 9, 9], free, [0]);
    const right = tree.leafValue[1];
    expect([predict([NaN_]), predict([7]), predict([1000])]).toEqual([right, right, right]);
  });
});

describe('boosting', () => {
  const inputs = normalMatrix(240, 8, 5);
  const targets = bentTargets(inputs, 6);
  const data = { inputs, targets: column(targets) };
  const held = { inputs: normalMatrix(200, 8, 7), targets: column(bentTargets(normalMatrix(200, 8, 7), 8)) };

  it('lowers the training loss with every tree', () => {
    const { trainingLoss } = boosted(data, LEAFWISE_DEFAULTS);
    for (let tree = 1; tree < trainingLoss.length; tree++) {
      expect(trainingLoss[tree] ?? 0).toBeLessThanOrEqual(trainingLoss[tree - 1] ?? 0);
    }
    expect(trainingLoss.at(-1)).toBeLessThan(0.2 * (trainingLoss[0] ?? 0));
  });

  it.each(OBJECTIVES)('%s lowers its own loss on rows it has not seen', (objective) => {
    const alpha = objective === 'quantile' ? 0.7 : 2;
    const parameters = { ...LEAFWISE_DEFAULTS, objective, alpha, numIterations: 60 };
    const { validationLoss } = boosted(data, parameters, 1, held);
    const drop = (validationLoss[0] ?? 0) - (validationLoss.at(-1) ?? 0);
    expect(drop).toBeGreaterThan(
      0.1 * Math.abs(validationLoss[0] ?? 0) * (objective === 'tweedie' ? 0.01 : 1),
    );
  });

  it('covers the share of rows that a quantile promises', () => {
    for (const alpha of [0.2, 0.8]) {
      const parameters = { ...LEAFWISE_DEFAULTS, objective: 'quantile' as const, alpha, numIterations: 30 };
      const predicted = boosted(data, parameters).predict(inputs);
      const below = targets.filter((target, row) => target <= (predicted[row] ?? 0)).length / targets.length;
      expect(Math.abs(below - alpha)).toBeLessThan(0.1);
    }
  });

  it('predicts positive means with Tweedie', () => {
    const parameters = { ...LEAFWISE_DEFAULTS, objective: 'tweedie' as const };
    const predicted = boosted(data, parameters).predict(held.inputs);
    expect(Math.min(...predicted)).toBeGreaterThan(0);
  });

  it('stops early and keeps the trees up to the best', () => {
    const parameters = {
      ...LEAFWISE_DEFAULTS,
      numIterations: 500,
      learningRate: 0.3,
      earlyStoppingRound: 10,
    };
    const { trees, validationLoss } = boosted(data, parameters, 1, held);
    expect(trees.length).toBeLessThan(490);
    expect(validationLoss.length).toBe(trees.length + 10);
    expect(validationLoss.indexOf(Math.min(...validationLoss))).toBe(trees.length - 1);
  });

  it('gives the same trees for a seed and others for another', () => {
    const parameters = {
      ...LEAFWISE_DEFAULTS,
      featureFraction: 0.5,
      baggingFraction: 0.6,
      baggingFreq: 2,
      extraTrees: true,
    };
    const run = (seed: number) => boosted(data, parameters, seed).trees;
    expect(run(3)).toEqual(run(3));
    expect(run(3)).not.toEqual(run(4));
  });

  it('uses only the columns a tree may use', () => {
    const parameters = { ...LEAFWISE_DEFAULTS, featureFraction: 0.25, numIterations: 20 };
    for (const tree of boosted(data, parameters).trees) {
      expect(new Set(tree.splitFeature).size).toBeLessThanOrEqual(2);
    }
  });

  it('treats a weight of two as a row given twice', () => {
    const twice = { rows: 480, columns: 8, data: Float64Array.from([...inputs.data, ...inputs.data]) };
    const plain = {
      ...LEAFWISE_DEFAULTS,
      minDataInLeaf: 1,
      minDataInBin: 1,
      numIterations: 10,
      maxBin: 1000,
      numLeaves: 8,
    };
    const a = boosted({ inputs: twice, targets: column([...targets, ...targets]) }, plain);
    const b = boosted({ ...data, weights: new Float64Array(240).fill(2) }, plain);
    const expected = a.predict(held.inputs);
    b.predict(held.inputs).forEach((value, row) => {
      expect(value).toBeCloseTo(expected[row] ?? 0, 8);
    });
  });

  it('refuses what does not fit', () => {
    const negative = { inputs, targets: column(targets.map((value) => value - 1000)) };
    expect(() => boosted(negative, { ...LEAFWISE_DEFAULTS, objective: 'tweedie' })).toThrow(
      /targets of 0 or more/,
    );
    expect(() => boosted({ inputs, targets: column(targets.slice(1)) }, LEAFWISE_DEFAULTS)).toThrow(
      /240 rows of inputs but 239 of targets/,
    );
  });
});

describe('the weighted quantile', () => {
  it('interpolates between values and follows their weights', () => {
    expect(quantile(Float64Array.of(1, 2, 3), null, 0.5)).toBe(2);
    expect(quantile(Float64Array.of(4, 1), null, 0.5)).toBe(2.5);
    expect(quantile(Float64Array.of(1, 2, 3), Float64Array.of(1, 1, 1000), 0.5)).toBeCloseTo(3, 2);
    expect(quantile(Float64Array.of(5, 6), null, 0.01)).toBe(5);
    expect(quantile(Float64Array.of(5, 6), null, 0.99)).toBe(6);
  });
});
