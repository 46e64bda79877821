import type { RandomStream } from '../../ground/random.ts';
import type { BinnedMatrix, ColumnBins } from './bins.ts';
import type { LeafwiseParameters } from './boost-settings.ts';
import { drawSample } from './boosting.ts';
import {
  type Derivatives,
  emptyHistogram,
  fillHistogram,
  type Histogram,
  subtractHistogram,
} from './histogram.ts';
import {
  type BestSplit,
  leafOutput,
  type NodeSums,
  noSplit,
  searchCategorical,
  searchNumeric,
  without,
} from './split.ts';
import { CATEGORICAL, DEFAULT_LEFT, NAN_IS_MISSING, type Tree } from './tree.ts';

/** A grown tree and where its training rows are. */
export interface GrownTree {
  readonly tree: Tree;
  /** Rows in the order of the leaves: leaf l holds `rows[from … to)` of its pair in `starts`. */
  readonly rows: Int32Array;
  readonly starts: readonly (readonly [from: number, to: number])[];
}

interface Leaf {
  readonly from: number;
  readonly to: number;
  readonly depth: number;
  readonly sums: NodeSums;
  readonly histogram: Histogram | null;
  readonly best: BestSplit;
  /** The inner node above, and on which side of it; null for the root. */
  readonly parent: InnerNode | null;
  readonly side: 'left' | 'right';
}

/** A leaf that has been split, and its children's numbers. */
interface InnerNode {
  readonly split: Leaf;
  left: number;
  right: number;
}

/**
 * Grows a tree leaf by leaf, always splitting the leaf that gains most (Ke et al. 2017, LightGBM). The
 * smaller child's histogram is summed from its rows, the larger one's is what the node's leaves.
 *
 * @param rows rows to learn from; taken over and reordered
 * @param columns columns the tree may use, ascending
 * @param pool histograms handed back by finished nodes, for use by the next ones
 */
export function growLeafwise(
  binned: BinnedMatrix,
  derivatives: Derivatives,
  rows: Int32Array,
  columns: Int32Array,
  rules: LeafwiseParameters,
  random: RandomStream,
  pool: Histogram[],
): GrownTree {
  const ordered = new Float64Array(2 * rows.length);
  const scratch = new Int32Array(rows.length);
  const cells = binned.offsets[binned.columns.length] as number;
  const canSplit = (sums: NodeSums, depth: number): boolean =>
    sums.count >= 2 * rules.minDataInLeaf &&
    sums.hessian >= 2 * rules.minSumHessian &&
    (rules.maxDepth <= 0 || depth < rules.maxDepth);
  const search = (histogram: Histogram, sums: NodeSums): BestSplit => {
    const best = noSplit();
    for (const column of nodeColumns(columns, rules.featureFractionByNode, random)) {
      const start = binned.offsets[column] as number;
      const bins = binned.columns[column] as ColumnBins;
      if (bins.kind === 'numeric') searchNumeric(best, histogram, start, column, bins, sums, rules, random);
      else searchCategorical(best, histogram, start, column, bins, sums, rules);
    }
    return best;
  };
  const fill = (from: number, to: number): Histogram => {
    const histogram = pool.pop() ?? emptyHistogram(cells, derivatives.hessians === null);
    fillHistogram(histogram, binned, columns, rows, from, to, derivatives, ordered);
    return histogram;
  };

  const leafOf = (
    place: Pick<Leaf, 'from' | 'to' | 'depth' | 'parent' | 'side'>,
    sums: NodeSums,
    histogram: Histogram | null,
    splits: boolean,
  ): Leaf => ({ ...place, sums, histogram, best: histogram && splits ? search(histogram, sums) : noSplit() });
  const sums = sumRows(rows, derivatives);
  const splits = rules.numLeaves > 1 && canSplit(sums, 0);
  const whole = { from: 0, to: rows.length, depth: 0, parent: null, side: 'left' } as const;
  const leaves = [leafOf(whole, sums, splits ? fill(0, rows.length) : null, splits)];
  const nodes: InnerNode[] = [];
  while (leaves.length < rules.numLeaves) {
    const chosen = richestLeaf(leaves);
    if (chosen < 0) break;
    const leaf = leaves[chosen] as Leaf;
    const middle = partition(rows, leaf.from, leaf.to, binned, leaf.best, scratch);
    const leftSums = leaf.best.left;
    const rightSums = without(leaf.sums, leftSums);
    const parent: InnerNode = { split: leaf, left: 0, right: 0 };
    link(leaf, nodes.push(parent) - 1);
    const depth = leaf.depth + 1;
    const wantsMore = leaves.length + 1 < rules.numLeaves;
    const splitLeft = wantsMore && canSplit(leftSums, depth);
    const splitRight = wantsMore && canSplit(rightSums, depth);
    let left: Histogram | null = null;
    let right: Histogram | null = null;
    if (leaf.histogram && (splitLeft || splitRight)) {
      const leftIsSmall = middle - leaf.from <= leaf.to - middle;
      const small = leftIsSmall ? fill(leaf.from, middle) : fill(middle, leaf.to);
      subtractHistogram(leaf.histogram, small, binned, columns);
      [left, right] = leftIsSmall ? [small, leaf.histogram] : [leaf.histogram, small];
    } else if (leaf.histogram) pool.push(leaf.histogram);
    const { from, to } = leaf;
    leaves[chosen] = leafOf({ from, to: middle, depth, parent, side: 'left' }, leftSums, left, splitLeft);
    leaves.push(leafOf({ from: middle, to, depth, parent, side: 'right' }, rightSums, right, splitRight));
  }
  leaves.forEach((leaf, index) => {
    link(leaf, -1 - index);
    if (leaf.histogram) pool.push(leaf.histogram);
  });
  return {
    tree: treeOf(nodes, leaves, binned, rules),
    rows,
    starts: leaves.map(({ from, to }) => [from, to]),
  };
}

