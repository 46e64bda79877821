import { hostname } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { UsageError } from '../../ground/errors.ts';
import { type FileLock, type LockOwner, takeLock } from '../../ground/file-lock.ts';

/** After so long without a sign a server of another host's name is gone: six beats of a lock that is held. */
const STALE_MS = 30_000;
const LOOK_MS = 250;

/**
 * Takes a farm's folder for this server. One of this machine that holds it is refused at once. Another host's name says
 * little: a container has a new one with every start. A server of another name is waited for until it is known to be
 * gone, or gives a sign.
 *
 * @param data what the folder is called to a person
 * @throws UsageError where another server has it
 */
export async function lockFarm(path: string, data: string, staleMs = STALE_MS): Promise<FileLock> {
  const end = Date.now() + staleMs;
  const seen: { owner: LockOwner | null } = { owner: null };
  const refusal = (found: LockOwner | null): UsageError => {
    seen.owner = found;
    return new UsageError(
      `${data} is used by another server${found ? ` (process ${found.pid} on ${found.host})` : ''}; stop that first`,
    );
  };
  for (;;) {
    try {
      return await takeLock(path, refusal, { staleMs });
    } catch (error) {
      const isElsewhere = seen.owner !== null && seen.owner.host !== hostname();
      if (!isElsewhere || Date.now() > end + LOOK_MS) throw error;
      await pause(LOOK_MS);
    }
  }
}
