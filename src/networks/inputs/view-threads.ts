import { availableParallelism } from 'node:os';
import { type AugmentationTask, startAugmenter } from '../../vision/augment/index.ts';

/** More threads than this wait for the network anyway. */
const MOST_THREADS = 4;

/**
 * The threads that make views of photos. They start with the first view and end with the last who uses them, or, while
 * they are held, stay for whoever comes next, as a training's next fold.
 */
export class ViewThreads {
  #pool: ReturnType<typeof startAugmenter> | undefined;
  #users = 0;
  #isHeld = false;

  /** Counts a user, who is to call {@link leave} whatever happens. */
  enter(): void {
    this.#users += 1;
  }

  run(task: AugmentationTask): Promise<Float32Array> {
    return this.start().run(task);
  }

  /** Starts them, who are to be used soon. */
  start(): ReturnType<typeof startAugmenter> {
    this.#pool ??= startAugmenter(Math.min(MOST_THREADS, availableParallelism()));
    return this.#pool;
  }

  leave(): Promise<void> {
    this.#users -= 1;
    return this.#endIdle();
  }

  hold(): void {
    this.#isHeld = true;
  }

  release(): Promise<void> {
    this.#isHeld = false;
    return this.#endIdle();
  }

  async #endIdle(): Promise<void> {
    if (this.#users > 0 || this.#isHeld) return;
    const pool = this.#pool;
    this.#pool = undefined;
    await pool?.close();
  }
}
