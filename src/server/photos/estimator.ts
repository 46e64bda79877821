import { randomUUID } from 'node:crypto';
import type { ExpressionBuilder } from 'kysely';
import { type Estimate, isAskedAlike, type SaidOfPhoto } from '../../farm/index.ts';
import { ChildFailure, TaskRefused } from '../../ground/children/limited-child.ts';
import { packageVersion } from '../../ground/version.ts';
import { answerTo } from '../answers/error-answer.ts';
import { Busy, type InferencePool } from '../inference/pool.ts';
import { RUN_UNUSABLE } from '../inference/run-unusable.ts';
import type { FarmRun, RunLibrary } from '../runs/library.ts';
import type { Database } from '../storage/database.ts';
import type { PhotoStore } from '../storage/photo-store.ts';
import type { Tables } from '../storage/tables.ts';
import { findPhoto, photoOf, type StoredPhoto } from './stored-photo.ts';

/** Estimates of the photo that a query is at. */
const estimatesOf = ({ selectFrom }: ExpressionBuilder<Tables, 'photos'>) =>
  selectFrom('estimates').select('estimates.id').whereRef('estimates.photo_id', '=', 'photos.id');

/** A process that dies over a photo may have been ended for something else; twice is no chance. */
const MOST_DEATHS = 2;

/**
 * What is asked of the estimator: this run about all photos; or the farm's run about photos without any answer and about
 * those of visits that it has answered in part, of which its answers make the mean.
 */
type Wanted = { readonly kind: 'new' } | { readonly kind: 'by-run'; readonly run: FarmRun };

/** What the estimator needs of the server. */
interface EstimatorParts {
  readonly db: Database;
  readonly store: PhotoStore;
  readonly pool: InferencePool;
  readonly runs: RunLibrary;
  readonly workers: number;
  readonly cache: string;
  readonly onError: (error: unknown) => void;
}

/** An answer of a run with what it stands on. */
export const estimateOf = (
  answer: SaidOfPhoto,
  { id, name, hash }: FarmRun,
): Omit<Estimate, 'id' | 'photoId'> => ({
  source: 'modelled',
  estimatedAt: new Date().toISOString(),
  ...answer,
  run: { id, name, hash },
  engine: `sward ${packageVersion()}`,
  precision: 'fp32',
});

/**
 * Asks a run about stored photos, in the time that the pool has. What is to be done is what the database lacks, so that
 * a restart goes on where it stopped.
 */
export class Estimator {
  readonly #parts: EstimatorParts;
  readonly #deaths = new Map<string, number>();
  #running: Promise<void> | null = null;
  #isAskedAgain = false;
  #isClosing = false;

  constructor(parts: EstimatorParts) {
    this.#parts = parts;
  }

