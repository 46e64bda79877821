import { ShapeError } from '../../ground/errors.ts';
import type { Matrix } from '../../ground/matrix.ts';
import { type CatBoostModel, missingRule, treeMatrix } from './catboost-model.ts';
import type { LightGbmModel } from './lightgbm-model.ts';
import type { MissingRule, ObliviousTree } from './oblivious-tree.ts';
import { goesLeft, type Tree } from './tree.ts';

/** What each feature adds to each row's score, on top of what the model expects of any row. */
export interface Explanation {
  /** [rows, features]; rows sum to score − expected. */
  readonly contributions: Matrix;
  /** Mean score over the training rows, as the trees' counts know it. */
  readonly expected: number;
}

/** A step on the way to a leaf: the feature asked, the share of rows that take it, and whether this row does. */
interface Step {
  readonly feature: number;
  readonly share: number;
  readonly taken: boolean;
}

/** Receives every leaf of a tree with the steps that lead to it. */
type LeafVisitor = (value: number, steps: readonly Step[]) => void;

/**
 * Exact Shapley values of a LightGBM model's scores, with the expectation that follows the trees' own counts
 * where a feature is unknown (Lundberg et al. 2020, path-dependent TreeSHAP). Time grows with leaves · depth².
 *
 * @param output which of the model's outputs is explained
 * @throws ShapeError when the inputs are too narrow or there is no such output
 */
export function explainLightGbm(model: LightGbmModel, inputs: Matrix, output = 0): Explanation {
  requireOutput(output, model.outputs);
  const width = model.featureNames.length;
  if (inputs.columns < width) {
    throw new ShapeError(`the model reads ${width} columns, the inputs have ${inputs.columns}`);
  }
  const trees = model.trees.filter((_, index) => index % model.outputs === output);
  const share = model.averageOutput && trees.length > 0 ? 1 / trees.length : 1;
  return explain(inputs.rows, width, share, 0, (row, visit) => {
    for (const tree of trees) {
      const start = row * inputs.columns;
      walk(tree, 0, (feature) => inputs.data[start + feature] as number, [], visit);
    }
  });
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
  const origin = originalColumns(model);
  const covers = model.trees.map(levelCovers);
  const missing = missingRule(model);
  return explain(inputs.rows, inputs.columns, model.scale, model.bias[output] as number, (row, visit) => {
    model.trees.forEach((tree, index) => {
      const passes = levelsPassed(tree, seen, row, missing);
      walkOblivious(tree, covers[index] ?? [], passes, origin, output, model.bias.length, visit);
    });
  });
}

/** Original input column of each column of the trees' matrix. */
export function originalColumns({ floats, categories, statistics }: CatBoostModel): number[] {
  return [
    ...floats.map(({ flatIndex }) => flatIndex),
    ...categories.flatMap(({ flatIndex, oneHot }) => oneHot.map(() => flatIndex)),
    ...statistics.map(({ category }) => categories[category]?.flatIndex ?? 0),
  ];
}

function explain(
  rows: number,
  columns: number,
  scale: number,
  bias: number,
  visitLeaves: (row: number, visit: LeafVisitor) => void,
): Explanation {
  const data = new Float64Array(rows * columns);
  let expected = 0;
  for (let row = 0; row < rows; row++) {
    let rowExpected = 0;
    visitLeaves(row, (value, steps) => {
      rowExpected += value * steps.reduce((product, { share }) => product * share, 1);
      addLeaf(value * scale, steps, data, row * columns);
    });
    expected = bias + scale * rowExpected;
  }
  return { contributions: { rows, columns, data }, expected };
}

/**
 * Shapley values of one leaf. Knowing a feature multiplies the leaf's weight by o (1 when all its steps are
 * taken, else 0), not knowing it by z (the share of rows that take them). With the polynomial Π (z + o·t)
 * over the other features, coefficient k sums the weights of all sets of k known features.
 */
