import { setTimeout as pause } from 'node:timers/promises';
import { type Queue, QueueEvents } from 'bullmq';
import { countOf } from '../../ground/counts.ts';
import { type Progress, SILENT } from '../../ground/progress.ts';
import { packageVersion } from '../../ground/version.ts';
import type { Engine, PlannedJob } from '../jobs/planned-job.ts';
import { requireDone } from '../jobs/settle.ts';
import type { UnitFailure } from '../units/job-store.ts';
import {
  closeSoon,
  connectionTo,
  goneOn,
  type HandedBack,
  idOf,
  keyOf,
  nameOf,
  openQueue,
  type QueuedUnit,
  type QueueOpening,
  queueRefusal,
} from './connection.ts';
import { databaseOf, type QueueName } from './queues.ts';

/** Attempts before a unit is given up, and the pause after the first, which doubles. */
const ATTEMPTS = 3;
const BACKOFF_MS = 1_000;

/** How often a unit is queued again that a worker did not find, and how much later: for others that do. */
const MOST_UNSEEN = 20;
const UNSEEN_MS = 5_000;

/** Units that are queued with one command. */
const QUEUED_AT_ONCE = 500;

/** How often workers are counted. */
const COUNTED_EVERY_MS = 5_000;

/** After so long without news it is looked up what has become of the work: news may be lost with a connection. */
const SILENT_MS = 30_000;

/** Where work is queued. */
export interface QueueEngineOptions extends QueueOpening {
  readonly url: string;
  readonly queue?: QueueName;
  /** After how long without news the store is asked, milliseconds; default half a minute. */
  readonly silentMs?: number;
}

/** Makes sure that a queue answers, before work is laid out. @throws SwardError as `openQueue` */
export async function requireQueue({ url, queue = 'cpu', ...opening }: QueueEngineOptions): Promise<void> {
  await closeSoon(await openQueue(url, queue, () => {}, opening));
}

/**
 * Queues units on a Redis for `sward work`, and waits for them. What ends this process leaves the work queued; the same
 * command attaches again.
 */
export function queueEngine({
  url,
  queue = 'cpu',
  silentMs = SILENT_MS,
  ...opening
}: QueueEngineOptions): Engine {
  return {
    plansAlone: false,
    async run(job, progress = SILENT) {
      const opened = await openQueue(url, queue, (line) => progress.line?.(line), opening);
      const events = new QueueEvents(nameOf(queue), { connection: connectionTo(url) });
      events.on('error', () => {});
      const watch = new JobWatch(job, opened, { queue, database: databaseOf(url) }, progress, silentMs);
      try {
        await events.waitUntilReady();
        events.on('completed', ({ jobId, returnvalue }) => {
          // Some are given as they were said, others as JSON.
          const lost = goneOn(String(returnvalue).replaceAll('"', ''));
          if (lost === null) watch.settle(keyOf(jobId));
          else void watch.unseen(keyOf(jobId), lost);
        });
        events.on('failed', ({ jobId, failedReason }) => watch.settle(keyOf(jobId), failedReason));
        events.on('progress', ({ jobId, data }) => watch.hear(keyOf(jobId), data));
        await watch.untilSettled();
      } catch (error) {
        throw queueRefusal(error);
      } finally {
        progress.done();
        await closeSoon(events, opened);
      }
      await requireDone(job, watch.failures);
    },
  };
}

const isHandedBack = (news: unknown): news is HandedBack =>
  typeof news === 'object' && news !== null && 'host' in news && 'why' in news;

/** Where workers must listen that a job's units wait for. */
interface Place {
  readonly queue: QueueName;
  readonly database: number;
}

/** What is known of a job's units while it is waited for. */
class JobWatch {
  readonly #job: PlannedJob;
  readonly #queue: Queue<QueuedUnit>;
  readonly #at: Place;
  readonly #progress: Progress;
  readonly #silentMs: number;
  /** Units whose end is waited for, with their names. */
  readonly #open: Map<string, string>;
  /** How much of units in progress is done. */
  readonly #shares = new Map<string, number>();
  readonly failures = new Map<string, UnitFailure>();
  /** How often units were not found by a worker, and the hosts of those that found none or handed some back. */
  readonly #unseen = new Map<string, number>();
  readonly #blind = new Set<string>();
  #heard = performance.now();
  #workers = '';

  constructor(job: PlannedJob, queue: Queue<QueuedUnit>, at: Place, progress: Progress, silentMs: number) {
    this.#job = job;
    this.#queue = queue;
    this.#at = at;
    this.#progress = progress;
    this.#silentMs = silentMs;
    this.#open = new Map(job.units.map(({ key, name }) => [key, name]));
  }

