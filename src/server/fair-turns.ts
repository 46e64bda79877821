import { setImmediate } from 'node:timers/promises';

/**
 * Lets callers through one at a time, each in a turn of the event loop of its own: many requests that come at once are
 * then not answered in one stretch, which would hold up all else.
 */
export function fairTurns(): () => Promise<void> {
  let last: Promise<unknown> = Promise.resolve();
  return async () => {
    const mine = last.then(() => setImmediate());
    last = mine;
    await mine;
  };
}
