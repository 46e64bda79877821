import type { HeightMethod } from './covariates.ts';

/** Heights of one place by two methods, centimetres. */
export interface HeightPair {
  readonly from: number;
  readonly to: number;
}

/** What heights by one method are by another: a line fitted to places measured by both. */
export interface HeightConversion {
  readonly from: HeightMethod;
  readonly to: HeightMethod;
  /** Centimetres. */
  readonly intercept: number;
  readonly slope: number;
  /** Root mean square error of a place predicted by the line through the others, centimetres. */
  readonly error: number;
  readonly pairs: number;
  /** Between these heights (by `from`, centimetres) it was fitted. */
  readonly low: number;
  readonly high: number;
}

/** Fewer pairs tell no line that others could be trusted to lie on. */
export const LEAST_PAIRS = 8;

/** Beyond the heights of the pairs a line is followed by this share of their range. */
const BEYOND = 0.1;

/**
 * The line of least squares through pairs, with its leave-one-out error (residual / (1 − leverage)).
 *
 * @returns in words why there is none
 */
export function fitHeightConversion(
  pairs: readonly HeightPair[],
  from: HeightMethod,
  to: HeightMethod,
): HeightConversion | string {
  const count = pairs.length;
  if (count < LEAST_PAIRS) return 'are too few pairs to fit a conversion to';
  const meanOf = (pick: (pair: HeightPair) => number): number =>
    pairs.reduce((sum, pair) => sum + pick(pair), 0) / count;
  const [x, y] = [meanOf((pair) => pair.from), meanOf((pair) => pair.to)];
  const spread = meanOf((pair) => (pair.from - x) ** 2);
  const slope = meanOf((pair) => (pair.from - x) * (pair.to - y)) / spread;
  if (!(slope > 0)) return 'tell no conversion: the heights do not rise together';
  const squares = meanOf((pair) => {
    const leverage = (1 + (pair.from - x) ** 2 / spread) / count;
    return ((pair.to - y - slope * (pair.from - x)) / (1 - leverage)) ** 2;
  });
  const heights = pairs.map((pair) => pair.from);
  return {
    from,
    to,
    intercept: y - slope * x,
    slope,
    error: Math.sqrt(squares),
    pairs: count,
    low: Math.min(...heights),
    high: Math.max(...heights),
  };
}

/** A height by the other method, centimetres; null where nothing like it was among the pairs. */
export function convertedHeight(
  { intercept, slope, low, high }: HeightConversion,
  centimetres: number,
): number | null {
  const margin = BEYOND * (high - low);
  if (centimetres < low - margin || centimetres > high + margin) return null;
  return Math.max(0, intercept + slope * centimetres);
}
