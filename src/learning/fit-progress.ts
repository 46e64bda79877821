import type { FitContext } from './estimator.ts';

/**
 * What a part of a fit tells how far it is: the part goes from the share `from` of the whole to the share `to`.
 * Nothing where nobody listens.
 */
export function reachedWithin(
  { reached }: Pick<FitContext, 'reached'>,
  from: number,
  to: number,
): Pick<FitContext, 'reached'> {
  return reached ? { reached: (share) => reached(from + share * (to - from)) } : {};
}
