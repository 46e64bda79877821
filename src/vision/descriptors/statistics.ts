/** Sum over count, added up in order. */
export function meanOf(values: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] as number;
  return sum / values.length;
}

/** Mean and standard deviation (population) of a list. */
export function momentsOf(values: Float32Array): { mean: number; deviation: number } {
  const mean = meanOf(values);
  let squares = 0;
  for (let i = 0; i < values.length; i++) {
    const apart = (values[i] as number) - mean;
    squares += apart * apart;
  }
  return { mean, deviation: Math.sqrt(squares / values.length) };
}

/** Third standardised moment; 0 for a constant list. */
export function skewnessOf(values: Float32Array): number {
  const { mean, deviation } = momentsOf(values);
  if (deviation < 1e-9) return 0;
  let cubes = 0;
  for (let i = 0; i < values.length; i++) {
    const apart = (values[i] as number) - mean;
    cubes += apart * apart * apart;
  }
  return cubes / values.length / deviation ** 3;
}

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
  const cells = 1024;
  const counts = new Float64Array(cells);
  const scale = cells / (high - low);
  for (let i = 0; i < values.length; i++) {
    const cell = Math.min(cells - 1, Math.max(0, ((values[i] as number) - low) * scale)) | 0;
    counts[cell] = (counts[cell] as number) + 1;
  }
  return shares.map((share) => {
    const wanted = share * values.length;
    let below = 0;
    for (let cell = 0; cell < cells; cell++) {
      const inside = counts[cell] as number;
      if (below + inside >= wanted && inside > 0) {
        return low + (cell + (wanted - below) / inside) / scale;
      }
      below += inside;
    }
    return high;
  });
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

/** Pearson's correlation of two lists of one length; 0 where either is constant. */
export function correlationOf(one: Float32Array, other: Float32Array): number {
  const first = momentsOf(one);
  const second = momentsOf(other);
  if (first.deviation < 1e-6 || second.deviation < 1e-6) return 0;
  let sum = 0;
  for (let i = 0; i < one.length; i++) {
    sum += ((one[i] as number) - first.mean) * ((other[i] as number) - second.mean);
  }
  return sum / one.length / (first.deviation * second.deviation);
}
