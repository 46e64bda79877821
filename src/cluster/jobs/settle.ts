import { countOf } from '../../ground/counts.ts';
import { SwardError } from '../../ground/errors.ts';
import { GatheredElsewhere, type UnitFailure } from '../units/job-store.ts';
import type { PlannedJob } from './planned-job.ts';

/** Causes that are told on the screen, and units that are named of each. */
const CAUSES = 3;
const NAMED = 12;

/**
 * Makes sure that all units are done.
 *
 * @param failures why some failed, where the store does not say
 * @param remedy what is to be done of those that are not done
 * @throws SwardError naming those that are not, by what has kept them
 */
export async function requireDone(
  { jobs, units }: PlannedJob,
  failures: ReadonlyMap<string, UnitFailure> = new Map(),
  remedy = 'mend the cause and run the same command again',
): Promise<void> {
  const done = await jobs.keys('done');
  const lacking = units.filter(({ key }) => !done.has(key));
  if (lacking.length === 0) return;
  if (!(await jobs.isThere())) throw new GatheredElsewhere(jobs);
  const byCause = new Map<string, string[]>();
  for (const { key, name } of lacking) {
    const failure = (await jobs.failure(key)) ?? failures.get(key);
    const cause = failure ? `failed on ${failure.host} (${failure.message})` : 'not begun, or not ended';
    byCause.set(cause, [...(byCause.get(cause) ?? []), name]);
  }
  const told = [...byCause].slice(0, CAUSES).map(([cause, names]) => {
    const more = names.length > NAMED ? ` and ${names.length - NAMED} more` : '';
    return `${names.slice(0, NAMED).join(', ')}${more}: ${cause}`;
  });
  throw new SwardError(
    `${countOf(lacking.length, 'unit')} of ${units.length} ${lacking.length === 1 ? 'is' : 'are'} missing: ${told.join('; ')}; ` +
      `the others are kept: ${remedy}`,
  );
}
