import { z } from 'zod';
import {
  Calibration,
  type CalibrationPair,
  type Cut,
  CuttingHeight,
  calibrationPair,
  type Estimate,
  farmCalibration,
  heightWords,
  settledResult,
  Uuid,
} from '../../farm/index.ts';
import { countOf } from '../../ground/counts.ts';
import { conflict, Refusal } from '../answers/refusal.ts';
import { listCuts } from '../cuts/stored-cut.ts';
import type { FarmRun, RunLibrary } from '../runs/library.ts';
import type { Database } from '../storage/database.ts';
import { stored } from '../storage/stored.ts';
import { lastCalibration } from './last-calibration.ts';

/** A calibration that was made, of the run that answered then. */
export const MadeCalibration = z.strictObject({ id: Uuid, madeAt: z.string(), calibration: Calibration });
export type MadeCalibration = z.output<typeof MadeCalibration>;

/** What a calibration is asked with. */
export const CalibrationRequest = z.strictObject({
  id: Uuid,
  cuttingHeightCentimetres: CuttingHeight.optional().describe(
    'of the cuts it is to stand on; default that of all, or where they differ that of the calibration before, or of most',
  ),
  replacesApplied: z
    .boolean()
    .default(false)
    .describe('whether one that is applied may give way to one that is not'),
});

/**
 * Calibrates the farm's run by its cuts, and keeps it. Asked again under the same id it is the same calibration.
 *
 * @throws Refusal where an applied calibration would give way to one that is not, unless that is said to be wanted; and
 *   where there is no cut to calibrate by
 */
export async function makeCalibration(
  db: Database,
  runs: RunLibrary,
  { id, cuttingHeightCentimetres: asked, replacesApplied }: z.output<typeof CalibrationRequest>,
): Promise<MadeCalibration> {
  const known = await db.selectFrom('calibrations').select('body').where('id', '=', id).executeTakeFirst();
  if (known) {
    const made = stored<MadeCalibration>(known.body);
    if (asked === undefined || made.calibration.cuttingHeightCentimetres === asked) return made;
    throw conflict(`calibration ${id} was made for another cutting height; give a new one an id of its own`);
  }
  const run = await runs.chosen();
  const pairs = await pairsOf(db, run);
  const last = await lastCalibration(db, run);
  const calibration = farmCalibration(run, pairs, {
    asked: asked ?? null,
    last: last?.cuttingHeightCentimetres ?? null,
  });
  if (calibration === 'no-cuts') throw new Refusal(422, 'no-cuts', await noCutsWords(db, run));
  if (calibration === 'no-total')
    throw new Refusal(422, 'no-total', `run ${run.name} does not say the total, which a calibration is of`);
  if (last?.state === 'applied' && calibration.state !== 'applied' && !replacesApplied) {
    throw new Refusal(
      409,
      'replaces-applied',
      `The correction in use, of ${countOf(last.cuts, 'cut')} at ${heightWords(last.cuttingHeightCentimetres)}, stays; ` +
        `the new one would correct nothing. ${calibration.says}`,
    );
  }
  const made = { id, madeAt: new Date().toISOString(), calibration };
  await db
    .insertInto('calibrations')
    .values({ id, run_hash: run.hash, made_at: made.madeAt, body: JSON.stringify(made) })
    .execute();
  return made;
}

/** Why a run has no cut to be calibrated by, and what is to be done. */
async function noCutsWords(db: Database, { name }: Pick<FarmRun, 'name'>): Promise<string> {
  const photographed = await listCuts(db, (rows) => rows.where('photo_id', 'is not', null));
  const dry = photographed.filter((cut) => settledResult(cut) !== null).length;
  return dry > 0
    ? `run ${name} has answered none of the photos of ${countOf(dry, 'dry cut')}; ask it about all photos first`
    : 'no photographed frame has a cut that is weighed dry until its weight stays; finish some cuts first';
}

/** Settled cuts of photos that the run has estimated. */
async function pairsOf(db: Database, run: FarmRun): Promise<CalibrationPair[]> {
  const estimates = await db
    .selectFrom('estimates')
    .innerJoin('cuts', 'cuts.photo_id', 'estimates.photo_id')
    .select(['cuts.id', 'estimates.body'])
    .where('run_hash', '=', run.hash)
    .where('body', 'is not', null)
    .execute();
  const estimateOf = new Map(estimates.map(({ id, body }) => [id, stored<Estimate>(body ?? '')]));
  const cuts: Cut[] = await listCuts(db, (rows) => rows.where('photo_id', 'is not', null));
  return cuts.flatMap((cut) => {
    const pair = calibrationPair(cut, estimateOf.get(cut.id));
    return pair ? [pair] : [];
  });
}
