import type { FitContext } from './estimator.ts';

/**
 * What a part of a fit tells how far it is: the part goes from the share `from` of the whole to the share `to`.
 * Nothing where nobody asked.
 */
export function progressWithin(
  { onProgress }: Pick<FitContext, 'onProgress'>,
  from: number,
  to: number,
): Pick<FitContext, 'onProgress'> {
  return onProgress ? { onProgress: (share) => onProgress(from + share * (to - from)) } : {};
}
