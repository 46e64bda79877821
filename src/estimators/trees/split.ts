import type { CategoricalBins } from './bins.ts';
import type { LeafwiseParameters } from './boost-settings.ts';

/** Sums over the rows of a node. */
export interface NodeSums {
  readonly gradient: number;
  readonly hessian: number;
  readonly count: number;
}

/** The better of two best splits: of equal gains that of the first column, in whatever order columns were searched. */
export const better = (one: BestSplit, other: BestSplit): BestSplit =>
  other.gain > one.gain || (other.gain === one.gain && other.gain > 0 && other.column < one.column)
    ? other
    : one;

/** The best split found so far, overwritten while searching; `column` is −1 when there is none. */
export interface BestSplit {
  gain: number;
  column: number;
  /** Numeric: bins up to this one go left. */
  bin: number;
  missingLeft: boolean;
  /** Categorical: the bins that go left. */
  leftBins: readonly number[] | null;
  left: NodeSums;
}

/** Sums over the rows of a node that are not among those of one child. */
export const without = (node: NodeSums, child: NodeSums): NodeSums => ({
  gradient: node.gradient - child.gradient,
  hessian: node.hessian - child.hessian,
  count: node.count - child.count,
});

export const NOTHING: NodeSums = { gradient: 0, hessian: 0, count: 0 };

export function noSplit(): BestSplit {
  return { gain: 0, column: -1, bin: 0, missingLeft: false, leftBins: null, left: NOTHING };
}

/** What a leaf lowers the loss by, doubled: (|G| − λ₁)₊² / (H + λ₂). */
function leafGain(gradient: number, hessian: number, lambdaL1: number, lambdaL2: number): number {
  const shrunk = softThreshold(gradient, lambdaL1);
  return (shrunk * shrunk) / (hessian + lambdaL2);
}

/** The value a leaf gets: −sign(G)(|G| − λ₁)₊ / (H + λ₂). */
export function leafOutput(gradient: number, hessian: number, lambdaL1: number, lambdaL2: number): number {
  const value = -softThreshold(gradient, lambdaL1) / (hessian + lambdaL2);
  return Number.isFinite(value) && value !== 0 ? value : 0;
}

/** What a split of a node has to gain more than: what the node itself lowers the loss by, and the least gain. */
export const gainToBeat = ({ gradient, hessian }: NodeSums, rules: LeafwiseParameters): number =>
  leafGain(gradient, hessian, rules.lambdaL1, rules.lambdaL2) + rules.minGainToSplit;

/**
 * Looks for a set of categories whose gain beats `best`. Few categories are tried one against the rest; many
 * are sorted by G / (H + catSmooth), and prefixes of that order from either end are tried (Fisher 1958; Ke
 * et al. 2017, LightGBM). Bin 0, the missing and rare, always goes right.
 *
 * @param numbers memory in which bin b has its gradients' sum at `start + 2b`, its Hessians' beside it, and its number
 *   of rows at `counts + b`; without counts (−1) Hessians are all 1
 */
export function searchCategorical(
  best: BestSplit,
  numbers: Float64Array,
  start: number,
  counts: number,
  column: number,
  bins: CategoricalBins,
  node: NodeSums,
  rules: LeafwiseParameters,
): void {
  const sumsOf = (bin: number): NodeSums => {
    const cell = start + 2 * bin;
    const hessian = numbers[cell + 1] as number;
    return {
      gradient: numbers[cell] as number,
      hessian,
      count: counts < 0 ? hessian : (numbers[counts + bin] as number),
    };
  };
  const present = Array.from(bins.codes, (_, index) => ({ bin: index + 1, ...sumsOf(index + 1) })).filter(
    ({ count }) => count > 0,
  );
  const own = gainToBeat(node, rules);
  const offer = (left: NodeSums, chosen: () => number[], lambdaL2: number): void => {
    const right = without(node, left);
    if (Math.min(left.count, right.count) < rules.minDataInLeaf) return;
    if (Math.min(left.hessian, right.hessian) < rules.minSumHessian) return;
    const gain =
      leafGain(left.gradient, left.hessian, rules.lambdaL1, lambdaL2) +
      leafGain(right.gradient, right.hessian, rules.lambdaL1, lambdaL2) -
      own;
    if (!(gain > best.gain)) return;
    Object.assign(best, { gain, column, bin: 0, missingLeft: false, leftBins: chosen(), left });
  };
  if (present.length <= rules.maxCatToOnehot) {
    for (const one of present) offer(one, () => [one.bin], rules.lambdaL2);
    return;
  }
  const common = present
    .filter(({ count }) => count >= rules.catSmooth)
    .map((item) => ({ ...item, ratio: item.gradient / (item.hessian + rules.catSmooth) }))
    .sort((a, b) => a.ratio - b.ratio || a.bin - b.bin);
  const longest = Math.min(rules.maxCatThreshold, Math.floor((common.length + 1) / 2));
  for (const order of [common, [...common].reverse()]) {
    let left = NOTHING;
    for (const [taken, item] of order.slice(0, longest).entries()) {
      left = {
        gradient: left.gradient + item.gradient,
        hessian: left.hessian + item.hessian,
        count: left.count + item.count,
      };
      offer(left, () => order.slice(0, taken + 1).map(({ bin }) => bin), rules.lambdaL2 + rules.catL2);
    }
  }
}

function softThreshold(gradient: number, lambda: number): number {
  if (lambda === 0) return gradient;
  return Math.sign(gradient) * Math.max(0, Math.abs(gradient) - lambda);
}
