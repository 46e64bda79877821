import { createHash } from 'node:crypto';
import type { InferenceSession } from './runtime.ts';

/** Models whose sessions are kept: those of one part of a training, and some to spare. */
const MOST = 6;

/**
 * Sessions of programs that were disposed, for programs of the very same model to come, as of a training's other folds:
 * nothing is compiled again, and memory that has been used once needs no fetching from the system again.
 */
export class Sessions {
  readonly #idle = new Map<string, InferenceSession>();

  /** What a session is known by: its model and how it was opened. */
  static keyOf(model: Uint8Array, options: object): string {
    return createHash('sha256').update(model).update(JSON.stringify(options)).digest('hex');
  }

  /** An idle session, which is the caller's from now on. */
  take(key: string): InferenceSession | undefined {
    const session = this.#idle.get(key);
    this.#idle.delete(key);
    return session;
  }

  /** Takes a session back that nobody uses any more. */
  async keep(key: string, session: InferenceSession): Promise<void> {
    const other = this.take(key);
    this.#idle.set(key, session);
    await other?.release();
    const [oldest] = this.#idle;
    if (this.#idle.size <= MOST || !oldest) return;
    this.#idle.delete(oldest[0]);
    await oldest[1].release();
  }

  /** Gives the memory of idle sessions back. */
  async release(): Promise<void> {
    const idle = [...this.#idle.values()];
    this.#idle.clear();
    for (const session of idle) await session.release();
  }
}
