import type { RandomStream } from '../../ground/random.ts';
import type { BinnedMatrix, ColumnBins } from './bins.ts';
import type { LeafwiseParameters } from './boost-settings.ts';
import { drawSample } from './boosting.ts';
import { WANTED } from './column-space.ts';
import type { ColumnTeam, SearchedNode } from './column-team.ts';
import type { Derivatives } from './histogram.ts';
import { type BestSplit, leafOutput, type NodeSums, noSplit, without } from './split.ts';
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
  /** Its histogram of the team's; null where it cannot be split. */
  readonly histogram: number | null;
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
 * @param bag rows to learn from
 * @param columns columns the tree may use, ascending
 */
export function growLeafwise(
  binned: BinnedMatrix,
  derivatives: Derivatives,
  bag: Int32Array,
  columns: Int32Array,
  rules: LeafwiseParameters,
  random: RandomStream,
  team: ColumnTeam,
): GrownTree {
  const rows = team.listed.subarray(0, bag.length);
  rows.set(bag);
  team.begin(columns);
  const scratch = new Int32Array(rows.length);
  const canSplit = (sums: NodeSums, depth: number): boolean =>
    sums.count >= 2 * rules.minDataInLeaf &&
    sums.hessian >= 2 * rules.minSumHessian &&
    (rules.maxDepth <= 0 || depth < rules.maxDepth);
  const searched = (sums: NodeSums, splits: boolean): SearchedNode | null =>
    splits ? { sums, wanted: wantedColumns(binned, columns, rules, random) } : null;

  const sums = sumRows(rows, derivatives);
  const whole = { from: 0, to: rows.length, depth: 0, parent: null, side: 'left', sums } as const;
  const splits = rules.numLeaves > 1 && canSplit(sums, 0);
  const root = splits ? team.step(0, rows.length, null, searched(sums, true), null) : null;
  const leaves: Leaf[] = [{ ...whole, histogram: root?.histogram ?? null, best: root?.child ?? noSplit() }];
  const nodes: InnerNode[] = [];
  while (leaves.length < rules.numLeaves) {
    const chosen = richestLeaf(leaves);
    if (chosen < 0) break;
    const leaf = leaves[chosen] as Leaf;
    const { from, to } = leaf;
    const middle = partition(rows, from, to, binned, leaf.best, scratch);
    const parent: InnerNode = { split: leaf, left: 0, right: 0 };
    link(leaf, nodes.push(parent) - 1);
    const depth = leaf.depth + 1;
    const leftSums = leaf.best.left;
    const rightSums = without(leaf.sums, leftSums);
    const wantsMore = leaves.length + 1 < rules.numLeaves;
    const askLeft = searched(leftSums, wantsMore && canSplit(leftSums, depth));
    const askRight = searched(rightSums, wantsMore && canSplit(rightSums, depth));
    const left = { from, to: middle, depth, parent, side: 'left', sums: leftSums } as const;
    const right = { from: middle, to, depth, parent, side: 'right', sums: rightSums } as const;
    if (leaf.histogram !== null && (askLeft || askRight)) {
      const leftIsSmall = middle - from <= to - middle;
      const [small, askSmall, askLarge] = leftIsSmall
        ? [left, askLeft, askRight]
        : [right, askRight, askLeft];
      const found = team.step(small.from, small.to, leaf.histogram, askSmall, askLarge);
      const kept = (asked: SearchedNode | null, histogram: number, best: BestSplit) => {
        // One that is not to be split frees its histogram, and so does one that gains nothing by a split.
        if (asked && best.column >= 0) return { histogram, best };
        team.free(histogram);
        return { histogram: null, best };
      };
      const smallEnd = kept(askSmall, found.histogram, found.child);
      const largeEnd = kept(askLarge, leaf.histogram, found.other);
      leaves[chosen] = { ...left, ...(leftIsSmall ? smallEnd : largeEnd) };
      leaves.push({ ...right, ...(leftIsSmall ? largeEnd : smallEnd) });
    } else {
      if (leaf.histogram !== null) team.free(leaf.histogram);
      leaves[chosen] = { ...left, histogram: null, best: noSplit() };
      leaves.push({ ...right, histogram: null, best: noSplit() });
    }
  }
  leaves.forEach((leaf, index) => {
    link(leaf, -1 - index);
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

/**
 * What a node wants of each of the tree's columns: a draw of them where it may not use all, and a bound drawn for each
 * where trees are extremely randomised.
 */
function wantedColumns(
  binned: BinnedMatrix,
  columns: Int32Array,
  { featureFractionByNode, extraTrees }: LeafwiseParameters,
  random: RandomStream,
): Int32Array {
  const wanted = new Int32Array(columns.length);
  if (featureFractionByNode < 1) {
    wanted.fill(WANTED.none);
    for (const index of drawSample(columns.length, featureFractionByNode, random)) wanted[index] = WANTED.all;
  } else wanted.fill(WANTED.all);
  if (!extraTrees) return wanted;
  columns.forEach((column, index) => {
    const bins = binned.columns[column] as ColumnBins;
    if (wanted[index] === WANTED.none || bins.kind !== 'numeric') return;
    const bounds = bins.bounds.length;
    if (bounds > 0 || bins.missing === 'last') wanted[index] = random.integer(Math.max(1, bounds));
  });
  return wanted;
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
