import { type Estimate, type FramesOfVisit, framesOf } from '../../farm/index.ts';
import { listCuts } from '../cuts/stored-cut.ts';
import type { FarmRun, RunLibrary } from '../runs/library.ts';
import type { Database } from '../storage/database.ts';
import { stored } from '../storage/stored.ts';

/** What a visit has. */
export interface VisitFrames extends Omit<FramesOfVisit, 'runHash'> {
  /** The run that the means are of: the farm's where it has answered any photo (`answeringRun`); null without any. */
  readonly run: FarmRun | null;
}

/** The frames of a visit that were photographed, cut or both. */
export async function visitFrames(db: Database, runs: RunLibrary, visitId: string): Promise<VisitFrames> {
  const rows = await db
    .selectFrom('photos')
    .leftJoin('estimates', 'estimates.photo_id', 'photos.id')
    .select(['photos.id', 'estimates.body', 'estimates.problem'])
    .where('photos.visit_id', '=', visitId)
    .orderBy('photos.captured_at')
    .orderBy('photos.id')
    .execute();
  const { runHash, ...frames } = framesOf(
    {
      photoIds: [...new Set(rows.map(({ id }) => id))],
      estimates: rows.flatMap(({ body }) => (body === null ? [] : [stored<Estimate>(body)])),
      problems: new Set(rows.flatMap(({ id, problem }) => (problem === null ? [] : [id]))),
      cuts: await listCuts(db, (cuts) => cuts.where('visit_id', '=', visitId)),
    },
    (await runs.chosen()).hash,
  );
  return { ...frames, run: runHash === null ? null : await runs.findByHash(runHash) };
}