function addLeaf(value: number, steps: readonly Step[], into: Float64Array, offset: number): void {
  const features: number[] = [];
  const known: number[] = [];
  const unknown: number[] = [];
  for (const { feature, share, taken } of steps) {
    let at = features.indexOf(feature);
    if (at < 0) {
      at = features.push(feature) - 1;
      known.push(1);
      unknown.push(1);
    }
    if (!taken) known[at] = 0;
    unknown[at] = (unknown[at] as number) * share;
  }
  const count = features.length;
  for (let own = 0; own < count; own++) {
    const difference = (known[own] as number) - (unknown[own] as number);
    if (difference === 0) continue;
    const sums = new Float64Array(count);
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
    const at = offset + (features[own] as number);
    into[at] = (into[at] as number) + difference * weighted * value;
  }
}

function walk(
  tree: Tree,
  node: number,
  featureValue: (feature: number) => number,
  steps: readonly Step[],
  visit: LeafVisitor,
): void {
  if (tree.leftChild.length === 0 || node < 0) {
    visit(tree.leafValue[tree.leftChild.length === 0 ? 0 : -1 - node] as number, steps);
    return;
  }
  const feature = tree.splitFeature[node] as number;
  const left = tree.leftChild[node] as number;
  const right = tree.rightChild[node] as number;
  const isLeft = goesLeft(tree, node, featureValue(feature));
  const leftCount = countOf(tree, left);
  const rightCount = countOf(tree, right);
  const share = leftCount + rightCount > 0 ? leftCount / (leftCount + rightCount) : 0.5;
  walk(tree, left, featureValue, [...steps, { feature, share, taken: isLeft }], visit);
  walk(tree, right, featureValue, [...steps, { feature, share: 1 - share, taken: !isLeft }], visit);
}

function countOf(tree: Tree, child: number): number {
  return (child < 0 ? tree.leafCount[-1 - child] : tree.internalCount[child]) as number;
}

/** Weight under each node of each level, a node's number being the bits of the tests passed so far. */
function levelCovers({ splits, leafWeights }: ObliviousTree): Float64Array[] {
  const levels = [leafWeights];
  for (let depth = splits.length - 1; depth >= 0; depth--) {
    const below = levels[0] as Float64Array;
    const half = 1 << depth;
    levels.unshift(
      Float64Array.from(
        { length: half },
        (_, node) => (below[node] as number) + (below[node + half] as number),
      ),
    );
  }
  return levels;
}

function levelsPassed(
  { splits }: ObliviousTree,
  seen: Matrix,
  row: number,
  { missingPasses }: MissingRule,
): boolean[] {
  return splits.map(({ column, border }) => {
    const value = seen.data[row * seen.columns + column] as number;
    return value > border || (Number.isNaN(value) && missingPasses[column] === true);
  });
}

function walkOblivious(
  { splits, leafValues }: ObliviousTree,
  covers: readonly Float64Array[],
  passes: readonly boolean[],
  origin: readonly number[],
  output: number,
  outputs: number,
  visit: LeafVisitor,
): void {
  const descend = (depth: number, node: number, steps: readonly Step[]): void => {
    const split = splits[depth];
    if (!split) {
      visit(leafValues[node * outputs + output] as number, steps);
      return;
    }
    const feature = origin[split.column] ?? 0;
    const own = covers[depth]?.[node] ?? 0;
    for (const passed of [false, true]) {
      const child = passed ? node | (1 << depth) : node;
      // Where no training row has been, neither side is more likely.
      const share = own > 0 ? (covers[depth + 1]?.[child] ?? 0) / own : 0.5;
      descend(depth + 1, child, [...steps, { feature, share, taken: passes[depth] === passed }]);
    }
  };
  descend(0, 0, []);
}

function requireOutput(output: number, outputs: number): void {
  if (Number.isInteger(output) && output >= 0 && output < outputs) return;
  throw new ShapeError(`the model has ${outputs} outputs, not one numbered ${output}`);
}
