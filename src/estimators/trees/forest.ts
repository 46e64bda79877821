import type { Matrix } from '../../ground/matrix.ts';
import { CATEGORICAL, leafOf, type Tree, ZERO_IS_MISSING } from './tree.ts';

/**
 * Trees that only ask x ≤ threshold, laid out for speed: the children of a node stand side by side, and a leaf
 * is its own child, so that every row takes the same number of steps in a tree.
 */
interface Forest {
  readonly features: Int32Array;
  readonly thresholds: Float64Array;
  /** The left child; the right one is next to it. */
  readonly children: Int32Array;
  /** Of leaves. */
  readonly values: Float64Array;
  readonly roots: Int32Array;
  readonly depths: Int32Array;
}

/** Rows that go down a tree together, so that the processor need not wait for one before the next. */
const TOGETHER = 4;

/** Prepares trees for use; the function returned adds every tree's leaf values, in order, to `scores`, one a row. */
export function treeAdder(trees: readonly Tree[]): (matrix: Matrix, scores: Float64Array) => void {
  const forest = trees.every(isPlain) ? packForest(trees) : null;
  return (matrix, scores) => {
    const addRow = (row: number): void => {
      let score = scores[row] as number;
      for (const tree of trees) {
        score += tree.leafValue[leafOf(tree, matrix.data, row * matrix.columns)] as number;
      }
      scores[row] = score;
    };
    if (forest) addForest(forest, matrix, scores, addRow);
    else for (let row = 0; row < matrix.rows; row++) addRow(row);
  };
}

/** Whether numbers only ever meet x ≤ threshold. */
function isPlain(tree: Tree): boolean {
  return tree.decisionType.every((type) => !(type & (CATEGORICAL | ZERO_IS_MISSING)));
}

/** Packs trees whose nodes are all numeric. */
function packForest(trees: readonly Tree[]): Forest {
  const nodes = trees.reduce((sum, tree) => sum + tree.leftChild.length + tree.leafValue.length, 0);
  const features = new Int32Array(nodes);
  // No number is above infinity: a leaf always goes left, to itself.
  const thresholds = new Float64Array(nodes).fill(Number.POSITIVE_INFINITY);
  const children = new Int32Array(nodes);
  const values = new Float64Array(nodes);
  const roots = new Int32Array(trees.length);
  const depths = new Int32Array(trees.length);
  let free = 0;
  trees.forEach((tree, index) => {
    const place = (node: number, at: number): number => {
      if (node < 0 || tree.leftChild.length === 0) {
        children[at] = at;
        values[at] = tree.leafValue[node < 0 ? -1 - node : 0] as number;
        return 0;
      }
      features[at] = tree.splitFeature[node] as number;
      // −0 becomes 0, or −0 − 0 would have the sign of x above the threshold.
      thresholds[at] = (tree.threshold[node] as number) + 0;
      const left = free;
      free += 2;
      children[at] = left;
      const leftDepth = place(tree.leftChild[node] as number, left);
      return 1 + Math.max(leftDepth, place(tree.rightChild[node] as number, left + 1));
    };
    roots[index] = free;
    free += 1;
    depths[index] = place(0, roots[index] as number);
  });
  return { features, thresholds, children, values, roots, depths };
}

/**
 * Adds the leaf values of every tree, in order, to `scores`. The host must be little-endian.
 *
 * @param otherwise called for each row that is among others with a number that is not finite
 */
function addForest(
  forest: Forest,
  matrix: Matrix,
  scores: Float64Array,
  otherwise: (row: number) => void,
): void {
  const { rows, columns, data } = matrix;
  const { features, thresholds, children, values, roots, depths } = forest;
  // The sign of threshold − x, read from its bits: a branch would be guessed wrong every other time.
  const distances = new Float64Array(TOGETHER);
  const signs = new Int32Array(distances.buffer);
  for (let row = 0; row < rows; row += TOGETHER) {
    const end = Math.min(row + TOGETHER, rows);
    if (!isAllFinite(data, row * columns, end * columns)) {
      for (let one = row; one < end; one++) otherwise(one);
      continue;
    }
    // The last rows go together with themselves.
    const r0 = row;
    const r1 = Math.min(row + 1, rows - 1);
    const r2 = Math.min(row + 2, rows - 1);
    const r3 = Math.min(row + 3, rows - 1);
    const o0 = r0 * columns;
    const o1 = r1 * columns;
    const o2 = r2 * columns;
    const o3 = r3 * columns;
    let s0 = scores[r0] as number;
    let s1 = scores[r1] as number;
    let s2 = scores[r2] as number;
    let s3 = scores[r3] as number;
    for (let tree = 0; tree < roots.length; tree++) {
      const root = roots[tree] as number;
      let n0 = root;
      let n1 = root;
      let n2 = root;
      let n3 = root;
      for (let step = depths[tree] as number; step > 0; step--) {
        distances[0] = (thresholds[n0] as number) - (data[o0 + (features[n0] as number)] as number);
        distances[1] = (thresholds[n1] as number) - (data[o1 + (features[n1] as number)] as number);
        distances[2] = (thresholds[n2] as number) - (data[o2 + (features[n2] as number)] as number);
        distances[3] = (thresholds[n3] as number) - (data[o3 + (features[n3] as number)] as number);
        n0 = (children[n0] as number) + ((signs[1] as number) >>> 31);
        n1 = (children[n1] as number) + ((signs[3] as number) >>> 31);
        n2 = (children[n2] as number) + ((signs[5] as number) >>> 31);
        n3 = (children[n3] as number) + ((signs[7] as number) >>> 31);
      }
      s0 += values[n0] as number;
      s1 += values[n1] as number;
      s2 += values[n2] as number;
      s3 += values[n3] as number;
    }
    scores[r3] = s3;
    scores[r2] = s2;
    scores[r1] = s1;
    scores[r0] = s0;
  }
}

function isAllFinite(data: Float64Array, from: number, to: number): boolean {
  // 0 · x is NaN for what is not finite. Four sums, since one would wait for itself at every step.
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  let at = from;
  for (; at + 3 < to; at += 4) {
    a += (data[at] as number) * 0;
    b += (data[at + 1] as number) * 0;
    c += (data[at + 2] as number) * 0;
    d += (data[at + 3] as number) * 0;
  }
  for (; at < to; at++) a += (data[at] as number) * 0;
  return a + b + c + d === 0;
}
