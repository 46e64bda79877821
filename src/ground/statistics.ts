/** Arithmetic mean, summed from the first value on; NaN for no values. */
export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Sum of squared deviations from `centre`. */
export function squaredDeviations(values: readonly number[], centre: number): number {
  return values.reduce((sum, value) => sum + (value - centre) ** 2, 0);
}

/** Mean and sample standard deviation (n − 1) of the finite values; NaN where there are too few. */
export function meanAndDeviation(values: readonly number[]): {
  mean: number;
  deviation: number;
  count: number;
} {
  const finite = values.filter(Number.isFinite);
  const count = finite.length;
  const centre = mean(finite);
  const deviation = count > 1 ? Math.sqrt(squaredDeviations(finite, centre) / (count - 1)) : Number.NaN;
  return { mean: centre, deviation, count };
}

/** Quantile of sorted values by linear interpolation between order statistics; NaN for no values. */
export function quantileSorted(sorted: readonly number[], fraction: number): number {
  const position = fraction * (sorted.length - 1);
  const below = sorted[Math.floor(position)] ?? Number.NaN;
  const above = sorted[Math.ceil(position)] ?? Number.NaN;
  return below + (above - below) * (position - Math.floor(position));
}
