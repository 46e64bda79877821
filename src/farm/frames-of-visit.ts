import { answeringRun } from './answering-run.ts';
import type { Cut } from './cut.ts';
import type { Estimate } from './estimate.ts';
import { settledResult } from './settled-cut.ts';
import type { VisitFrame } from './visit-findings.ts';

/** What there is of a visit. */
interface VisitRecords {
  /** In the order they were taken. */
  readonly photoIds: readonly string[];
  /** Of these photos, by whichever runs. */
  readonly estimates: readonly Estimate[];
  /** Photos that a run could not answer. */
  readonly problems: ReadonlySet<string>;
  readonly cuts: readonly Cut[];
}

/** The frames of a visit that were photographed, cut or both. */
export interface FramesOfVisit {
  readonly frames: readonly VisitFrame[];
  /** Hash of the run that the estimates are of (see {@link answeringRun}); null where there are none. */
  readonly runHash: string | null;
  readonly photos: number;
  /** Photos that wait for their estimate: no run has answered them. */
  readonly pending: number;
  /** Photos that other runs alone have answered: they have no part in the mean. */
  readonly byOthers: number;
  /** Photos that the run could not answer. */
  readonly unusable: number;
  /** Cuts that are not weighed dry until their weight stays. */
  readonly unfinishedCuts: number;
}

/**
 * Puts a visit's photos, estimates and cuts together: the same on a phone as on the server.
 *
 * @param chosen hash of the run in use (see {@link answeringRun})
 */
export function framesOf(
  { photoIds, estimates, problems, cuts }: VisitRecords,
  chosen: string,
): FramesOfVisit {
  const runHash = answeringRun(estimates, chosen);
  const answered = new Set(estimates.map(({ photoId }) => photoId));
  const byPhoto = new Map(
    estimates.filter(({ run }) => run.hash === runHash).map((estimate) => [estimate.photoId, estimate]),
  );
  const settled = cuts.flatMap((cut) => {
    const result = settledResult(cut);
    return result ? [{ photoId: cut.photoId, result }] : [];
  });
  const cutOf = new Map(settled.map(({ photoId, result }) => [photoId, result]));
  const unanswered = photoIds.filter((id) => !byPhoto.has(id));
  const unusable = unanswered.filter((id) => problems.has(id)).length;
  const byOthers = unanswered.filter((id) => !problems.has(id) && answered.has(id)).length;
  return {
    frames: [
      ...photoIds.map((id) => ({ estimate: byPhoto.get(id) ?? null, cut: cutOf.get(id) ?? null })),
      ...settled
        .filter(({ photoId }) => photoId === null || !photoIds.includes(photoId))
        .map(({ result }) => ({ estimate: null, cut: result })),
    ],
    runHash,
    photos: photoIds.length,
    pending: unanswered.length - unusable - byOthers,
    byOthers,
    unusable,
    unfinishedCuts: cuts.length - settled.length,
  };
}
