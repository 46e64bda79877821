import { existsSync } from 'node:fs';
import { TaskRefused } from '../../ground/children/limited-child.ts';
import { SwardError } from '../../ground/errors.ts';
import { isObjectLocation } from '../../storage/index.ts';

/** A machine does not see what a unit is about, where the one that planned it does. */
export class NotSeenHere extends SwardError {
  override name = 'NotSeenHere';
}

/**
 * Makes sure that this machine sees what a unit is about; of a bucket that is known once it is asked.
 *
 * @param what lies at the path, as `where photos lie`
 * @param remedy what helps where it cannot be mounted
 * @returns the path
 * @throws NotSeenHere
 */
export function requireSeen(path: string, what: string, remedy: string): string {
  if (isObjectLocation(path) || existsSync(path)) return path;
  throw new NotSeenHere(`this machine sees no ${path}, ${what}; mount it there, or ${remedy}`);
}

/** What errors are called by which a machine does not reach what a unit needs, here or in a process that computes. */
const OUT_OF_REACH: ReadonlySet<string> = new Set(['NotSeenHere', 'StoreUnreachable']);

/** Whether the machine is at fault and no unit: another machine may compute it. */
export const isOutOfReach = (error: unknown): boolean =>
  OUT_OF_REACH.has(error instanceof TaskRefused ? error.of : error instanceof Error ? error.name : '');
