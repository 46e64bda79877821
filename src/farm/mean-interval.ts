import { studentReach } from '../ground/student-t.ts';
import { meanVariance, type SamplingDesign } from './mean-variance.ts';
import type { ResidualVariances } from './residual-variances.ts';

/** A part of a variance, with how well it is known. */
export interface VariancePart {
  readonly variance: number;
  /** Degrees of freedom, at least 1. */
  readonly freedom: number;
}

/**
 * Half the width of the interval of a mean whose variance has independent parts: Student's, with the degrees of freedom
 * of their sum by Satterthwaite (Biometrics Bulletin 2, 1946).
 */
export function halfWidthOf(parts: readonly VariancePart[], coverage: number): number {
  const whole = parts.reduce((sum, { variance }) => sum + variance, 0);
  const squares = parts.reduce((sum, { variance, freedom }) => sum + variance ** 2 / freedom, 0);
  const freedom = squares > 0 ? Math.max(1, whole ** 2 / squares) : Number.POSITIVE_INFINITY;
  return studentReach(coverage, freedom) * Math.sqrt(whole);
}

/**
 * The parts of the variance of a visit's mean with their degrees of freedom: those of sessions and of photos from the
 * run's record, those of frames from the visit's own.
 *
 * @param design of two frames or more
 */
export function partsOfMean(design: SamplingDesign, variances: ResidualVariances): VariancePart[] {
  const { session, photos, frames } = meanVariance(design, variances);
  return [
    { variance: session, freedom: variances.sessions },
    { variance: photos, freedom: Math.max(1, variances.photos - variances.sessions) },
    { variance: frames, freedom: design.frames - 1 },
  ];
}
