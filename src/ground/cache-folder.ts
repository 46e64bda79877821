import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where sward keeps what it can compute again: `SWARD_CACHE`, or `.cache/sward` in the home folder. */
export function defaultCacheFolder(environment: NodeJS.ProcessEnv = process.env): string {
  const chosen = environment.SWARD_CACHE;
  return chosen !== undefined && chosen !== '' ? chosen : join(homedir(), '.cache', 'sward');
}
