import { describe, expect, it } from 'vitest';
import { type CatBoostModel, predictCatBoost } from '../../../src/estimators/trees/catboost-model.ts';
import { type LightGbmModel, lightGbmPredictor } from '../../../src/estimators/trees/lightgbm-model.ts';
import { trainOblivious } from '../../../src/estimators/trees/oblivious.ts';
import { explainCatBoost, explainLightGbm } from '../../../src/estimators/trees/shap.ts';
import { goesLeft, type Tree } from '../../../src/estimators/trees/tree.ts';
import type { Matrix } from '../../../src/ground/matrix.ts';
import { randomStream } from '../../../src/ground/random.ts';
import {
  bentTargets,
  boosted,
  column,
  LEAFWISE_DEFAULTS,
  normalMatrix,
  OBLIVIOUS_DEFAULTS,
} from './small-data.ts';

/** The expectation of a tree where only the features of `known` are, by following its counts. */
function expectation(tree: Tree, node: number, row: ArrayLike<number>, known: ReadonlySet<number>): number {
  if (tree.leftChild.length === 0) return tree.leafValue[0] ?? 0;
  if (node < 0) return tree.leafValue[-1 - node] ?? 0;
  const feature = tree.splitFeature[node] ?? 0;
  const [left = 0, right = 0] = [tree.leftChild[node], tree.rightChild[node]];
  if (known.has(feature))
    return expectation(tree, goesLeft(tree, node, row[feature] ?? 0) ? left : right, row, known);
  const count = (child: number): number =>
    (child < 0 ? tree.leafCount[-1 - child] : tree.internalCount[child]) ?? 0;
  const share = count(left) / (count(left) + count(right));
  return share * expectation(tree, left, row, known) + (1 - share) * expectation(tree, right, row, known);
}

/** Shapley's formula over all subsets. */
function shapley(value: (known: ReadonlySet<number>) => number, features: number): number[] {
  const factorial = (n: number): number => (n <= 1 ? 1 : n * factorial(n - 1));
  return Array.from({ length: features }, (_, own) => {
    let sum = 0;
    for (let bits = 0; bits < 2 ** features; bits++) {
      if (bits & (1 << own)) continue;
      const known = new Set(
        Array.from({ length: features }, (_, item) => item).filter((item) => bits & (1 << item)),
      );
      const weight = (factorial(known.size) * factorial(features - known.size - 1)) / factorial(features);
      sum += weight * (value(new Set([...known, own])) - value(known));
    }
    return sum;
  });
}

const inputs = normalMatrix(150, 5, 1);
for (let row = 0; row < 150; row++) {
  inputs.data[row * 5 + 4] = row % 7;
  if (row % 4 === 0) inputs.data[row * 5] = Number.NaN;
}
const base = bentTargets(normalMatrix(150, 5, 1), 2);
const targets = base.map((value, row) => value + (row % 7 === 3 ? 15 : 0));
const few: Matrix = { rows: 6, columns: 5, data: inputs.data.slice(0, 30) };

function leafwise(): LightGbmModel {
  const parameters = {
    ...LEAFWISE_DEFAULTS,
    numIterations: 12,
    numLeaves: 9,
    minDataInLeaf: 5,
    catSmooth: 1,
  };
  return boosted({ inputs, targets: column(targets), categorical: [4] }, parameters).model;
}

function oblivious(depth: number): CatBoostModel {
  const both = {
    rows: 150,
    columns: 2,
    data: Float64Array.from([...targets].flatMap((value) => [value, value ** 2 / 20])),
  };
  const parameters = { ...OBLIVIOUS_DEFAULTS, iterations: 10, depth, learningRate: 0.3 };
  return trainOblivious(
    { inputs, targets: both, weights: null, categorical: [4] },
    parameters,
    randomStream(1),
  ).model;
}

