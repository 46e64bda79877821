import type { RandomStream } from '../../ground/random.ts';
import type { CategoricalBins, NumericBins } from './bins.ts';
import type { LeafwiseParameters } from './boost-settings.ts';
import type { Histogram } from './histogram.ts';

/** Sums over the rows of a node. */
export interface NodeSums {
  readonly gradient: number;
  readonly hessian: number;
  readonly count: number;
}

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

const NOTHING: NodeSums = { gradient: 0, hessian: 0, count: 0 };

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

/**
 * Looks for a bound of a numeric column whose gain (left + right − node) beats `best`. Of equal gains the
 * first column and lowest bound stay. Rows that miss the value are tried on both sides.
 */
export function searchNumeric(
  best: BestSplit,
  histogram: Histogram,
  start: number,
  column: number,
  bins: NumericBins,
  node: NodeSums,
  rules: LeafwiseParameters,
  random: RandomStream,
): void {
  const bounds = bins.bounds.length;
  if (bounds === 0 && bins.missing !== 'last') return;
  const only = rules.extraTrees ? random.integer(Math.max(1, bounds)) : -1;
  scan(best, histogram, start, column, bounds, bins.missing === 'last', false, node, rules, only);
  if (bins.missing === 'last') {
    scan(best, histogram, start, column, bounds, true, true, node, rules, only);
  }
}

function scan(
  best: BestSplit,
  { sums, counts }: Histogram,
  start: number,
  column: number,
  bounds: number,
  hasMissing: boolean,
  missingLeft: boolean,
  node: NodeSums,
  rules: LeafwiseParameters,
  only: number,
): void {
  const { lambdaL1, lambdaL2, minDataInLeaf, minSumHessian } = rules;
  let gradient = 0;
  let hessian = 0;
  let count = 0;
  if (missingLeft) {
    const cell = start + bounds + 1;
    gradient = sums[2 * cell] as number;
    hessian = sums[2 * cell + 1] as number;
    count = counts ? (counts[cell] as number) : hessian;
    if (count === 0) return;
  }
  const own = leafGain(node.gradient, node.hessian, lambdaL1, lambdaL2) + rules.minGainToSplit;
  let bestGain = best.gain;
  let bestBin = -1;
  let bestGradient = 0;
  let bestHessian = 0;
  let bestCount = 0;
  // With missing rows on the right, the last bin may stand alone against them.
  const last = hasMissing && !missingLeft ? bounds : bounds - 1;
  for (let bin = 0; bin <= last; bin++) {
    const cell = start + bin;
    const inBin = (counts ? counts[cell] : sums[2 * cell + 1]) as number;
    // A bound above an empty bin parts the rows as the bound before did.
    if (inBin === 0 && bin !== only) continue;
    gradient += sums[2 * cell] as number;
    hessian += sums[2 * cell + 1] as number;
    count += inBin;
    if (count < minDataInLeaf || hessian < minSumHessian) continue;
    const otherHessian = node.hessian - hessian;
    if (node.count - count < minDataInLeaf || otherHessian < minSumHessian) break;
    if (only >= 0 && bin !== only) continue;
    const otherGradient = node.gradient - gradient;
    const gain =
      lambdaL1 === 0
        ? (gradient * gradient) / (hessian + lambdaL2) +
          (otherGradient * otherGradient) / (otherHessian + lambdaL2) -
          own
        : leafGain(gradient, hessian, lambdaL1, lambdaL2) +
          leafGain(otherGradient, otherHessian, lambdaL1, lambdaL2) -
          own;
    if (gain > bestGain) {
      bestGain = gain;
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
 * et al. 2017, LightGBM). Bin 0, the missing and rare, always goes right.
 */
export function searchCategorical(
  best: BestSplit,
  { sums, counts }: Histogram,
  start: number,
  column: number,
  bins: CategoricalBins,
  node: NodeSums,
  rules: LeafwiseParameters,
): void {
  const sumsOf = (bin: number): NodeSums => {
    const cell = start + bin;
    const hessian = sums[2 * cell + 1] as number;
    return {
      gradient: sums[2 * cell] as number,
      hessian,
      count: counts ? (counts[cell] as number) : hessian,
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
