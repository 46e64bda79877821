import { randomBytes } from 'node:crypto';
import { type DraftUnit, type PlannedJob, planJob } from '../../src/cluster/jobs/planned-job.ts';
import { unitKey } from '../../src/cluster/units/spec.ts';

/** A job of units that nobody computes, laid out in a folder. */
export function sleepingJob(
  store: string,
  units: number,
  salt = randomBytes(4).toString('hex'),
): Promise<PlannedJob> {
  const drafts = function* (): Generator<DraftUnit> {
    for (let unit = 0; unit < units; unit++) {
      const photos = [{ imageId: `P${unit}`, path: `${salt}/P${unit}.jpg` }];
      const work = {
        kind: 'predict',
        run: 'starter',
        fingerprint: '',
        asked: { photos },
        tta: 'none',
      } as const;
      yield { name: `unit ${unit}`, key: unitKey([salt, unit]), work };
    }
  };
  return planJob('predict', 'Sleeping', store, drafts, { out: store });
}
