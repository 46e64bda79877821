import { spawn } from 'node:child_process';
import { MAIN } from './run-sward.ts';

const LOOK_EVERY_MS = 2;

/**
 * Starts the built command line and kills it as soon as `isReady` says so; while it throws (a folder that is not there
 * yet, a file being replaced) it does not.
 *
 * @returns the signal that ended the process; null where it ended by itself
 */
export function killSward(
  args: readonly string[],
  environment: Record<string, string>,
  isReady: () => boolean,
): Promise<string | null> {
  const child = spawn(process.execPath, [MAIN, ...args], {
    stdio: 'ignore',
    env: { ...process.env, ...environment },
  });
  const watch = setInterval(() => {
    try {
      if (isReady()) child.kill('SIGKILL');
    } catch {
      // Not ready.
    }
  }, LOOK_EVERY_MS);
  return new Promise((settle) =>
    child.on('close', (_, signal) => {
      clearInterval(watch);
      settle(signal);
    }),
  );
}
