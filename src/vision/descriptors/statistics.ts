/** Sum over count, added up in order. */
export function meanOf(values: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] as number;
  return sum / values.length;
}

/** Mean, standard deviation (population) and third standardised moment (0 for a constant list) of a list. */
export interface Moments {
  readonly mean: number;
  readonly deviation: number;
  readonly skewness: number;
}

/** Sums of powers of a list's distances from `origin`, which lies among the values: its moments without a second pass. */
export function momentsFromSums(
  count: number,
  origin: number,
  { sum, squares, cubes }: { readonly sum: number; readonly squares: number; readonly cubes: number },
): Moments {
  const mean = sum / count;
  const variance = Math.max(0, squares / count - mean * mean);
  const deviation = Math.sqrt(variance);
  const third = cubes / count - 3 * mean * (squares / count) + 2 * mean * mean * mean;
  return { mean: origin + mean, deviation, skewness: deviation < 1e-9 ? 0 : third / deviation ** 3 };
}

/** Mean and standard deviation (population) of a list. */
export function momentsOf(values: Float32Array): Pick<Moments, 'mean' | 'deviation'> {
  const origin = values[0] ?? 0;
  // Two of each sum: an addition waits for the one before it.
  let sum = 0;
  let squares = 0;
  let otherSum = 0;
  let otherSquares = 0;
  for (let i = 0; i + 1 < values.length; i += 2) {
    const apart = (values[i] as number) - origin;
    const otherApart = (values[i + 1] as number) - origin;
    sum += apart;
    squares += apart * apart;
    otherSum += otherApart;
    otherSquares += otherApart * otherApart;
  }
  if (values.length % 2 === 1) {
    const apart = (values[values.length - 1] as number) - origin;
    sum += apart;
    squares += apart * apart;
  }
  const sums = { sum: sum + otherSum, squares: squares + otherSquares, cubes: 0 };
  return momentsFromSums(values.length, origin, sums);
}

const CELLS = 1024;

/**
 * Quantiles by a histogram of 1024 cells between `low` and `high`, linear within a cell; values beyond count
 * at the ends. Much cheaper than sorting a million pixels, and independent of their order.
 */
export function quantilesOf(
  values: Float32Array,
  low: number,
  high: number,
  shares: readonly number[],
): number[] {
  const scale = CELLS / (high - low);
  const counts = histogramOf(values, low, scale);
  return shares.map((share) => {
    const wanted = share * values.length;
    let below = 0;
    for (let cell = 0; cell < CELLS; cell++) {
      const inside = counts[cell] as number;
      if (below + inside >= wanted && inside > 0) {
        return low + (cell + (wanted - below) / inside) / scale;
      }
      below += inside;
    }
    return high;
  });
}

/** A function by itself, as what a closure shares with a loop is fetched from memory at every turn. */
function histogramOf(values: Float32Array, low: number, scale: number): Int32Array {
  const counts = new Int32Array(CELLS);
  for (let i = 0; i < values.length; i++) {
    const cell = Math.min(CELLS - 1, Math.max(0, (((values[i] as number) - low) * scale) | 0));
    counts[cell] = (counts[cell] as number) + 1;
  }
  return counts;
}

/** Shannon entropy of counts, in bits, divided by the largest it can be: 0 to 1. */
export function evennessOf(counts: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < counts.length; i++) total += counts[i] as number;
  if (total <= 0 || counts.length < 2) return 0;
  let entropy = 0;
  for (let i = 0; i < counts.length; i++) {
    const share = (counts[i] as number) / total;
    if (share > 0) entropy -= share * Math.log2(share);
  }
  return entropy / Math.log2(counts.length);
}
