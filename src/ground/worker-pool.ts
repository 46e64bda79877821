import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import { messageOf, SwardError } from './errors.ts';
import { enter, type Gate, gateFor } from './native-threads.ts';

/** Threads that each run the default export of one worker file on the tasks they are given. */
export interface WorkerPool<Task, Result> {
  /** @param transfer buffers of the task that are handed over instead of copied */
  run(task: Task, transfer?: readonly ArrayBuffer[]): Promise<Result>;
  /** Waits for the tasks that were given, then ends the threads; later tasks are refused. Call it whatever happened. */
  close(): Promise<void>;
}

/**
 * Starts worker threads on a compiled file beside the caller.
 *
 * @param callerUrl `import.meta.url` of the caller
 * @param name file name of the worker without ending
 * @param given of threads that call native add-ons: what each finds as `workerData` when it starts. They `enter` the
 *   gate when they have loaded, and let what must not be ended be `passing` it
 * @returns undefined where nothing is built
 */
export function startWorkers<Task, Result>(
  callerUrl: string,
  name: string,
  threads: number,
  given?: (gate: Gate) => unknown,
): WorkerPool<Task, Result> | undefined {
  const filename = workerFile(callerUrl, name);
  if (filename === undefined) return undefined;
  const gate = given && gateFor(threads);
  const pool = new Piscina<Task, Result>({
    filename,
    minThreads: threads,
    maxThreads: threads,
    ...(gate && { workerData: given(gate) }),
    // What loads a caller's TypeScript would be loaded again by every thread, which runs JavaScript.
    ...(callerUrl.endsWith('.ts') ? { execArgv: [] } : {}),
  });
  // A thread that cannot be started fails no task, but the pool; unheard that would end the process.
  let failure: { readonly error: unknown } | undefined;
  const waiting = new Set<(error: unknown) => void>();
  pool.on('error', (error: unknown) => {
    failure ??= { error: failureOf(error) };
    for (const fail of waiting) fail(failure.error);
  });
  const begun = pool.threads.map(
    (thread) =>
      new Promise<void>((settle) => {
        let isLoaded = false;
        thread.once('message', () => {
          isLoaded = true;
          settle();
        });
        thread.once('exit', () => {
          // One that could not be started loads nothing any more that an exit had to wait for.
          if (gate && !isLoaded) enter(gate);
          settle();
        });
      }),
  );
  const owed = new Set<Promise<unknown>>();
  let closed = false;
  return {
    async run(task, transfer = []) {
      if (closed) throw new Error(`${name}: a task was given after the threads had been ended`);
      if (failure) throw failure.error;
      // No race with one lasting promise, which would keep every result for as long as the pool is there.
      const outcome = new Promise<Result>((settle, fail) => {
        waiting.add(fail);
        const running = pool.run(task, { transferList: [...transfer] });
        running.then(settle, fail).finally(() => waiting.delete(fail));
      });
      owed.add(outcome);
      try {
        return await outcome;
      } catch (error) {
        throw failureOf(error);
      } finally {
        owed.delete(outcome);
      }
    },
    async close() {
      closed = true;
      // A result that arrives from a thread being ended stops the whole process as an error nobody can catch.
      await Promise.allSettled(owed);
      // And one that is ended while it still loads its file, or an add-on, aborts Node; its first message says that it is through.
      for (const thread of pool.threads) thread.ref();
      await Promise.all(begun);
      await pool.destroy();
    },
  };
}

/** A thread that starts opens files of its own; where it may not, its tasks fail with that. */
const failureOf = (error: unknown): unknown =>
  /EMFILE|ENFILE/.test(messageOf(error))
    ? new SwardError('threads cannot be started: too many files are open; raise the limit (ulimit -n)')
    : error;

/**
 * The compiled file of a worker, thread or process; undefined where nothing is built. Node starts them from JavaScript
 * only, so a caller that runs from its TypeScript source (tests, benchmarks) gets the worker of the last build.
 */
export function workerFile(callerUrl: string, name: string): string | undefined {
  const besideBuilt = callerUrl.endsWith('.ts')
    ? callerUrl.replace(/\/src\/(?!.*\/src\/)/, '/dist/')
    : callerUrl;
  const file = fileURLToPath(new URL(`./${name}.js`, besideBuilt));
  return existsSync(file) ? file : undefined;
}

/** Threads as {@link startWorkers} starts them; the caller's own thread where nothing is built, or for 0 threads. */
export function startWorkersOr<Task, Result>(
  callerUrl: string,
  name: string,
  threads: number,
  here: (task: Task) => Result | Promise<Result>,
  given?: (gate: Gate) => unknown,
): Pick<WorkerPool<Task, Result>, 'run' | 'close'> {
  const workers = threads > 0 ? startWorkers<Task, Result>(callerUrl, name, threads, given) : undefined;
  return workers ?? { run: async (task) => here(task), close: async () => {} };
}