  /** Looks for photos that the farm's run is to answer, and has it answer them. */
  wake(): void {
    this.#isAskedAgain = true;
    this.#running ??= this.#rounds().finally(() => {
      this.#running = null;
      if (this.#isAskedAgain && !this.#isClosing) this.wake();
    });
  }

  /**
   * Asks a run about every photo that it has not answered yet.
   *
   * @param onProgress told how many are done of how many
   * @param signal stops after the photos under way
   */
  async all(
    run: FarmRun,
    onProgress: (done: number, of: number) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const { db } = this.#parts;
    const { count } = await db
      .selectFrom('photos')
      .select(({ fn }) => fn.countAll<number>().as('count'))
      .executeTakeFirstOrThrow();
    const { answered } = await db
      .selectFrom('estimates')
      .where('run_hash', '=', run.hash)
      .select(({ fn }) => fn.countAll<number>().as('answered'))
      .executeTakeFirstOrThrow();
    let done = answered;
    onProgress(done, count);
    await this.#work({ kind: 'by-run', run }, () => onProgress(++done, count), signal);
  }

  /** Stops after the photos under way. */
  async close(): Promise<void> {
    this.#isClosing = true;
    await this.#running;
  }

  async #rounds(): Promise<void> {
    this.#isAskedAgain = false;
    try {
      await this.#work({ kind: 'new' }, () => {});
    } catch (error) {
      if (!(error instanceof Busy)) this.#parts.onError(error);
    }
  }

  /** Photos are taken one after another by as many as the pool has processes. */
  async #work(wanted: Wanted, onDone: () => void, signal?: AbortSignal): Promise<void> {
    const underWay = new Set<string>();
    // One picks at a time, so that no two pick the same.
    let picking: Promise<StoredPhoto | null> = Promise.resolve(null);
    const pick = (): Promise<StoredPhoto | null> => {
      picking = picking.then(async () => {
        const photo = await this.#next(wanted, underWay);
        if (photo) underWay.add(photo.id);
        return photo;
      });
      return picking;
    };
    const turn = async (): Promise<void> => {
      while (!this.#isClosing && !signal?.aborted) {
        const photo = await pick();
        if (!photo) return;
        const run = wanted.kind === 'by-run' ? wanted.run : await this.#parts.runs.chosen();
        if (await this.#estimate(photo, run)) onDone();
        underWay.delete(photo.id);
      }
    };
    await Promise.all(Array.from({ length: this.#parts.workers }, turn));
  }

  async #next(wanted: Wanted, underWay: ReadonlySet<string>): Promise<StoredPhoto | null> {
    const { db, runs } = this.#parts;
    const { hash } = wanted.kind === 'by-run' ? wanted.run : await runs.chosen();
    const unasked = db
      .selectFrom('photos')
      .selectAll()
      .where((eb) => eb.not(eb.exists(estimatesOf(eb).where('estimates.run_hash', '=', hash))))
      .$if(underWay.size > 0, (query) => query.where('id', 'not in', [...underWay]))
      .orderBy('stored_at')
      .limit(1);
    // What another run could not answer this one may.
    const unanswered = unasked.where((eb) =>
      eb.not(eb.exists(estimatesOf(eb).where('estimates.body', 'is not', null))),
    );
    const ofVisitsBegun = unasked.where('visit_id', 'in', ({ selectFrom }) =>
      selectFrom('estimates')
        .innerJoin('photos as others', 'others.id', 'estimates.photo_id')
        .select('others.visit_id')
        .where('estimates.run_hash', '=', hash)
        .where('estimates.body', 'is not', null)
        .where('others.visit_id', 'is not', null),
    );
    const row =
      wanted.kind === 'by-run'
        ? await unasked.executeTakeFirst()
        : ((await unanswered.executeTakeFirst()) ?? (await ofVisitsBegun.executeTakeFirst()));
    return row ? photoOf(row) : null;
  }

  /** @returns whether the photo is through: answered, or known to be one that the run cannot answer */
  async #estimate(photo: StoredPhoto, run: FarmRun): Promise<boolean> {
    const { db, store, pool, cache } = this.#parts;
    const row = { id: randomUUID(), photo_id: photo.id, run_hash: run.hash };
    let outcome: { readonly body: string | null; readonly problem: string | null };
    try {
      const { refused, ...answer } = await pool.ask(
        {
          kind: 'estimate',
          run: run.folder,
          cache,
          photo: { kind: 'file', path: store.pathOf(photo.sha256) },
          facts: { frameAreaSquareMetres: photo.frameAreaSquareMetres, height: photo.height },
        },
        'later',
      );
      const estimate: Estimate = { id: row.id, photoId: photo.id, ...estimateOf(answer, run) };
      outcome = { body: JSON.stringify(estimate), problem: null };
    } catch (error) {
      if (error instanceof Busy) throw error;
      const deaths = (this.#deaths.get(photo.id) ?? 0) + 1;
      // A process that ends with the server says nothing of the photo.
      if (error instanceof ChildFailure && this.#isClosing) return false;
      if (error instanceof ChildFailure && deaths < MOST_DEATHS) {
        this.#deaths.set(photo.id, deaths);
        return false;
      }
      if (!(error instanceof TaskRefused || error instanceof ChildFailure)) throw error;
      // The photo waits until the run is put back, or another answers.
      if (error instanceof TaskRefused && error.of === RUN_UNUSABLE) throw error;
      outcome = { body: null, problem: answerTo(error).body.error.message };
    }
    this.#deaths.delete(photo.id);
    return db.transaction().execute(async (tx) => {
      const now = await findPhoto(tx, photo.id);
      // A photo that was removed meanwhile needs none; one whose frame or height was changed is asked about again.
      if (!now) return true;
      if (!isAskedAlike(now, photo)) return false;
      await tx
        .insertInto('estimates')
        .values({ ...row, estimated_at: new Date().toISOString(), ...outcome })
        .onConflict((on) => on.columns(['photo_id', 'run_hash']).doNothing())
        .execute();
      return true;
    });
  }
}
