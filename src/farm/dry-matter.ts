import { gramsToKilogramsPerHectare } from '../pasture/units.ts';

/** Dry matter of a frame, g: (gross − bag) × dry / wet of the sub-sample (Cibo Labs; MLA, pasture cuts and estimations). */
export function dryGrams(
  { grossGrams, bagGrams }: { readonly grossGrams: number; readonly bagGrams: number },
  fraction: number,
): number {
  return (grossGrams - bagGrams) * fraction;
}

/**
 * What a bag that was weighed as sward adds, kg DM/ha: 50 g at 16 % dry matter on 0.25 m² are 320.
 *
 * @param fraction dry matter of the sward, 0 to 1
 */
export function bagKgDmPerHa(bagGrams: number, fraction: number, frameAreaSquareMetres: number): number {
  return gramsToKilogramsPerHectare(bagGrams * fraction, frameAreaSquareMetres);
}

/**
 * A change by so much of the wet sub-sample is none: 0.002 of dry matter, 1 % of the answer at 20 %. MLA dries until the
 * weight does not change, which scales decide; the Government of Saskatchewan's microwave method stops at 1 g of 100 g.
 */
const CONSTANT_SHARE = 0.002;

export const HOUR_MILLISECONDS = 3_600_000;
/** In an oven before the first dry weight (MLA). */
export const FEWEST_OVEN_HOURS = 12;
/** And from there to the second. */
const HOURS_BETWEEN = 2;

/** A weight with when it was read. */
export interface TimedWeight {
  readonly milliseconds: number;
  readonly grams: number;
}

/**
 * Whether a sub-sample has come to constant weight: it was weighed after at least 12 hours in the oven and again at least
 * 2 hours later (MLA), and lost or gained no more than 0.2 % of its wet weight. Microwaved samples are weighed after each
 * round; hours say nothing of them.
 */
export function isConstant(
  before: TimedWeight,
  last: TimedWeight,
  drying: { readonly method: 'oven' | 'microwave'; readonly begunMilliseconds: number },
  wetGrams: number,
): boolean {
  // Differences of decimal fractions leave digits that no scale has shown.
  const same = Math.abs(last.grams - before.grams) <= CONSTANT_SHARE * wetGrams + 1e-9;
  if (drying.method === 'microwave') return same;
  const long = before.milliseconds - drying.begunMilliseconds >= FEWEST_OVEN_HOURS * HOUR_MILLISECONDS;
  return same && long && last.milliseconds - before.milliseconds >= HOURS_BETWEEN * HOUR_MILLISECONDS;
}
