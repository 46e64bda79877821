import { z } from 'zod';
import {
  Calibration,
  type CalibrationPair,
  type Cut,
  CuttingHeight,
  calibrationPair,
  type Estimate,
  fitCalibration,
  runVariances,
  Uuid,
} from '../../farm/index.ts';
import { conflict, Refusal } from '../answers/refusal.ts';
import { listCuts } from '../cuts/stored-cut.ts';
import type { FarmRun, RunLibrary } from '../runs/library.ts';
import type { Database } from '../storage/database.ts';
import { stored } from '../storage/stored.ts';

/** A calibration that was made, of the run that answered then. */
export const MadeCalibration = z.strictObject({ id: Uuid, madeAt: z.string(), calibration: Calibration });
export type MadeCalibration = z.output<typeof MadeCalibration>;

/** What a calibration is asked with. */
export const CalibrationRequest = z.strictObject({ id: Uuid, cuttingHeightCentimetres: CuttingHeight });

/** Calibrates the farm's run by its cuts, and keeps it. Asked again under the same id it is the same calibration. */
export async function makeCalibration(
  db: Database,
  runs: RunLibrary,
  { id, cuttingHeightCentimetres }: z.output<typeof CalibrationRequest>,
): Promise<MadeCalibration> {
  const known = await db.selectFrom('calibrations').select('body').where('id', '=', id).executeTakeFirst();
  if (known) {
    const made = stored<MadeCalibration>(known.body);
    if (made.calibration.cuttingHeightCentimetres === cuttingHeightCentimetres) return made;
    throw conflict(`calibration ${id} was made for another cutting height; give a new one an id of its own`);
  }
  const run = await runs.chosen();
  const pairs = await pairsOf(db, run);
  const variances = runVariances(
    run,
    'total',
    pairs.length > 0 ? pairs.map(({ estimate }) => estimate) : [0],
  );
  if (!variances)
    throw new Refusal(422, 'no-total', `run ${run.name} does not say the total, which a calibration is of`);
  const calibration = fitCalibration({
    run: { id: run.id, name: run.name, hash: run.hash },
    mass: 'total',
    pairs,
    cuttingHeightCentimetres,
    variances,
  });
  const made = { id, madeAt: new Date().toISOString(), calibration };
  await db
    .insertInto('calibrations')
    .values({ id, run_hash: run.hash, made_at: made.madeAt, body: JSON.stringify(made) })
    .execute();
  return made;
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
