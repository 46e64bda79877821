import { countOf, forCount } from '../../../src/ground/counts.ts';
import type { VisitView } from './visits.ts';

/** How many of a visit's photos have no part in its mean, and why; a sentence each, none where all have. */
export function leftOutWords({
  photos,
  pending,
  byOthers,
  unusable,
  run,
}: Pick<VisitView, 'photos' | 'pending' | 'byOthers' | 'unusable' | 'run'>): string[] {
  const of = countOf(photos, 'photo');
  return [
    ...(pending > 0
      ? [`${pending} of ${of} ${forCount(pending, 'waits for its', 'wait for their')} estimate.`]
      : []),
    ...(byOthers > 0
      ? [
          `${byOthers} of ${of} ${forCount(byOthers, 'was', 'were')} answered by another run, not by ${run?.name ?? 'this one'} yet: not in this mean.`,
        ]
      : []),
    ...(unusable > 0 ? [`${unusable} of ${of} could not be estimated.`] : []),
  ];
}