describe('SHAP values', () => {
  it('of leaf-wise trees sum to the prediction', () => {
    const model = leafwise();
    const { contributions, expected } = explainLightGbm(model, inputs);
    const predicted = lightGbmPredictor(model)(inputs).data;
    for (let row = 0; row < inputs.rows; row++) {
      const sum = contributions.data
        .subarray(row * 5, row * 5 + 5)
        .reduce((total, value) => total + value, expected);
      expect(sum).toBeCloseTo(predicted[row] ?? 0, 9);
    }
  });

  it('of leaf-wise trees, with missing values and categories, are the brute-force Shapley values', () => {
    const model = leafwise();
    const { contributions, expected } = explainLightGbm(model, few);
    for (let row = 0; row < few.rows; row++) {
      const values = few.data.subarray(row * 5, row * 5 + 5);
      const value = (known: ReadonlySet<number>): number =>
        model.trees.reduce((sum, tree) => sum + expectation(tree, 0, values, known), 0);
      expect(expected).toBeCloseTo(value(new Set()), 9);
      shapley(value, 5).forEach((wanted, feature) => {
        expect(contributions.data[row * 5 + feature]).toBeCloseTo(wanted, 9);
      });
    }
  });

  it.each([2, 5])('of symmetric trees of depth %i sum to the prediction of each output', (depth) => {
    const model = oblivious(depth);
    const predicted = predictCatBoost(model, inputs).data;
    for (const output of [0, 1]) {
      const { contributions, expected } = explainCatBoost(model, inputs, output);
      for (let row = 0; row < inputs.rows; row++) {
        const sum = contributions.data
          .subarray(row * 5, row * 5 + 5)
          .reduce((total, value) => total + value, expected);
        expect(sum).toBeCloseTo(predicted[row * 2 + output] ?? 0, 9);
      }
    }
  });

  it('of symmetric trees are the brute-force Shapley values', () => {
    const complete = normalMatrix(80, 4, 3);
    const data = {
      inputs: complete,
      targets: { rows: 80, columns: 1, data: bentTargets(complete, 4) },
      weights: null,
      categorical: [],
    };
    const { model } = trainOblivious(
      data,
      { ...OBLIVIOUS_DEFAULTS, iterations: 6, depth: 3, learningRate: 0.3 },
      randomStream(1),
    );
    const { contributions, expected } = explainCatBoost(model, complete);
    for (const row of [0, 1, 2, 3, 4]) {
      const at = complete.data.subarray(row * 4, row * 4 + 4).map(Math.fround);
      const value = (known: ReadonlySet<number>): number =>
        model.trees.reduce((sum, { splits, leafValues, leafWeights }) => {
          const under = (node: number, depth: number): number => {
            let total = 0;
            for (let leaf = 0; leaf < leafWeights.length; leaf++) {
              if ((leaf & ((1 << depth) - 1)) === node) total += leafWeights[leaf] ?? 0;
            }
            return total;
          };
          const mean = (node: number, depth: number): number => {
            const split = splits[depth];
            if (!split) return leafValues[node] ?? 0;
            const passed = node | (1 << depth);
            if (known.has(split.column))
              return mean((at[split.column] ?? 0) > split.border ? passed : node, depth + 1);
            const own = under(node, depth);
            const share = own > 0 ? under(passed, depth + 1) / own : 0.5;
            return share * mean(passed, depth + 1) + (1 - share) * mean(node, depth + 1);
          };
          return sum + mean(0, 0);
        }, model.bias[0] ?? 0);
      expect(expected).toBeCloseTo(value(new Set()), 9);
      shapley(value, 4).forEach((wanted, feature) => {
        expect(contributions.data[row * 4 + feature]).toBeCloseTo(wanted, 9);
      });
    }
  });

  it('refuse an output that is not there', () => {
    expect(() => explainLightGbm(leafwise(), few, 1)).toThrow(/has 1 outputs, not one numbered 1/);
  });
});
