import { setTimeout as pause } from 'node:timers/promises';

/** Waits until something holds or is there. @returns it @throws Error when it does not come within the time */
export async function until<Value>(
  look: () => Value | null | undefined | false | Promise<Value | null | undefined | false>,
  seconds = 120,
): Promise<Value> {
  const end = performance.now() + 1000 * seconds;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (performance.now() > end) throw new Error(`not within ${seconds} s: ${look}`);
    await pause(50);
  }
}
