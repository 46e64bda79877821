import { countOf } from '../../ground/counts.ts';
import { SwardError } from '../../ground/errors.ts';
import type { UnitFailure } from '../units/job-store.ts';
import type { PlannedJob } from './planned-job.ts';

/** Failed units that are named on the screen. */
const NAMED = 5;

/**
 * Makes sure that all units are done.
 *
 * @param failures why some failed, where that is known already
 * @throws SwardError naming those that are not
 */
export async function requireDone(
  { jobs, units }: PlannedJob,
  failures: ReadonlyMap<string, UnitFailure> = new Map(),
): Promise<void> {
  const done = await jobs.keys('done');
  const lacking = units.filter(({ key }) => !done.has(key));
  if (lacking.length === 0) return;
  const told = await Promise.all(
    lacking.slice(0, NAMED).map(async ({ key, name }) => {
      const failure = failures.get(key) ?? (await jobs.failure(key));
      return failure ? `${name} failed on ${failure.host} (${failure.message})` : `${name} is not done`;
    }),
  );
  const more = lacking.length > NAMED ? `; and ${lacking.length - NAMED} more` : '';
  throw new SwardError(
    `${countOf(lacking.length, 'unit')} of ${units.length} ${lacking.length === 1 ? 'is' : 'are'} missing: ${told.join('; ')}${more}; ` +
      'the others are kept: mend the cause and run the same command again',
  );
}
