import type { CategoricalBins } from './bins.ts';
import type { LeafwiseParameters } from './boost-settings.ts';
import type { SearchRules } from './column-space.ts';

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

/** Products below this may have lost digits to underflow. */
const SMALLEST_SAFE = 1e-280;
/** What rounding may change of a product of a few numbers, and much more. */
const ROUNDING = 1e-9;

/**
 * Looks for a bound of a numeric column whose gain (left + right − node) beats `best`. Of equal gains the
 * first column and lowest bound stay. Rows that miss the value are tried on both sides.
 *
 * @param numbers memory in which bin b has its gradients' sum at `start + 2b`, its Hessians' beside it, and its number
 *   of rows at `counts + b`; without counts (−1) Hessians are all 1
 * @param bounds number of bounds; the bin after the last one is that of missing values, if there is one
 * @param only the only bound to try; −1: all
 */
export function searchNumeric(
  best: BestSplit,
  numbers: Float64Array,
  start: number,
  counts: number,
  column: number,
  bounds: number,
  hasMissing: boolean,
  node: NodeSums,
  rules: SearchRules,
  only: number,
): void {
  if (bounds === 0 && !hasMissing) return;
  scan(best, numbers, start, counts, column, bounds, hasMissing, false, node, rules, only);
  if (hasMissing) scan(best, numbers, start, counts, column, bounds, true, true, node, rules, only);
}

function scan(
  best: BestSplit,
  numbers: Float64Array,
  start: number,
  counts: number,
  column: number,
  bounds: number,
  hasMissing: boolean,
  missingLeft: boolean,
  node: NodeSums,
  { lambdaL1, lambdaL2, minDataInLeaf, minSumHessian, minGainToSplit }: SearchRules,
  only: number,
): void {
  const { gradient: nodeGradient, hessian: nodeHessian, count: nodeCount } = node;
  let gradient = 0;
  let hessian = 0;
  let count = 0;
  if (missingLeft) {
    const cell = start + 2 * (bounds + 1);
    gradient = numbers[cell] as number;
    hessian = numbers[cell + 1] as number;
    count = counts < 0 ? hessian : (numbers[counts + bounds + 1] as number);
    if (count === 0) return;
  }
  const own = leafGain(nodeGradient, nodeHessian, lambdaL1, lambdaL2) + minGainToSplit;
  let bestGain = best.gain;
  let goal = (bestGain + own) * (1 - ROUNDING);
  let bestBin = -1;
  let bestGradient = 0;
  let bestHessian = 0;
  let bestCount = 0;
  // With missing rows on the right, the last bin may stand alone against them.
  const last = hasMissing && !missingLeft ? bounds : bounds - 1;
  for (let bin = 0; bin <= last; bin++) {
    const cell = start + 2 * bin;
    const inBin = (counts < 0 ? numbers[cell + 1] : numbers[counts + bin]) as number;
    // A bound above an empty bin parts the rows as the bound before did.
    if (inBin === 0 && bin !== only) continue;
    gradient += numbers[cell] as number;
    hessian += numbers[cell + 1] as number;
    count += inBin;
    if (count < minDataInLeaf || hessian < minSumHessian) continue;
    const otherHessian = nodeHessian - hessian;
    if (nodeCount - count < minDataInLeaf || otherHessian < minSumHessian) break;
    if (only >= 0 && bin !== only) continue;
    const otherGradient = nodeGradient - gradient;
    let gain: number;
    if (lambdaL1 === 0) {
      // Most bounds gain too little, which products tell in a fraction of the time that two divisions take.
      const below = hessian + lambdaL2;
      const above = otherHessian + lambdaL2;
      const square = gradient * gradient;
      const otherSquare = otherGradient * otherGradient;
      const needed = goal * below * above;
      if (square * above + otherSquare * below < needed && needed > SMALLEST_SAFE) continue;
      gain = square / below + otherSquare / above - own;
    } else {
      gain =
        leafGain(gradient, hessian, lambdaL1, lambdaL2) +
        leafGain(otherGradient, otherHessian, lambdaL1, lambdaL2) -
        own;
    }
    if (gain > bestGain) {
      bestGain = gain;
      goal = (bestGain + own) * (1 - ROUNDING);
      bestBin = bin;
      bestGradient = gradient;
      bestHessian = hessian;
      bestCount = count;
    }
  }
  if (bestBin < 0) return;
  best.gain = bestGain;
  best.column = column;
  best.bin = bestBin;
  best.missingLeft = missingLeft;
  best.leftBins = null;
  best.left = { gradient: bestGradient, hessian: bestHessian, count: bestCount };
}

/**
 * Looks for a set of categories whose gain beats `best`. Few categories are tried one against the rest; many
 * are sorted by G / (H + catSmooth), and prefixes of that order from either end are tried (Fisher 1958; Ke
 * et al. 2017, LightGBM). Bin 0, the missing and rare, always goes right. Numbers lie as in {@link searchNumeric}.
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
  const own = leafGain(node.gradient, node.hessian, rules.lambdaL1, rules.lambdaL2) + rules.minGainToSplit;
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
