import { type Paddock, type Visit, type VisitFindings, visitFindings } from '../../farm/index.ts';
import { found } from '../answers/refusal.ts';
import type { FarmRun, RunLibrary } from '../runs/library.ts';
import type { Database } from '../storage/database.ts';
import { stored } from '../storage/stored.ts';
import { cutDoubts } from './cut-doubts.ts';
import { lastCalibration } from './last-calibration.ts';
import { visitFrames } from './visit-frames.ts';

/** What a visit says of its paddock. */
export interface VisitSummary extends VisitFindings {
  readonly visit: Visit;
  readonly paddock: Paddock;
  readonly run: Pick<FarmRun, 'id' | 'name' | 'hash'> | null;
  readonly photos: number;
  readonly pending: number;
  readonly byOthers: number;
  readonly unusable: number;
  readonly unfinishedCuts: number;
}

/** A visit's means, and what they stand on. @throws Refusal where there is no such visit */
export async function visitSummary(db: Database, runs: RunLibrary, visitId: string): Promise<VisitSummary> {
  const row = await db
    .selectFrom('visits')
    .innerJoin('paddocks', 'paddocks.id', 'visits.paddock_id')
    .select(['visits.body as visit', 'paddocks.body as paddock'])
    .where('visits.id', '=', visitId)
    .executeTakeFirst();
  const { visit, paddock: kept } = found(row, 'visit');
  const paddock = stored<Paddock>(kept);
  const { frames, run, ...counts } = await visitFrames(db, runs, visitId);
  const calibration = run && (await lastCalibration(db, run));
  const findings = visitFindings(frames, { paddock, run, calibration });
  return {
    visit: stored<Visit>(visit),
    paddock,
    run: run && { id: run.id, name: run.name, hash: run.hash },
    ...counts,
    ...findings,
    warnings: [...findings.warnings, ...(await cutDoubts(db, visitId))],
  };
}
