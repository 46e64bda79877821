import type { Calibration } from '../../farm/index.ts';
import type { FarmRun } from '../runs/library.ts';
import type { Database } from '../storage/database.ts';
import { stored } from '../storage/stored.ts';

/** The farm's last calibration of a run's total. */
export async function lastCalibration(
  db: Database,
  { hash }: Pick<FarmRun, 'hash'>,
): Promise<Calibration | null> {
  const row = await db
    .selectFrom('calibrations')
    .select('body')
    .where('run_hash', '=', hash)
    .orderBy('made_at', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row ? stored<{ calibration: Calibration }>(row.body).calibration : null;
}
