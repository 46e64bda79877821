import type { RandomStream } from '../../ground/random.ts';

/** A sorted sample of `fraction` of the numbers 0 … count − 1, without replacement; at least one of them. */
export function drawSample(count: number, fraction: number, random: RandomStream): Int32Array<ArrayBuffer> {
  const all = Int32Array.from({ length: count }, (_, item) => item);
  if (fraction >= 1) return all;
  const wanted = Math.min(count, Math.max(1, Math.round(count * fraction)));
  for (let at = 0; at < wanted; at++) {
    const other = at + random.integer(count - at);
    const item = all[at] as number;
    all[at] = all[other] as number;
    all[other] = item;
  }
  return all.slice(0, wanted).sort();
}

/** Bayesian bootstrap weights (−ln u)^temperature: exponential at temperature 1, all 1 at 0 (CatBoost). */
export function bayesianWeights(rows: number, temperature: number, random: RandomStream): Float64Array {
  return Float64Array.from({ length: rows }, () => (-Math.log(1 - random.uniform())) ** temperature);
}
