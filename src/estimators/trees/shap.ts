import { ShapeError } from '../../ground/errors.ts';
import type { Matrix } from '../../ground/matrix.ts';
import {
  type CatBoostModel,
  missingPasses,
  type ObliviousTree,
  passes,
  treeMatrix,
} from './catboost-model.ts';
import { type LightGbmModel, requireColumns, treesOf } from './lightgbm-model.ts';
import { goesLeft, type Tree } from './tree.ts';

/** What each feature adds to each row's score, on top of what the model expects of any row. */
export interface Explanation {
  /** [rows, features]; rows sum to score − expected. */
  readonly contributions: Matrix;
  /** Mean score over the training rows, as the trees' counts know it. */
  readonly expected: number;
}

/** A step on the way to a leaf: a question, the answer that leads on, and the share of training rows that gave it. */
interface Step {
  readonly question: number;
  readonly feature: number;
  readonly answer: boolean;
  readonly share: number;
}

interface Leaf {
  readonly value: number;
  readonly steps: readonly Step[];
}

/** A tree as a list of its leaves, and what a row answers to a question. */
interface AskedTree {
  readonly leaves: readonly Leaf[];
  readonly answer: (row: number, question: number) => boolean;
}

/**
 * Exact Shapley values of a LightGBM model's scores, with the expectation that follows the trees' own counts
 * where a feature is unknown (Lundberg et al. 2020, path-dependent TreeSHAP). Time grows with leaves · depth².
 *
 * @param output which of the model's outputs is explained
 * @throws ShapeError when the inputs are too narrow or there is no such output
 */
export function explainLightGbm(model: LightGbmModel, inputs: Matrix, output = 0): Explanation {
  requireOutput(output, model.outputs);
  requireColumns(model, inputs);
  const { trees, share } = treesOf(model, output);
  const asked = trees.map((tree) => ({
    leaves: leafwiseLeaves(tree, 0, []),
    answer: (row: number, node: number): boolean =>
      goesLeft(tree, node, inputs.data[row * inputs.columns + (tree.splitFeature[node] as number)] as number),
  }));
  return explain(asked, inputs.rows, model.featureNames.length, share, 0);
}

/**
 * The same for one output of a CatBoost model, over the columns of the original inputs: tests of a category
 * and of its statistics count for the category. Leaf weights stand for counts.
 *
 * @throws ShapeError when the inputs are too narrow or there is no such output
 */
export function explainCatBoost(model: CatBoostModel, inputs: Matrix, output = 0): Explanation {
  requireOutput(output, model.bias.length);
  const seen = treeMatrix(model, inputs);
  const missing = missingPasses(model);
  const origin = originalColumns(model);
  const asked = model.trees.map((tree) => ({
    leaves: obliviousLeaves(tree, origin, output, model.bias.length),
    answer(row: number, level: number): boolean {
      const { column = 0, border = 0 } = tree.splits[level] ?? {};
      return passes(seen.data[row * seen.columns + column] as number, border, missing[column]);
    },
  }));
  return explain(asked, inputs.rows, inputs.columns, model.scale, model.bias[output] as number);
}

/** Original input column of each column of the trees' matrix. */
function originalColumns({ floats, categories, statistics }: CatBoostModel): number[] {
  return [
    ...floats.map(({ flatIndex }) => flatIndex),
    ...categories.flatMap(({ flatIndex, oneHot }) => oneHot.map(() => flatIndex)),
    ...statistics.map(({ category }) => categories[category]?.flatIndex ?? 0),
  ];
}

function explain(
  trees: readonly AskedTree[],
  rows: number,
  columns: number,
  scale: number,
  bias: number,
): Explanation {
  const data = new Float64Array(rows * columns);
  let expected = 0;
  for (const { leaves, answer } of trees) {
    for (const { value, steps } of leaves) {
      expected += value * steps.reduce((product, { share }) => product * share, 1);
      const features = [...new Set(steps.map(({ feature }) => feature))];
      const places = steps.map(({ feature }) => features.indexOf(feature));
      const unknown = new Float64Array(features.length).fill(1);
      steps.forEach(({ share }, at) => {
        const place = places[at] as number;
        unknown[place] = (unknown[place] as number) * share;
      });
      const known = new Float64Array(features.length);
      for (let row = 0; row < rows; row++) {
        known.fill(1);
        steps.forEach((step, at) => {
          if (answer(row, step.question) !== step.answer) known[places[at] as number] = 0;
        });
        addLeaf(value * scale, features, known, unknown, data.subarray(row * columns, (row + 1) * columns));
      }
    }
  }
  return { contributions: { rows, columns, data }, expected: bias + scale * expected };
}

