import { EventEmitter } from 'node:events';
import { mkdir, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { ChildFailure, LimitedChild, TaskRefused } from '../../ground/children/limited-child.ts';
import { answerTo } from '../answers/error-answer.ts';
import { conflict } from '../answers/refusal.ts';
import { withoutOptions } from '../answers/without-options.ts';
import { writeTrainingFolder } from '../exports/training-folder.ts';
import type { Log } from '../observing/log.ts';
import type { Estimator } from '../photos/estimator.ts';
import type { RunLibrary } from '../runs/library.ts';
import type { Database } from '../storage/database.ts';
import type { FarmFolder } from '../storage/farm-folder.ts';
import type { PhotoStore } from '../storage/photo-store.ts';
import { stored } from '../storage/stored.ts';
import { isOver, type Job, type JobProgress, type JobRequest, type JobState, NO_PROGRESS } from './job.ts';
import type { Trained, TrainingNews, TrainingTask } from './training-task.ts';

/** What jobs need of the server. */
interface JobParts {
  readonly db: Database;
  readonly folder: FarmFolder;
  readonly store: PhotoStore;
  readonly runs: RunLibrary;
  readonly estimator: Estimator;
  readonly log: Log;
}

/** What a training may use. */
const TRAINING_LIMITS = { heapMebibytes: 4096, residentMebibytes: 8192 };

/** How long a job waits that could not be written down: at first, and, doubled each time, at most. */
const FIRST_RETRY_MS = 3_000;
const LONGEST_RETRY_MS = 60_000;

/** How often progress is written down at most. */
const NOTE_EVERY_MS = 1000;

/** Long work of the farm, one job at a time, in the order they were asked for. What runs when the server ends is taken up again. */
export class Jobs {
  readonly #parts: JobParts;
  /** Each event is the id of a job that has changed. */
  readonly #changes = new EventEmitter<Record<string, []>>().setMaxListeners(0);
  #current: { readonly id: string; readonly stop: AbortController; readonly outcome: Promise<void> } | null =
    null;
  #retry = FIRST_RETRY_MS;
  #isClosing = false;

  constructor(parts: JobParts) {
    this.#parts = parts;
  }

  /** Takes up what a server before this one left. */
  async begin(): Promise<void> {
    await this.#parts.db
      .updateTable('jobs')
      .set({ state: 'queued' })
      .where('state', '=', 'running')
      .execute();
    await this.#next();
  }

  /** Asks for a job; asked again under the same id it is the same job. @throws Refusal where that id is another's */
  async ask(id: string, request: JobRequest): Promise<Job> {
    if (request.kind === 're-estimate') await this.#parts.runs.find(request.runId);
    await this.#parts.db
      .insertInto('jobs')
      .values({
        id,
        kind: request.kind,
        state: 'queued',
        asked: JSON.stringify(request),
        progress: JSON.stringify(NO_PROGRESS),
        created_at: new Date().toISOString(),
        finished_at: null,
      })
      .onConflict((on) => on.column('id').doNothing())
      .execute();
    const job = await this.find(id);
    if (!job || JSON.stringify(job.request) !== JSON.stringify(request)) {
      throw conflict(`job ${id} was asked for with other words; give a new job an id of its own`);
    }
    await this.#next();
    return job;
  }

  async find(id: string): Promise<Job | null> {
    const row = await this.#parts.db.selectFrom('jobs').selectAll().where('id', '=', id).executeTakeFirst();
    return row ? jobOf(row) : null;
  }

  async list(): Promise<Job[]> {
    const rows = await this.#parts.db
      .selectFrom('jobs')
      .selectAll()
      .orderBy('created_at', 'desc')
      .limit(200)
      .execute();
    return rows.map(jobOf);
  }

  /** Ends a job that is not over. @returns null where there is none */
  async cancel(id: string): Promise<Job | null> {
    const job = await this.find(id);
    if (!job || isOver(job.state)) return job;
    await this.#finish(id, 'cancelled', job.progress);
    if (this.#current?.id === id) this.#current.stop.abort();
    return this.find(id);
  }

  /** Tells of every change of a job until it is over or `signal` says so. */
  async *watch(id: string, signal: AbortSignal): AsyncGenerator<Job> {
    let changed: () => void = () => {};
    const hear = (): void => changed();
    this.#changes.on(id, hear);
    signal.addEventListener('abort', hear);
    try {
      for (;;) {
        const change = new Promise<void>((settle) => {
          changed = settle;
        });
        const job = await this.find(id);
        if (!job || signal.aborted || this.#isClosing) return;
        yield job;
        if (isOver(job.state)) return;
        await change;
      }
    } finally {
      this.#changes.off(id, hear);
      signal.removeEventListener('abort', hear);
    }
  }

  /** Stops the job that runs, which stays queued for the next start. */
  async close(): Promise<void> {
    this.#isClosing = true;
    this.#current?.stop.abort();
    for (const id of this.#changes.eventNames()) this.#changes.emit(id);
    await this.#current?.outcome;
  }

  /** Begins the job that has waited longest. One that is running and not here ended while nothing could be written. */
  async #next(): Promise<void> {
    if (this.#current || this.#isClosing) return;
    const row = await this.#parts.db
      .selectFrom('jobs')
      .selectAll()
      .where('state', 'in', ['queued', 'running'])
      .orderBy('created_at')
      .limit(1)
      .executeTakeFirst();
    if (!row || this.#current || this.#isClosing) return;
    const stop = new AbortController();
    const outcome = this.#run(jobOf(row), stop.signal)
      .then(() => {
        this.#retry = FIRST_RETRY_MS;
      })
      .catch((error: unknown) => {
        this.#logFailure(row.id, error);
        const wait = this.#retry;
        this.#retry = Math.min(2 * wait, LONGEST_RETRY_MS);
        // A disk that is full has room again when somebody has made some.
        return setTimeout(wait, undefined, { signal: stop.signal }).catch(() => {});
      })
      .then(() => {
        this.#current = null;
        return this.#next();
      })
      .catch((error: unknown) => this.#logFailure(row.id, error));
    this.#current = { id: row.id, stop, outcome };
  }

  #logFailure(id: string, error: unknown): void {
    this.#parts.log.error({ job: id, error: String(error) }, 'job failed');
  }

  async #run({ id, request }: Job, signal: AbortSignal): Promise<void> {
    const { db } = this.#parts;
    const { numUpdatedRows } = await db
      .updateTable('jobs')
      .set({ state: 'running' })
      .where('id', '=', id)
      .where('state', 'in', ['queued', 'running'])
      .executeTakeFirstOrThrow();
    // Cancelled since it was picked.
    if (numUpdatedRows === 0n) return;
    let progress = NO_PROGRESS;
    let noted = 0;
    const note = (changes: Partial<JobProgress>): void => {
      progress = { ...progress, ...changes };
      if (Date.now() - noted < NOTE_EVERY_MS) return;
      noted = Date.now();
      this.#note(id, progress).catch((error: unknown) => this.#logFailure(id, error));
    };
    try {
      if (request.kind === 're-estimate') {
        const run = await this.#parts.runs.find(request.runId);
        await this.#parts.estimator.all(run, (done, of) => note({ stage: 'Estimating', done, of }), signal);
      } else {
        progress = { ...progress, ...(await this.#train(id, request, note, signal)) };
      }
      if (signal.aborted) return;
      await this.#finish(id, 'done', progress);
    } catch (error) {
      if (signal.aborted) return;
      const { body, isOurs } = answerTo(error);
      if (isOurs) this.#logFailure(id, error);
      const message =
        error instanceof ChildFailure ? `the training ${error.message}` : withoutOptions(body.error.message);
      await this.#finish(id, 'failed', { ...progress, message });
    }
  }

  /** @returns the run, and how it did on cuts left out in turn */
  async #train(
    id: string,
    { name, seed }: Extract<JobRequest, { kind: 'train' }>,
    note: (changes: Partial<JobProgress>) => void,
    signal: AbortSignal,
  ): Promise<Pick<JobProgress, 'runId' | 'score'>> {
    const { db, folder, store, runs } = this.#parts;
    const place = join(folder.jobs, id);
    // A run's report is called what its folder is.
    const [data, out] = [join(place, 'data'), join(place, 'out', folderName(name))];
    await mkdir(dirname(out), { recursive: true });
    // What is trained on is what was there when the job began, also after a restart.
    if (!(await stat(data).catch(() => null))) await writeTrainingFolder(db, store, data);
    const child = new LimitedChild<TrainingTask, Trained, TrainingNews>(
      import.meta.url,
      'training-child',
      TRAINING_LIMITS,
    );
    const end = (): void => void child.end('SIGKILL');
    signal.addEventListener('abort', end);
    let done = 0;
    let trained: Trained;
    try {
      trained = await child.run(
        { data, out, seed, cache: folder.cache },
        {
          onNews(news) {
            done = news.kind === 'stage' ? 0 : done + news.steps;
            note(
              news.kind === 'stage'
                ? { stage: news.title, of: news.total, done, remark: '' }
                : { done, remark: news.remark },
            );
          },
        },
      );
    } catch (error) {
      // What a server that ends leaves is gone on with; what failed or was cancelled is not.
      if (!this.#isClosing && (error instanceof TaskRefused || signal.aborted)) {
        await rm(place, { recursive: true, force: true });
      }
      throw error;
    } finally {
      signal.removeEventListener('abort', end);
      await child.end();
    }
    const run = await runs.addTrained(out, name);
    await rm(place, { recursive: true, force: true });
    const { imageIds, score, ...of } = trained;
    return {
      runId: run.id,
      score: { ...score, ...of, cuts: imageIds.length, visits: await visitsOf(db, imageIds) },
    };
  }

  async #note(id: string, progress: JobProgress): Promise<void> {
    const { db } = this.#parts;
    await db
      .updateTable('jobs')
      .set({ progress: JSON.stringify(progress) })
      .where('id', '=', id)
      .where('state', '=', 'running')
      .execute();
    this.#changes.emit(id);
  }

  async #finish(id: string, state: 'done' | 'failed' | 'cancelled', progress: JobProgress): Promise<void> {
    await this.#parts.db
      .updateTable('jobs')
      .set({ state, progress: JSON.stringify(progress), finished_at: new Date().toISOString() })
      .where('id', '=', id)
      .where('state', 'in', ['queued', 'running'])
      .execute();
    this.#changes.emit(id);
  }
}

/** What a run is called as the name of a folder on any disk. */
function folderName(name: string): string {
  const plain = name.replaceAll(/[/\\:*?"<>|\p{Cc}]/gu, '-').replace(/^\.+/, '');
  // Names have up to 255 bytes, of which a file that is written aside needs some.
  return (
    Buffer.from(plain)
      .subarray(0, 180)
      .toString()
      .replace(/\uFFFD+$/, '')
      .trim() || 'run'
  );
}

/** How many visits the cuts of photos are of. */
async function visitsOf(db: Database, photos: readonly string[]): Promise<number> {
  const rows = await db
    .selectFrom('cuts')
    .select('visit_id')
    .distinct()
    .where('photo_id', 'in', photos)
    .execute();
  return rows.length;
}

function jobOf(row: {
  readonly id: string;
  readonly asked: string;
  readonly state: string;
  readonly progress: string;
  readonly created_at: string;
  readonly finished_at: string | null;
}): Job {
  return {
    id: row.id,
    request: stored<JobRequest>(row.asked),
    state: row.state as JobState,
    // One of before had no score.
    progress: { ...NO_PROGRESS, ...stored<Partial<JobProgress>>(row.progress) },
    createdAt: row.created_at,
    finishedAt: row.finished_at,
  };
}
