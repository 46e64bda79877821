import { createHash } from 'node:crypto';
import { runInPlace } from './in-place.ts';
import { InferenceSession, type Tensor as Value } from './runtime.ts';

/** A model that can be run, and what its user does in the end. */
export interface OpenSession {
  /** Runs it; results go to the arrays given. @param results an array for every result wanted, none of them also fed */
  run(feeds: Readonly<Record<string, Value>>, results: Readonly<Record<string, Value>>): Promise<void>;
  /** Gives it up. */
  leave(): Promise<void>;
}

/** A session of the calling thread's, which waits while it runs. @param leave what is done with it in the end */
export const openedHere = (
  session: InferenceSession,
  leave: OpenSession['leave'] = () => session.release(),
): OpenSession => ({ run: (feeds, results) => runInPlace(session, feeds, results), leave });

/** Models whose sessions are kept: those of one part of a training, and some to spare. */
const MOST = 6;

/**
 * Sessions of programs that were disposed, for programs of the very same model to come, as of a training's other folds:
 * nothing is compiled again, and memory that has been used once needs no fetching from the system again.
 */
export class Sessions {
  readonly #idle = new Map<string, InferenceSession>();

  /** An idle session of the very same model that was opened in the same way, or a new one; left, it waits for the next. */
  async open(model: Uint8Array, options: InferenceSession.SessionOptions): Promise<OpenSession> {
    const key = createHash('sha256').update(model).update(JSON.stringify(options)).digest('hex');
    const session = this.#take(key) ?? (await InferenceSession.create(model, options));
    return openedHere(session, () => this.#keep(key, session));
  }

  #take(key: string): InferenceSession | undefined {
    const session = this.#idle.get(key);
    this.#idle.delete(key);
    return session;
  }

  async #keep(key: string, session: InferenceSession): Promise<void> {
    const other = this.#take(key);
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
