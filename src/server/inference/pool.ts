import { ChildFailure, LimitedChild } from '../../ground/children/limited-child.ts';
import type { ChildLimits } from '../../ground/children/limits.ts';
import type { InferenceAnswers, InferenceTask } from './tasks.ts';

/** The pool has as much to do as it may have. */
export class Busy extends Error {
  override name = 'Busy';
  readonly retryAfterSeconds: number;

  constructor(retryAfterSeconds: number) {
    super(`the server has as much to do as it takes on; try again in ${retryAfterSeconds} s`);
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** How large a pool is, and what each of its processes may use. */
export interface PoolSettings extends ChildLimits {
  /** Processes, one thread each. */
  readonly workers: number;
  /** Requests that may wait; beyond these the pool is {@link Busy}. */
  readonly queue: number;
  /** A photo that takes longer is given up, and its process ended. */
  readonly taskMilliseconds: number;
}

/** Who asks: a device whose photo is to be stored, a person who waits, or work that nobody waits for. */
type Urgency = 'upload' | 'now' | 'later';

interface Waiting {
  readonly task: InferenceTask;
  readonly settle: (answer: never) => void;
  readonly fail: (error: unknown) => void;
}

/** Whose turn it is, round and round, where several wait: none is starved, and photos get in before all else. */
const TURNS: readonly Urgency[] = ['upload', 'now', 'upload', 'now', 'later'];
const BY_URGENCY: readonly Urgency[] = ['upload', 'now', 'later'];

/** Queues that each may fill: a photo that was sent whole waits rather than being sent again. */
const PATIENCE: Readonly<Record<Urgency, number>> = { upload: 8, now: 1, later: Number.POSITIVE_INFINITY };

/** A run of large networks may take minutes to be read. */
const OPEN_MS = 10 * 60_000;

/** Weight of the newest task in the mean time that one takes. */
const NEWEST = 0.2;

/** Child processes that decode photos and ask runs about them. A photo that brings one down is refused; another starts. */
export class InferencePool {
  readonly #settings: PoolSettings;
  readonly #start: () => LimitedChild<InferenceTask, never>;
  readonly #waiting: Record<Urgency, Waiting[]> = { upload: [], now: [], later: [] };
  readonly #idle: LimitedChild<InferenceTask, never>[] = [];
  readonly #busy = new Set<LimitedChild<InferenceTask, never>>();
  /** Requests whose bodies are on their way. */
  #expected = 0;
  #taken = 0;
  #meanSeconds = 1;
  #isClosing = false;
  /** Whether its processes have opened the run that they were last to open. */
  isReady = false;
  #drained: (() => void) | null = null;
  /** Processes that had to be replaced. */
  restarts = 0;

  constructor(settings: PoolSettings) {
    this.#settings = settings;
    this.#start = () => new LimitedChild(import.meta.url, 'estimate-child', settings);
    for (let worker = 0; worker < settings.workers; worker++) this.#idle.push(this.#start());
  }

  /** What it does and has to do. */
  get load(): { readonly busy: number; readonly waiting: number; readonly restarts: number } {
    return {
      busy: this.#busy.size,
      waiting: this.#waiting.now.length + this.#waiting.upload.length,
      restarts: this.restarts,
    };
  }

  /** @throws Busy when what has not been sent yet is better sent later */
  requireRoom(urgency: Urgency): void {
    this.#requireBelow(urgency, this.#settings.queue);
  }

  /**
   * Keeps a place for a request whose body is still to come.
   *
   * @returns gives the place up: when the task is asked for, or never will be
   * @throws Busy when none is left
   */
  expect(): () => void {
    const most = this.#settings.queue + this.#idle.length - this.#expected;
    this.#requireBelow('now', most);
    this.#expected += 1;
    let isHeld = true;
    return () => {
      if (isHeld) this.#expected -= 1;
      isHeld = false;
    };
  }

  /**
   * Does a task when its turn comes.
   *
   * @throws Busy when too many wait, TaskRefused when it cannot be done, ChildFailure when it brought its process down
   */
  ask<Kind extends InferenceTask['kind']>(
    task: Extract<InferenceTask, { kind: Kind }>,
    urgency: Urgency = 'now',
    signal?: AbortSignal,
  ): Promise<InferenceAnswers[Kind]> {
    this.#requireBelow(urgency, PATIENCE[urgency] * this.#settings.queue);
    return new Promise((settle, fail) => {
      const waiting: Waiting = { task, settle, fail };
      const list = this.#waiting[urgency];
      list.push(waiting);
      signal?.addEventListener('abort', () => {
        const at = list.indexOf(waiting);
        if (at >= 0) list.splice(at, 1);
        fail(signal.reason);
      });
      this.#next();
    });
  }

  /** Has every process open a run, so that the first request need not wait for it. */
  async open(task: Extract<InferenceTask, { kind: 'open' }>): Promise<void> {
    const opened = Promise.all(
      Array.from({ length: this.#settings.workers }, () => this.ask<'open'>(task, 'later')),
    );
    await opened.catch((error: unknown) => {
      this.isReady = false;
      throw error;
    });
    this.isReady = true;
  }

  /** Refuses what is new, waits for what runs, at most so long, and ends the processes. What waits is refused. */
  async close(milliseconds: number): Promise<void> {
    this.#isClosing = true;
    for (const waiting of Object.values(this.#waiting)) {
      for (const { fail } of waiting.splice(0)) fail(this.#busyError());
    }
    if (this.#busy.size > 0) {
      await new Promise<void>((settle) => {
        const timer = setTimeout(settle, milliseconds);
        this.#drained = () => {
          clearTimeout(timer);
          settle();
        };
      });
    }
    await Promise.all([...this.#idle, ...this.#busy].map((child) => child.end()));
  }

  #requireBelow(urgency: Urgency, most: number): void {
    if (this.#isClosing || this.#waiting[urgency].length >= most) throw this.#busyError();
  }

  #busyError(): Busy {
    const ahead = this.load.waiting + this.#busy.size;
    return new Busy(Math.max(1, Math.ceil((ahead * this.#meanSeconds) / this.#settings.workers)));
  }

  #next(): void {
    while (this.#idle.length > 0) {
      const turn = TURNS[this.#taken % TURNS.length] as Urgency;
      const urgency = [turn, ...BY_URGENCY].find((some) => this.#waiting[some].length > 0);
      const waiting = urgency && this.#waiting[urgency].shift();
      if (!waiting) return;
      this.#taken += 1;
      void this.#do(this.#idle.shift() as LimitedChild<InferenceTask, never>, waiting);
    }
  }

  async #do(given: LimitedChild<InferenceTask, never>, { task, settle, fail }: Waiting): Promise<void> {
    const child = given.isAlive ? given : this.#start();
    this.#busy.add(child);
    const begun = performance.now();
    try {
      const milliseconds = task.kind === 'open' ? OPEN_MS : this.#settings.taskMilliseconds;
      settle(await child.run(task, { milliseconds }));
      this.#meanSeconds += NEWEST * ((performance.now() - begun) / 1000 - this.#meanSeconds);
    } catch (error) {
      fail(error);
      if (error instanceof ChildFailure) await child.end();
    } finally {
      this.#busy.delete(child);
      const isGone = !child.isAlive;
      if (isGone) this.restarts += 1;
      if (!this.#isClosing) {
        this.#idle.push(isGone ? this.#start() : child);
        this.#next();
      } else {
        if (!isGone) this.#idle.push(child);
        if (this.#busy.size === 0) this.#drained?.();
      }
    }
  }
}
