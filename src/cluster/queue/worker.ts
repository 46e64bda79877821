import { hostname } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { type Job, WaitingError, Worker } from 'bullmq';
import { environment } from '../../ground/environment.ts';
import { messageOf } from '../../ground/errors.ts';
import { JobStore, Overtaken } from '../units/job-store.ts';
import { isOutOfReach } from '../units/out-of-reach.ts';
import { runUnit, UnitChildren, type UnitFate, type UnitMachine } from '../units/run-unit.ts';
import type { UnitSpec } from '../units/spec.ts';
import {
  closeSoon,
  connectionTo,
  goneFrom,
  type HandedBack,
  isSettledWithin,
  nameOf,
  openQueue,
  type QueuedUnit,
  tellOfFaults,
} from './connection.ts';
import type { QueueName } from './queues.ts';

/** Which work a machine does, and how. */
export interface WorkOptions extends UnitMachine {
  readonly url: string;
  readonly queues: readonly QueueName[];
  /** Units of each queue that are computed together. */
  readonly concurrency?: number;
  /** A worker that shows no sign for so long has its unit given to another, seconds; default 30. */
  readonly leaseSeconds?: number;
  /** How long units may go on once the worker is to end, seconds; default 25, since Kubernetes kills after 30. */
  readonly graceSeconds?: number;
  /** As {@link QueueOpening}. */
  readonly patienceSeconds?: number;
  readonly tell?: (line: string) => void;
  /** What computes a unit; default {@link runUnit}, in a process of its own. */
  readonly run?: (
    spec: UnitSpec,
    children: UnitChildren,
    onShare: (share: number) => void,
  ) => Promise<UnitFate>;
}

/** A machine at work. */
export interface RunningWorker {
  /** Takes no further unit, and waits for those in progress as long as the grace lasts; then hands them back. */
  stop(): Promise<void>;
}

const LEASE_SECONDS = 30;
const GRACE_SECONDS = 25;

/** How often a unit that stops showing signs is given to another worker: a machine may be killed again and again. */
const MOST_STALLS = 50;

/** How often it is looked for what was fetched for jobs that are done. */
const CLEARED_EVERY_MS = 5 * 60_000;

/** A worker that does not reach what a unit needs takes none for so long, and others do. */
const REST_MS = 30_000;

/** Progress is told at most so often. */
const TELL_EVERY_MS = 2_000;

/** Takes units from a Redis and computes them, until it is stopped. @throws SwardError where there is no Redis */
export async function startWorker(options: WorkOptions): Promise<RunningWorker> {
  const { url, queues, concurrency = 1, leaseSeconds = LEASE_SECONDS, tell = () => {} } = options;
  const children = new UnitChildren(options);
  const lease = 1000 * leaseSeconds;
  const [first] = queues;
  if (first !== undefined) await closeSoon(await openQueue(url, first, tell, options));
  if (queues.includes('gpu') && environment().provider === 'cpu') {
    tell('warning: work for GPUs will be computed by processors here; SWARD_PROVIDER=cuda uses the GPU');
  }
  const atWork = new Set<Promise<unknown>>();
  const stopped = new AbortController();
  const workers = queues.map((queue) => {
    const worker = new Worker<QueuedUnit, string>(
      nameOf(queue),
      (job, token) => {
        const rest = (): void => {
          void worker.pause(true);
          void pause(REST_MS, undefined, { signal: stopped.signal, ref: false }).then(
            () => worker.resume(),
            () => {},
          );
        };
        const unit = processed(job, token, children, { ...options, rest });
        atWork.add(unit);
        void unit.catch(() => {}).finally(() => atWork.delete(unit));
        return unit;
      },
      {
        connection: connectionTo(url),
        name: `${hostname()}-${process.pid}`,
        concurrency,
        lockDuration: lease,
        stalledInterval: lease,
        maxStalledCount: MOST_STALLS,
      },
    );
    tellOfFaults(worker, tell);
    return worker;
  });
  await Promise.all(workers.map((worker) => worker.waitUntilReady()));
  const clear = (): void => void children.clearStaged().catch(() => {});
  clear();
  const clearing = setInterval(clear, CLEARED_EVERY_MS);
  return {
    async stop() {
      clearInterval(clearing);
      stopped.abort();
      const { graceSeconds = GRACE_SECONDS } = options;
      for (const worker of workers) void worker.close().catch(() => {});
      // Units are waited for, and no connections: while Redis is away none closes.
      await isSettledWithin(Promise.allSettled(atWork), 1000 * graceSeconds);
      await children.end();
      await closeSoon(...workers);
    },
  };
}

/** @returns what became of the unit */
async function processed(
  job: Job<QueuedUnit, string>,
  token: string | undefined,
  children: UnitChildren,
  { run = runUnit, tell = () => {}, rest }: WorkOptions & { readonly rest: () => void },
): Promise<string> {
  const { key } = job.data;
  const jobs = JobStore.of(job.data);
  let told = 0;
  try {
    const spec = await jobs.spec(key);
    if (!spec) {
      tell(`${job.data.job} ${job.name}: there is no ${jobs.location} (any more, or for this machine)`);
      return goneFrom(hostname());
    }
    const began = performance.now();
    const fate = await run(spec, children, (share) => {
      if (performance.now() - told < TELL_EVERY_MS) return;
      told = performance.now();
      void job.updateProgress(share).catch(() => {});
    });
    tell(`${job.data.job} ${spec.name}: ${fate} in ${((performance.now() - began) / 1000).toFixed(1)} s`);
    return fate;
  } catch (error) {
    const message = messageOf(error);
    // No fault of the unit's, so that it takes none of its tries: another machine computes it.
    if (children.isEnding || isOutOfReach(error)) {
      const why = children.isEnding ? '' : ` for ${REST_MS / 1000} s: ${message}`;
      tell(`${job.data.job} ${job.name}: handed back${why}`);
      if (!children.isEnding) {
        rest();
        const handedBack: HandedBack = { host: hostname(), why: message };
        await job.updateProgress(handedBack).catch(() => {});
      }
      await job.moveToWait(token);
      throw new WaitingError();
    }
    if (error instanceof Overtaken && (await jobs.result(key).catch(() => null))) {
      tell(message);
      return 'known';
    }
    tell(`${job.data.job} ${job.name}: ${message}`);
    const isLast = job.attemptsMade + 1 >= (job.opts.attempts ?? 1);
    if (isLast) await jobs.putFailure(key, { name: job.name, host: hostname(), message }).catch(() => {});
    throw error;
  }
}
