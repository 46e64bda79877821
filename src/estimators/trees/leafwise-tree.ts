import type { RandomStream } from '../../ground/random.ts';
import type { BinnedMatrix, ColumnBins } from './bins.ts';
import {
  type Derivatives,
  emptyHistogram,
  fillHistogram,
  type Histogram,
  subtractHistogram,
} from './histogram.ts';
import { drawSample } from './sampling.ts';
import {
  type BestSplit,
  leafOutput,
  type NodeSums,
  noSplit,
  type SplitRules,
  searchCategorical,
  searchNumeric,
} from './split.ts';
import { CATEGORICAL, DEFAULT_LEFT, NAN_IS_MISSING, type Tree } from './tree.ts';

/** What a leaf-wise tree is grown by. */
export interface GrowthRules extends SplitRules {
  readonly numLeaves: number;
  /** 0 or less: no limit. */
  readonly maxDepth: number;
  /** Share of the tree's columns that each node may use. */
  readonly featureFractionByNode: number;
}

/** A grown tree and where its training rows are. */
export interface GrownTree {
  readonly tree: Tree;
  /** Rows in the order of the leaves: leaf l holds `rows[starts[l] … starts[l + 1])`. */
  readonly rows: Int32Array;
  readonly starts: readonly (readonly [number, number])[];
}

interface Leaf {
  readonly from: number;
  readonly to: number;
  readonly depth: number;
  readonly sums: NodeSums;
  readonly histogram: Histogram | null;
  readonly best: BestSplit;
  /** The inner node above, and on which side of it. */
  readonly parent: number;
  readonly isLeft: boolean;
}

/** Histograms handed back by finished nodes, for use by the next ones. */
export type HistogramPool = Histogram[];

/**
 * Grows a tree leaf by leaf, always splitting the leaf that gains most (Ke et al. 2017, LightGBM). The
 * smaller child's histogram is summed from its rows, the larger one's is what the node's leaves.
 *
 * @param rowsInBag rows to learn from; taken over and reordered
 * @param columns columns the tree may use, ascending
 */
export function growLeafwise(
  binned: BinnedMatrix,
  derivatives: Derivatives,
  rowsInBag: Int32Array,
  columns: Int32Array,
  rules: GrowthRules,
  random: RandomStream,
  pool: HistogramPool,
): GrownTree {
  const rows = rowsInBag;
  const ordered = new Float64Array(2 * rows.length);
  const scratch = new Int32Array(rows.length);
  const cells = binned.offsets[binned.columns.length] as number;
  const obtain = (): Histogram => pool.pop() ?? emptyHistogram(cells, derivatives.hessians === null);
  const builder = treeBuilder();
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
    const histogram = obtain();
    fillHistogram(histogram, binned, columns, rows, from, to, derivatives, ordered);
    return histogram;
  };

  const rootSums = sumRows(rows, 0, rows.length, derivatives);
  const rootHistogram = rules.numLeaves > 1 && canSplit(rootSums, 0) ? fill(0, rows.length) : null;
  const leaves: Leaf[] = [
    {
      from: 0,
      to: rows.length,
      depth: 0,
      sums: rootSums,
      histogram: rootHistogram,
      best: rootHistogram ? search(rootHistogram, rootSums) : noSplit(),
      parent: -1,
      isLeft: false,
    },
  ];
  while (leaves.length < rules.numLeaves) {
    const chosen = richestLeaf(leaves);
    if (chosen < 0) break;
    const leaf = leaves[chosen] as Leaf;
    const { best } = leaf;
    const middle = partition(rows, leaf.from, leaf.to, binned, best, scratch);
    const leftSums = best.left;
    const rightSums = {
      gradient: leaf.sums.gradient - leftSums.gradient,
      hessian: leaf.sums.hessian - leftSums.hessian,
      count: leaf.sums.count - leftSums.count,
    };
    const node = builder.addNode(leaf, binned.columns[best.column] as ColumnBins, rules);
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
    const child = (
      from: number,
      to: number,
      sums: NodeSums,
      histogram: Histogram | null,
      splits: boolean,
      isLeft: boolean,
    ): Leaf => ({
      from,
      to,
      depth,
      sums,
      histogram,
      best: histogram && splits ? search(histogram, sums) : noSplit(),
      parent: node,
      isLeft,
    });
    leaves[chosen] = child(leaf.from, middle, leftSums, left, splitLeft, true);
    leaves.push(child(middle, leaf.to, rightSums, right, splitRight, false));
  }
  for (const { histogram } of leaves) if (histogram) pool.push(histogram);
  return { tree: builder.finish(leaves, rules), rows, starts: leaves.map(({ from, to }) => [from, to]) };
}

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