/** Tells the node above a leaf what number the leaf, or the node it has become, has. */
function link({ parent, side }: Leaf, child: number): void {
  if (parent) parent[side] = child;
}

/** The leaf of most gain; −1 where none gains. */
function richestLeaf(leaves: readonly Leaf[]): number {
  let chosen = -1;
  let gain = 0;
  leaves.forEach(({ best }, index) => {
    if (best.column < 0 || !(best.gain > gain)) return;
    chosen = index;
    gain = best.gain;
  });
  return chosen;
}

function nodeColumns(columns: Int32Array, fraction: number, random: RandomStream): Int32Array {
  if (fraction >= 1) return columns;
  return drawSample(columns.length, fraction, random).map((index) => columns[index] as number);
}

function sumRows(rows: Int32Array, { gradients, hessians }: Derivatives): NodeSums {
  let gradient = 0;
  let hessian = 0;
  for (const row of rows) {
    gradient += gradients[row] as number;
    hessian += hessians ? (hessians[row] as number) : 1;
  }
  return { gradient, hessian, count: rows.length };
}

/** Puts the rows that go left first, keeping their order, and returns where the right ones begin. */
function partition(
  rows: Int32Array,
  from: number,
  to: number,
  { bins, rows: rowCount, columns }: BinnedMatrix,
  split: BestSplit,
  scratch: Int32Array,
): number {
  const start = split.column * rowCount;
  const column = columns[split.column] as ColumnBins;
  const missing = column.kind === 'numeric' && column.missing === 'last' ? column.bounds.length + 1 : -1;
  const chosen = split.leftBins ? new Set(split.leftBins) : null;
  let left = from;
  let right = 0;
  for (let at = from; at < to; at++) {
    const row = rows[at] as number;
    const bin = bins[start + row] as number;
    const isLeft = chosen ? chosen.has(bin) : bin === missing ? split.missingLeft : bin <= split.bin;
    if (isLeft) rows[left++] = row;
    else scratch[right++] = row;
  }
  rows.set(scratch.subarray(0, right), left);
  return left;
}

function treeOf(
  nodes: readonly InnerNode[],
  leaves: readonly Leaf[],
  { columns }: BinnedMatrix,
  { lambdaL1, lambdaL2, minGainToSplit }: LeafwiseParameters,
): Tree {
  const splits = nodes.map(({ split }) => ({ ...split, bins: columns[split.best.column] as ColumnBins }));
  const output = ({ sums }: Leaf): number => leafOutput(sums.gradient, sums.hessian, lambdaL1, lambdaL2);
  const boundaries = [0];
  const words: number[] = [];
  const threshold = splits.map(({ best, bins }) => {
    // A bound after the last numbers parts them from the missing.
    if (bins.kind === 'numeric') return bins.bounds[best.bin] ?? Number.MAX_VALUE;
    words.push(...bitSet((best.leftBins ?? []).map((bin) => bins.codes[bin - 1] as number)));
    return boundaries.push(words.length) - 2;
  });
  return {
    splitFeature: Int32Array.from(splits, ({ best }) => best.column),
    splitGain: Float64Array.from(splits, ({ best }) => best.gain + minGainToSplit),
    threshold: Float64Array.from(threshold),
    decisionType: Uint8Array.from(splits, ({ best, bins }) => {
      if (bins.kind === 'categorical') return CATEGORICAL | NAN_IS_MISSING;
      return bins.missing === 'last' ? NAN_IS_MISSING | (best.missingLeft ? DEFAULT_LEFT : 0) : DEFAULT_LEFT;
    }),
    leftChild: Int32Array.from(nodes, ({ left }) => left),
    rightChild: Int32Array.from(nodes, ({ right }) => right),
    leafValue: Float64Array.from(leaves, output),
    leafWeight: Float64Array.from(leaves, ({ sums }) => sums.hessian),
    leafCount: Float64Array.from(leaves, ({ sums }) => sums.count),
    internalValue: Float64Array.from(splits, output),
    internalWeight: Float64Array.from(splits, ({ sums }) => sums.hessian),
    internalCount: Float64Array.from(splits, ({ sums }) => sums.count),
    catBoundaries: Int32Array.from(boundaries),
    catThreshold: Uint32Array.from(words),
    shrinkage: 1,
  };
}

/** Codes as bits, 32 to a word. */
function bitSet(codes: readonly number[]): number[] {
  const words = new Array<number>(Math.floor(Math.max(0, ...codes) / 32) + 1).fill(0);
  for (const code of codes) {
    const word = Math.floor(code / 32);
    words[word] = ((words[word] ?? 0) | (1 << (code % 32))) >>> 0;
  }
  return words;
}