/**
 * Shapley values of one leaf. Knowing a feature multiplies the leaf's weight by o (1 when all its steps are
 * taken, else 0), not knowing it by z (the share of rows that take them). With the polynomial Π (z + o·t)
 * over the other features, coefficient k sums the weights of all sets of k known features.
 */
function addLeaf(
  value: number,
  features: readonly number[],
  known: Float64Array,
  unknown: Float64Array,
  into: Float64Array,
): void {
  const count = features.length;
  const sums = new Float64Array(count);
  for (let own = 0; own < count; own++) {
    const difference = (known[own] as number) - (unknown[own] as number);
    if (difference === 0) continue;
    sums.fill(0);
    sums[0] = 1;
    let degree = 0;
    for (let other = 0; other < count; other++) {
      if (other === own) continue;
      const z = unknown[other] as number;
      const o = known[other] as number;
      degree++;
      for (let k = degree; k >= 0; k--) {
        sums[k] = (sums[k] as number) * z + (k > 0 ? (sums[k - 1] as number) * o : 0);
      }
    }
    let weighted = 0;
    // k!(n − 1 − k)!/n!, from one k to the next.
    let orders = 1 / count;
    for (let k = 0; k < count; k++) {
      weighted += (sums[k] as number) * orders;
      orders *= (k + 1) / (count - 1 - k);
    }
    const feature = features[own] as number;
    into[feature] = (into[feature] as number) + difference * weighted * value;
  }
}

/** The leaves under a node of a leaf-wise tree; questions are its inner nodes. */
function leafwiseLeaves(tree: Tree, node: number, steps: readonly Step[]): Leaf[] {
  if (tree.leftChild.length === 0) return [{ value: tree.leafValue[0] as number, steps }];
  if (node < 0) return [{ value: tree.leafValue[-1 - node] as number, steps }];
  const left = tree.leftChild[node] as number;
  const right = tree.rightChild[node] as number;
  const countOf = (child: number): number =>
    (child < 0 ? tree.leafCount[-1 - child] : tree.internalCount[child]) as number;
  const count = countOf(left) + countOf(right);
  const share = count > 0 ? countOf(left) / count : 0.5;
  const step = { question: node, feature: tree.splitFeature[node] as number };
  return [
    ...leafwiseLeaves(tree, left, [...steps, { ...step, answer: true, share }]),
    ...leafwiseLeaves(tree, right, [...steps, { ...step, answer: false, share: 1 - share }]),
  ];
}

/** The leaves of a symmetric tree with their values of one output; questions are its levels. */
function obliviousLeaves(
  { splits, leafValues, leafWeights }: ObliviousTree,
  origin: readonly number[],
  output: number,
  outputs: number,
): Leaf[] {
  // Weight of the leaves that share their first so many answers, by those answers' bits.
  const covers = [leafWeights];
  for (let half = leafWeights.length / 2; half >= 1; half /= 2) {
    const [below = leafWeights] = covers;
    covers.unshift(below.slice(0, half).map((weight, node) => weight + (below[node + half] as number)));
  }
  const weightUnder = (leaf: number, answers: number): number =>
    covers[answers]?.[leaf & ((1 << answers) - 1)] ?? 0;
  return Array.from(leafWeights, (_, leaf) => ({
    value: leafValues[leaf * outputs + output] as number,
    steps: splits.map(({ column }, level) => {
      const all = weightUnder(leaf, level);
      return {
        question: level,
        feature: origin[column] as number,
        answer: ((leaf >> level) & 1) === 1,
        // Where no training row has been, neither side is more likely.
        share: all > 0 ? weightUnder(leaf, level + 1) / all : 0.5,
      };
    }),
  }));
}

function requireOutput(output: number, outputs: number): void {
  if (Number.isInteger(output) && output >= 0 && output < outputs) return;
  throw new ShapeError(`the model has ${outputs} outputs, not one numbered ${output}`);
}
