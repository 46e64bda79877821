/** Shares of one half of a row are rounding; without slack 0.9 × 10 would count as more than 9. */
const SLACK = 1e-9;

/**
 * The smallest value that a share of at least `level` of all values do not exceed: the ⌈level · n⌉-th smallest.
 * Levels above 1 give the largest.
 *
 * @throws RangeError for no values
 */
export function orderStatistic(values: Float64Array, level: number): number {
  if (values.length === 0) throw new RangeError('no values have no quantile');
  const rank = Math.ceil(level * values.length - SLACK);
  return values.toSorted()[Math.max(1, Math.min(values.length, rank)) - 1] as number;
}

/** As {@link orderStatistic} where each value counts by its weight. */
export function weightedOrderStatistic(
  values: readonly { readonly value: number; readonly weight: number }[],
  level: number,
): number {
  const sorted = values.toSorted((a, b) => a.value - b.value);
  const last = sorted.at(-1);
  if (last === undefined) throw new RangeError('no values have no quantile');
  const total = sorted.reduce((sum, { weight }) => sum + weight, 0);
  let reached = 0;
  for (const { value, weight } of sorted) {
    reached += weight;
    if (reached >= level * total - SLACK) return value;
  }
  return last.value;
}
