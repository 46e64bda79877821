/**
 * Edges of intervals that hold about as many of the values each: the quantiles k/bins. Repeated values (photos
 * without clover) may leave an interval empty.
 *
 * @returns `bins − 1` ascending edges; interval k holds edge k−1 ≤ value < edge k
 */
export function binEdges(values: readonly number[], bins: number): number[] {
  const sorted = [...values].sort((a, b) => a - b);
  return Array.from({ length: bins - 1 }, (_, index) => {
    const position = ((index + 1) / bins) * (sorted.length - 1);
    const below = sorted[Math.floor(position)] ?? 0;
    const above = sorted[Math.ceil(position)] ?? below;
    return below + (above - below) * (position - Math.floor(position));
  });
}

/** The interval a value lies in, from 0. */
export function binOf(value: number, edges: readonly number[]): number {
  const above = edges.findIndex((edge) => value < edge);
  return above < 0 ? edges.length : above;
}
