import type { RandomStream } from '../../ground/random.ts';
import { type BinnedMatrix, binCount, type ColumnBins } from './bins.ts';
import type { LeafwiseParameters } from './boost-settings.ts';
import { sampler } from './boosting.ts';
import { WANTED } from './column-space.ts';
import type { ColumnTeam, SearchedNode } from './column-team.ts';
import type { Derivatives } from './histogram.ts';
import { type BestSplit, leafOutput, type NodeSums, noSplit, without } from './split.ts';
import { CATEGORICAL, DEFAULT_LEFT, NAN_IS_MISSING, type Tree } from './tree.ts';

/** A grown tree and where its training rows are. */
export interface GrownTree {
  readonly tree: Tree;
  /** Rows it has learnt from in the order of the leaves, until the next tree grows: leaf l holds `[from, to)`. */
  readonly rows: Int32Array;
  /** In the same way the rows it has not. */
  readonly others: Int32Array;
  readonly leaves: readonly LeafRows[];
}

/** Places of a leaf's rows in the lists. */
interface LeafRows {
  readonly from: number;
  readonly to: number;
  readonly othersFrom: number;
  readonly othersTo: number;
}

interface Leaf extends LeafRows {
  readonly depth: number;
  readonly sums: NodeSums;
  /** Its histogram of the team's; null where it cannot be split. */
  histogram: number | null;
  best: BestSplit;
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

/** What a tree learns from: rows, those it does not see, columns it may use; all ascending. */
export interface TreeDraw {
  readonly bag: Int32Array;
  readonly others: Int32Array;
  readonly columns: Int32Array;
}

/**
 * What grows trees leaf by leaf, always splitting the leaf that gains most (Ke et al. 2017, LightGBM). The
 * smaller child's histogram is summed from its rows, the larger one's is what the node's leaves.
 */
export function leafwiseGrower(
  binned: BinnedMatrix,
  derivatives: Derivatives,
  rules: LeafwiseParameters,
  team: ColumnTeam,
): (draw: TreeDraw, random: RandomStream) => GrownTree {
  const divide = divider(binned);
  const wanted = wantedColumns(binned, rules);
  const canSplit = (sums: NodeSums, depth: number): boolean =>
    sums.count >= 2 * rules.minDataInLeaf &&
    sums.hessian >= 2 * rules.minSumHessian &&
    (rules.maxDepth <= 0 || depth < rules.maxDepth);
  const unseen = new Int32Array(binned.rows);
  return ({ bag, others: notInBag, columns }, random) => {
    const rows = team.listed.subarray(0, bag.length);
    rows.set(bag);
    const others = unseen.subarray(0, notInBag.length);
    others.set(notInBag);
    team.begin(columns);
    const searched = (sums: NodeSums, splits: boolean): SearchedNode | null =>
      splits ? { sums, wanted: wanted(columns, random) } : null;

    const sums = sumRows(rows, derivatives);
    const splits = rules.numLeaves > 1 && canSplit(sums, 0);
    const found = splits ? team.step(0, rows.length, null, searched(sums, true), null) : null;
    const root: Leaf = {
      from: 0,
      to: rows.length,
      othersFrom: 0,
      othersTo: others.length,
      depth: 0,
      sums,
      histogram: found?.histogram ?? null,
      best: found?.child ?? noSplit(),
      parent: null,
      side: 'left',
    };
    const leaves = [root];
    const nodes: InnerNode[] = [];
    while (leaves.length < rules.numLeaves) {
      const chosen = richestLeaf(leaves);
      if (chosen < 0) break;
      const leaf = leaves[chosen] as Leaf;
      const { from, to, othersFrom, othersTo, best } = leaf;
      const parent: InnerNode = { split: leaf, left: 0, right: 0 };
      link(leaf, nodes.push(parent) - 1);
      const middle = divide(rows, from, to, best);
      const othersMiddle = divide(others, othersFrom, othersTo, best);
      const depth = leaf.depth + 1;
      const left: Leaf = {
        from,
        to: middle,
        othersFrom,
        othersTo: othersMiddle,
        depth,
        sums: best.left,
        histogram: null,
        best: noSplit(),
        parent,
        side: 'left',
      };
      const right: Leaf = {
        from: middle,
        to,
        othersFrom: othersMiddle,
        othersTo,
        depth,
        sums: without(leaf.sums, best.left),
        histogram: null,
        best: noSplit(),
        parent,
        side: 'right',
      };
      leaves[chosen] = left;
      leaves.push(right);
      const wantsMore = leaves.length < rules.numLeaves;
      const askLeft = searched(left.sums, wantsMore && canSplit(left.sums, depth));
      const askRight = searched(right.sums, wantsMore && canSplit(right.sums, depth));
      if (leaf.histogram === null) continue;
      if (!askLeft && !askRight) {
        team.free(leaf.histogram);
        continue;
      }
      const leftIsSmall = middle - from <= to - middle;
      const [small, large] = leftIsSmall ? [left, right] : [right, left];
      const [askSmall, askLarge] = leftIsSmall ? [askLeft, askRight] : [askRight, askLeft];
      const found = team.step(small.from, small.to, leaf.histogram, askSmall, askLarge);
      const keep = (child: Leaf, histogram: number, best: BestSplit): void => {
        child.best = best;
        // One that is not to be split frees its histogram, and so does one that gains nothing by a split.
        if (best.column >= 0) child.histogram = histogram;
        else team.free(histogram);
      };
      keep(small, found.histogram, found.child);
      keep(large, leaf.histogram, found.other);
    }
    leaves.forEach((leaf, index) => {
      link(leaf, -1 - index);
    });
    return { tree: treeOf(nodes, leaves, binned, rules), rows, others, leaves };
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

/** What a node wants of each of the tree's columns. */
type Wanting = (columns: Int32Array, random: RandomStream) => Int32Array;

/**
 * What tells what nodes want: a draw of the tree's columns where they may not use all, and a bound drawn for each where
 * trees are extremely randomised.
 */
function wantedColumns(
  { columns: bins }: BinnedMatrix,
  { featureFractionByNode, extraTrees }: LeafwiseParameters,
): Wanting {
  const all = new Int32Array(bins.length).fill(WANTED.all);
  if (featureFractionByNode >= 1 && !extraTrees) return () => all;
  return (columns, random) => {
    const wanted = new Int32Array(columns.length).fill(WANTED.none);
    for (const index of sampler(columns.length, featureFractionByNode)(random).drawn) {
      wanted[index] = WANTED.all;
    }
    if (!extraTrees) return wanted;
    columns.forEach((column, index) => {
      const own = bins[column] as ColumnBins;
      if (wanted[index] === WANTED.none || own.kind !== 'numeric') return;
      const bounds = own.bounds.length;
      if (bounds > 0 || own.missing === 'last') wanted[index] = random.integer(Math.max(1, bounds));
    });
    return wanted;
  };
}

function sumRows(rows: Int32Array, { gradients, hessians }: Derivatives): NodeSums {
  let gradient = 0;
  let hessian = 0;
  for (let at = 0; at < rows.length; at++) {
    const row = rows[at] as number;
    gradient += gradients[row] as number;
    hessian += hessians ? (hessians[row] as number) : 1;
  }
  return { gradient, hessian, count: rows.length };
}

/** What puts the rows of a list that go left first, keeping their order, and returns where the right ones begin. */
function divider({
  bins,
  rows: rowCount,
  columns,
}: BinnedMatrix): (list: Int32Array, from: number, to: number, split: BestSplit) => number {
  const onRight = new Int32Array(rowCount);
  /** 1 for each bin that goes left. */
  const sides = new Uint8Array(columns.reduce((most, column) => Math.max(most, binCount(column)), 0));
  return (list, from, to, split) => {
    if (from === to) return from;
    const column = columns[split.column] as ColumnBins;
    sides.fill(0, 0, binCount(column));
    if (column.kind === 'categorical') for (const bin of split.leftBins ?? []) sides[bin] = 1;
    else {
      sides.fill(1, 0, split.bin + 1);
      if (column.missing === 'last') sides[column.bounds.length + 1] = split.missingLeft ? 1 : 0;
    }
    const start = split.column * rowCount;
    let left = from;
    let right = 0;
    for (let at = from; at < to; at++) {
      const row = list[at] as number;
      const isLeft = sides[bins[start + row] as number] as number;
      // Written on both sides: a branch would be guessed wrong every other time.
      list[left] = row;
      onRight[right] = row;
      left += isLeft;
      right += 1 - isLeft;
    }
    for (let at = 0; at < right; at++) list[left + at] = onRight[at] as number;
    return left;
  };
}

function treeOf(
  nodes: readonly InnerNode[],
  leaves: readonly Leaf[],
  { columns }: BinnedMatrix,
  { lambdaL1, lambdaL2, minGainToSplit }: LeafwiseParameters,
): Tree {
  const inner = nodes.length;
  const output = ({ sums }: Leaf): number => leafOutput(sums.gradient, sums.hessian, lambdaL1, lambdaL2);
  const boundaries = [0];
  const words: number[] = [];
  const tree = {
    splitFeature: new Int32Array(inner),
    splitGain: new Float64Array(inner),
    threshold: new Float64Array(inner),
    decisionType: new Uint8Array(inner),
    leftChild: new Int32Array(inner),
    rightChild: new Int32Array(inner),
    leafValue: new Float64Array(leaves.length),
    leafWeight: new Float64Array(leaves.length),
    leafCount: new Float64Array(leaves.length),
    internalValue: new Float64Array(inner),
    internalWeight: new Float64Array(inner),
    internalCount: new Float64Array(inner),
    shrinkage: 1,
  };
  nodes.forEach(({ split, left, right }, node) => {
    const { best, sums } = split;
    const bins = columns[best.column] as ColumnBins;
    tree.splitFeature[node] = best.column;
    tree.splitGain[node] = best.gain + minGainToSplit;
    tree.leftChild[node] = left;
    tree.rightChild[node] = right;
    tree.internalValue[node] = output(split);
    tree.internalWeight[node] = sums.hessian;
    tree.internalCount[node] = sums.count;
    if (bins.kind === 'categorical') {
      words.push(...bitSet((best.leftBins ?? []).map((bin) => bins.codes[bin - 1] as number)));
      tree.threshold[node] = boundaries.push(words.length) - 2;
      tree.decisionType[node] = CATEGORICAL | NAN_IS_MISSING;
      return;
    }
    // A bound after the last numbers parts them from the missing.
    tree.threshold[node] = bins.bounds[best.bin] ?? Number.MAX_VALUE;
    const missing = NAN_IS_MISSING | (best.missingLeft ? DEFAULT_LEFT : 0);
    tree.decisionType[node] = bins.missing === 'last' ? missing : DEFAULT_LEFT;
  });
  leaves.forEach((leaf, index) => {
    tree.leafValue[index] = output(leaf);
    tree.leafWeight[index] = leaf.sums.hessian;
    tree.leafCount[index] = leaf.sums.count;
  });
  return { ...tree, catBoundaries: new Int32Array(boundaries), catThreshold: new Uint32Array(words) };
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