  settle(key: string, failure?: string): void {
    const name = this.#open.get(key);
    if (name === undefined) return;
    this.#heard = performance.now();
    this.#open.delete(key);
    this.#shares.delete(key);
    if (failure !== undefined) {
      this.failures.set(key, { name, host: 'its worker', message: failure });
      this.#progress.line?.(`${name} failed: ${failure}`);
    }
    this.#progress.advance();
    this.#note();
  }

  /** A worker on `host` has found no such unit: another may, as long as it is there. */
  async unseen(key: string, host: string): Promise<void> {
    const { jobs } = this.#job;
    const name = this.#open.get(key);
    if (name === undefined) return;
    this.#heard = performance.now();
    const why = `${host} finds no ${jobs.location}; give a --store that all workers see under the same path`;
    const times = (this.#unseen.get(key) ?? 0) + 1;
    this.#unseen.set(key, times);
    const isThere = await jobs.spec(key).then(Boolean, () => false);
    if (!isThere || times > MOST_UNSEEN) {
      this.settle(key, why);
      return;
    }
    this.#nameBlind(host, why);
    await this.#add([{ key, name }], UNSEEN_MS).catch(() => {});
  }

  /** @param news how much of a unit is done, or why a worker hands it back */
  hear(key: string, news: unknown): void {
    if (!this.#open.has(key)) return;
    this.#heard = performance.now();
    if (typeof news === 'number') {
      this.#shares.set(key, news);
      // While a worker computes, one that finds nothing ends no unit.
      this.#unseen.clear();
      this.#note();
    } else if (isHandedBack(news)) this.#nameBlind(news.host, `${news.host} hands units back: ${news.why}`);
  }

  /** Names a worker once that units are no use to. */
  #nameBlind(host: string, why: string): void {
    if (!this.#blind.has(host)) this.#progress.line?.(`warning: ${why}, or end the worker there`);
    this.#blind.add(host);
  }

  #note(): void {
    const sum = [...this.#shares.values()].reduce((total, share) => total + share, 0);
    this.#progress.note?.(this.#workers, sum);
  }

  async untilSettled(): Promise<void> {
    const { jobs, units, title } = this.#job;
    this.#progress.stage(title, units.length, 'units');
    // Whoever starts again wants those tried again that were given up.
    for (const key of await jobs.keys('failed')) await jobs.forgetFailure(key);
    await this.#lookUp();
    let counted = 0;
    while (this.#open.size > 0) {
      await pause(Math.min(200, this.#silentMs));
      const now = performance.now();
      if (now - counted >= COUNTED_EVERY_MS) {
        counted = now;
        void this.#countWorkers();
      }
      if (now - this.#heard >= this.#silentMs) {
        this.#heard = now;
        // While Redis is away it cannot be asked, and what it knew comes back with it.
        await this.#lookUp().catch(() => {});
      }
    }
  }

  /** Finds what is settled, and queues the rest: what is queued already stays as it is. */
  async #lookUp(): Promise<void> {
    const { jobs, units } = this.#job;
    for (const key of await jobs.keys('done')) this.settle(key);
    for (const key of await jobs.keys('failed')) {
      const failure = this.#open.has(key) ? await jobs.failure(key) : null;
      if (failure) this.settle(key, `${failure.message} (on ${failure.host})`);
    }
    const rest = units.filter(({ key }) => this.#open.has(key));
    for (let start = 0; start < rest.length; start += QUEUED_AT_ONCE) {
      await this.#add(rest.slice(start, start + QUEUED_AT_ONCE));
    }
  }

  async #add(units: PlannedJob['units'], delay = 0): Promise<void> {
    const { store, job } = this.#job.jobs;
    await this.#queue.addBulk(
      units.map(({ key, name }) => ({
        name,
        data: { store: store.location, job, key },
        opts: {
          jobId: idOf(key),
          attempts: ATTEMPTS,
          backoff: { type: 'exponential', delay: BACKOFF_MS },
          delay,
          // What has come of it is in the store, where it outlives Redis.
          removeOnComplete: true,
          removeOnFail: true,
        },
      })),
    );
  }

  async #countWorkers(): Promise<void> {
    const { queue, database } = this.#at;
    const answers = Promise.all([this.#queue.getWorkers(), this.#queue.getActive()]);
    const [workers, active] = await answers.catch(() => [null, []] as const);
    if (!workers) return;
    // A Redis tells of those of all its databases; one that says nothing of databases has one.
    const own = workers.filter(({ db = '0' }) => Number(db) === database);
    const atWork = active.filter(({ id = '' }) => this.#open.has(keyOf(id))).length;
    const start = `sward work --on …${database === 0 ? '' : `/${database}`}${queue === 'cpu' ? '' : ` --queues ${queue}`}`;
    this.#workers =
      own.length > 0
        ? `on ${countOf(own.length, 'worker')}, ${atWork} at work`
        : `no worker of sward ${packageVersion()}: ${start} starts one`;
    this.#note();
  }
}