function sumRows(rows: Int32Array, from: number, to: number, { gradients, hessians }: Derivatives): NodeSums {
  let gradient = 0;
  let hessian = 0;
  for (let at = from; at < to; at++) {
    const row = rows[at] as number;
    gradient += gradients[row] as number;
    hessian += hessians ? (hessians[row] as number) : 1;
  }
  return { gradient, hessian, count: to - from };
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

/** Collects inner nodes while a tree grows. Children that are leaves are filled in at the end. */
function treeBuilder() {
  const feature: number[] = [];
  const gain: number[] = [];
  const threshold: number[] = [];
  const type: number[] = [];
  const left: number[] = [];
  const right: number[] = [];
  const sums: NodeSums[] = [];
  const boundaries = [0];
  const words: number[] = [];
  const link = (parent: number, isLeft: boolean, child: number): void => {
    if (parent >= 0) (isLeft ? left : right)[parent] = child;
  };
  return {
    addNode(leaf: Leaf, column: ColumnBins, rules: GrowthRules): number {
      const node = feature.length;
      const { best } = leaf;
      feature.push(best.column);
      gain.push(best.gain + rules.minGainToSplit);
      sums.push(leaf.sums);
      left.push(0);
      right.push(0);
      link(leaf.parent, leaf.isLeft, node);
      if (column.kind === 'categorical') {
        threshold.push(boundaries.length - 1);
        type.push(CATEGORICAL | NAN_IS_MISSING);
        const codes = (best.leftBins ?? []).map((bin) => column.codes[bin - 1] as number);
        const set = bitSet(codes);
        words.push(...set);
        boundaries.push(words.length);
      } else {
        // A bound after the last numbers parts them from the missing.
        threshold.push(column.bounds[best.bin] ?? Number.MAX_VALUE);
        type.push(
          column.missing === 'last' ? NAN_IS_MISSING | (best.missingLeft ? DEFAULT_LEFT : 0) : DEFAULT_LEFT,
        );
      }
      return node;
    },
    finish(leaves: readonly Leaf[], { lambdaL1, lambdaL2 }: GrowthRules): Tree {
      leaves.forEach(({ parent, isLeft }, index) => {
        link(parent, isLeft, -1 - index);
      });
      const output = ({ gradient, hessian }: NodeSums): number =>
        leafOutput(gradient, hessian, lambdaL1, lambdaL2);
      return {
        splitFeature: Int32Array.from(feature),
        splitGain: Float64Array.from(gain),
        threshold: Float64Array.from(threshold),
        decisionType: Uint8Array.from(type),
        leftChild: Int32Array.from(left),
        rightChild: Int32Array.from(right),
        leafValue: Float64Array.from(leaves, (leaf) => output(leaf.sums)),
        leafWeight: Float64Array.from(leaves, (leaf) => leaf.sums.hessian),
        leafCount: Float64Array.from(leaves, (leaf) => leaf.sums.count),
        internalValue: Float64Array.from(sums, output),
        internalWeight: Float64Array.from(sums, ({ hessian }) => hessian),
        internalCount: Float64Array.from(sums, ({ count }) => count),
        catBoundaries: Int32Array.from(boundaries),
        catThreshold: Uint32Array.from(words),
        shrinkage: 1,
      };
    },
  };
}

function bitSet(codes: readonly number[]): number[] {
  const words = new Array<number>(Math.floor(Math.max(0, ...codes) / 32) + 1).fill(0);
  for (const code of codes) {
    const word = Math.floor(code / 32);
    words[word] = ((words[word] ?? 0) | (1 << (code % 32))) >>> 0;
  }
  return words;
}
