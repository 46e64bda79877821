/**
 * A binary decision tree in the layout of LightGBM's files. Children ≥ 0 are inner nodes, children < 0 are
 * leaves: child −1 − l is leaf l. A tree of one leaf has no inner node.
 */
export interface Tree {
  readonly splitFeature: Int32Array;
  readonly splitGain: Float64Array;
  /** Numeric nodes: x ≤ threshold goes left. Categorical nodes: which set of `catBoundaries` goes left. */
  readonly threshold: Float64Array;
  /** Bits: 1 categorical, 2 missing goes left, 4 zero is missing, 8 NaN is missing. */
  readonly decisionType: Uint8Array;
  readonly leftChild: Int32Array;
  readonly rightChild: Int32Array;
  readonly leafValue: Float64Array;
  /** Sum of second derivatives in each leaf. */
  readonly leafWeight: Float64Array;
  readonly leafCount: Float64Array;
  /** What each inner node would predict were it a leaf. */
  readonly internalValue: Float64Array;
  readonly internalWeight: Float64Array;
  readonly internalCount: Float64Array;
  /** Set s is the words `catBoundaries[s]` … `catBoundaries[s + 1]` of `catThreshold`. */
  readonly catBoundaries: Int32Array;
  /** Bit sets of category codes, 32 to a word. */
  readonly catThreshold: Uint32Array;
  /** The learning rate the leaves have been multiplied with. */
  readonly shrinkage: number;
}

export const CATEGORICAL = 1;
export const DEFAULT_LEFT = 2;
export const ZERO_IS_MISSING = 4;
export const NAN_IS_MISSING = 8;

/** Numbers this close to 0 are 0 to LightGBM: 1e−35 in single precision. */
const ZERO_WIDTH = 1.0000000180025095e-35;

/**
 * Whether a value goes left at an inner node, by LightGBM's rules: a NaN where NaN is not a missing value
 * counts as 0; a missing value takes the default side; else x ≤ threshold goes left. A category goes left
 * when its code is in the node's set; NaN, negative and unknown codes go right.
 */
export function goesLeft(tree: Tree, node: number, value: number): boolean {
  const type = tree.decisionType[node] as number;
  const threshold = tree.threshold[node] as number;
  if (type & CATEGORICAL) return value >= 0 && setHolds(tree, threshold, Math.trunc(value));
  const isNotNumber = Number.isNaN(value);
  const number = isNotNumber && !(type & NAN_IS_MISSING) ? 0 : value;
  const missing =
    type & NAN_IS_MISSING ? isNotNumber : type & ZERO_IS_MISSING ? Math.abs(number) <= ZERO_WIDTH : false;
  return missing ? (type & DEFAULT_LEFT) !== 0 : number <= threshold;
}

/** The leaf that a row of features falls into. */
export function leafOf(tree: Tree, data: Float64Array, offset: number): number {
  if (tree.leftChild.length === 0) return 0;
  let node = 0;
  while (node >= 0) {
    const value = data[offset + (tree.splitFeature[node] as number)] as number;
    node = (goesLeft(tree, node, value) ? tree.leftChild[node] : tree.rightChild[node]) as number;
  }
  return -1 - node;
}

/** A tree with every leaf and inner value multiplied by `factor`, then raised by `offset`. */
export function scaleTree(tree: Tree, factor: number, offset = 0): Tree {
  const change = (value: number): number => value * factor + offset;
  return {
    ...tree,
    leafValue: tree.leafValue.map(change),
    internalValue: tree.internalValue.map(change),
    shrinkage: tree.shrinkage * factor,
  };
}

function setHolds(tree: Tree, set: number, code: number): boolean {
  const from = tree.catBoundaries[set] as number;
  const word = from + Math.floor(code / 32);
  if (word >= (tree.catBoundaries[set + 1] as number)) return false;
  return (((tree.catThreshold[word] as number) >>> (code % 32)) & 1) === 1;
}
