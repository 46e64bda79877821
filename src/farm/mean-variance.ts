import type { VarianceComponents } from '../pasture/intervals/index.ts';

/** How a visit samples a paddock. */
export interface SamplingDesign {
  /** Frames that were photographed, cut or both. */
  readonly frames: number;
  /** How many of them were cut. */
  readonly cuts: number;
  /** How many of the cut ones were photographed first; default all. */
  readonly paired?: number;
  /** Variance between frames of the values that are averaged. */
  readonly spread: number;
}

/**
 * How much of the cuts' mean residual is believed of the whole visit: s²_between / (s²_between + s²_within / m), the best
 * linear prediction of the error that a visit's photos have in common (Searle, Casella & McCulloch 1992, ch. 7).
 *
 * @param cuts how many residuals the mean is of
 */
export function residualShare({ betweenSessions, withinSessions }: VarianceComponents, cuts: number): number {
  if (cuts === 0) return 0;
  const whole = betweenSessions + withinSessions / cuts;
  return whole > 0 ? betweenSessions / whole : 0;
}

/** The variance of a visit's mean, in parts that add up. */
export interface MeanVariance {
  /** What photos of the visit err by in common, after its cuts. No number of photos makes it less. */
  readonly session: number;
  /** What photos that are not cut err by besides. */
  readonly photos: number;
  /** That frames are not the whole paddock. */
  readonly frames: number;
}

/**
 * The variance of the mean of a visit as an estimate of its paddock's. Without cuts σ²_session + (s² + σ²_photo) / n. Of m
 * frames that are cut the photo's error is gone, and by {@link residualShare} w they tell the common one of the others:
 * ((n − m) / n)² (1 − w) σ²_session + (n − m) / n² · σ²_photo + s² / n. With all frames cut it is s² / n, as of any mean of
 * cuts.
 */
export function meanVariance(
  { frames, cuts, paired = cuts, spread }: SamplingDesign,
  variances: VarianceComponents,
): MeanVariance {
  const uncut = (frames - cuts) / frames;
  return {
    session: uncut ** 2 * (1 - residualShare(variances, paired)) * variances.betweenSessions,
    photos: (uncut * variances.withinSessions) / frames,
    frames: spread / frames,
  };
}

/** All parts together. */
export const wholeVariance = ({ session, photos, frames }: MeanVariance): number => session + photos + frames;
