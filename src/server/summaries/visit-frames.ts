import { answeringRun, type Cut, type Estimate, settledResult, type VisitFrame } from '../../farm/index.ts';
import { listCuts } from '../cuts/stored-cut.ts';
import type { FarmRun, RunLibrary } from '../runs/library.ts';
import type { Database } from '../storage/database.ts';
import { stored } from '../storage/stored.ts';

/** What a visit has. */
export interface VisitFrames {
  readonly frames: readonly VisitFrame[];
  /** The run that most of its photos were estimated by, the farm's where several were; null where none was. */
  readonly run: FarmRun | null;
  readonly photos: number;
  /** Photos that wait for their estimate. */
  readonly pending: number;
  /** Photos that the run could not answer. */
  readonly unusable: number;
  /** Cuts that are not weighed dry until their weight stays. */
  readonly unfinishedCuts: number;
}

/** The frames of a visit that were photographed, cut or both. */
export async function visitFrames(db: Database, runs: RunLibrary, visitId: string): Promise<VisitFrames> {
  const photos = await db
    .selectFrom('photos')
    .leftJoin('estimates', 'estimates.photo_id', 'photos.id')
    .select(['photos.id', 'estimates.run_hash', 'estimates.body', 'estimates.problem'])
    .where('photos.visit_id', '=', visitId)
    .orderBy('photos.captured_at')
    .orderBy('photos.id')
    .execute();
  const ids = [...new Set(photos.map(({ id }) => id))];
  const chosen = await runs.chosen();
  const answers = photos.flatMap(({ body, run_hash }) =>
    body === null || run_hash === null ? [] : [run_hash],
  );
  const hash = answeringRun(answers, chosen.hash);
  const estimates = new Map(
    photos.flatMap(({ id, run_hash, body }) =>
      body !== null && run_hash === hash ? [[id, stored<Estimate>(body)] as const] : [],
    ),
  );
  const failed = new Set(
    photos.flatMap(({ id, problem }) => (problem !== null && !estimates.has(id) ? [id] : [])),
  );
  const cuts = (await listCuts(db, (rows) => rows.where('visit_id', '=', visitId))).map((cut: Cut) => ({
    photoId: cut.photoId,
    result: settledResult(cut),
  }));
  const settled = cuts.flatMap(({ photoId, result }) => (result ? [{ photoId, result }] : []));
  const cutOf = new Map(
    settled.flatMap(({ photoId, result }) => (photoId === null ? [] : [[photoId, result] as const])),
  );
  const listed = hash === null ? undefined : (await runs.list()).find((run) => run.hash === hash);
  return {
    frames: [
      ...ids.map((photoId) => ({
        estimate: estimates.get(photoId) ?? null,
        cut: cutOf.get(photoId) ?? null,
      })),
      ...settled
        .filter(({ photoId }) => photoId === null || !ids.includes(photoId))
        .map(({ result }) => ({ estimate: null, cut: result })),
    ],
    run: listed ? await runs.find(listed.id) : null,
    photos: ids.length,
    pending: ids.length - estimates.size - failed.size,
    unusable: failed.size,
    unfinishedCuts: cuts.length - settled.length,
  };
}
