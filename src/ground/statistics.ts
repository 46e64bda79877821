/** Mean and sample standard deviation (n − 1) of the finite values; NaN where there are too few. */
export function meanAndDeviation(values: readonly number[]): {
  mean: number;
  deviation: number;
  count: number;
} {
  const finite = values.filter(Number.isFinite);
  const count = finite.length;
  const mean = finite.reduce((sum, value) => sum + value, 0) / count;
  const squares = finite.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return {
    mean: count > 0 ? mean : Number.NaN,
    deviation: count > 1 ? Math.sqrt(squares / (count - 1)) : Number.NaN,
    count,
  };
}

/** Quantile of sorted values by linear interpolation between order statistics; NaN for no values. */
export function quantileSorted(sorted: readonly number[], fraction: number): number {
  const position = fraction * (sorted.length - 1);
  const below = sorted[Math.floor(position)] ?? Number.NaN;
  const above = sorted[Math.ceil(position)] ?? Number.NaN;
  return below + (above - below) * (position - Math.floor(position));
}
