import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { PhoneModel } from '../../farm/index.ts';
import { ChildFailure, LimitedChild, TaskRefused } from '../../ground/children/limited-child.ts';
import { packageFile } from '../../ground/package-file.ts';
import { packageVersion } from '../../ground/version.ts';
import { STARTER } from '../../runs/bundled-runs.ts';
import { answerTo } from '../answers/error-answer.ts';
import { notFound, Refusal } from '../answers/refusal.ts';
import type { Log } from '../observing/log.ts';
import type { FarmFolder } from '../storage/farm-folder.ts';
import type { RunExportTask } from './export-task.ts';
import type { FarmRun } from './library.ts';

/** What phones fetch once and hold in memory. */
const MOST_BYTES = 150e6;

/** What an export may use, and how long it may take. */
const EXPORT_LIMITS = { heapMebibytes: 4096, residentMebibytes: 8192 };
const EXPORT_MS = 20 * 60_000;

/** A phone that asks for a model that is being made is kept waiting so long. */
const PATIENCE_MS = 20_000;

/** Files of a model. */
const FILES = /^(model\.json|[0-9a-f]+\.bin)$/;

/**
 * Runs as phones evaluate them, made when they are chosen or first asked for, in a process of their own, and kept in the farm's cache by
 * the run's hash. The starter's may have come with sward.
 */
export class PhoneModels {
  readonly #folder: FarmFolder;
  readonly #log: Log;
  readonly #bundled: string;
  /** By the run's hash. */
  readonly #making = new Map<string, Promise<void>>();
  readonly #refusals = new Map<string, string>();
  readonly #children = new Set<LimitedChild<RunExportTask, null>>();
  #isClosing = false;

  /** @param bundled where the starter's lies if it came with sward */
  constructor(folder: FarmFolder, log: Log, bundled = packageFile('dist/web/models/starter')) {
    this.#bundled = bundled;
    this.#folder = folder;
    this.#log = log;
  }

  /** How phones come by a run; one that was never asked for is begun with. */
  of(run: FarmRun): PhoneModel {
    if (this.#placeOf(run) !== null) {
      return { kind: 'ready', folder: `/models/${run.id === STARTER ? STARTER : run.hash}/` };
    }
    const why = this.#refusals.get(run.hash);
    if (why !== undefined) return { kind: 'none', why };
    void this.#made(run);
    return { kind: 'making' };
  }

  /**
   * A file of a run's model; the model is made where it is not there.
   *
   * @throws Refusal where there is no such file, none can be made, or it takes long
   */
  async file(run: FarmRun, name: string): Promise<Uint8Array<ArrayBuffer>> {
    if (!FILES.test(name)) throw notFound('file');
    if (this.#placeOf(run) === null) await Promise.race([this.#made(run), setTimeout(PATIENCE_MS)]);
    const place = this.#placeOf(run);
    if (place === null) {
      const why = this.#refusals.get(run.hash);
      if (why !== undefined) throw new Refusal(404, 'no-model', why);
      throw new Refusal(503, 'busy', 'the model is being made; try again in a minute', 60);
    }
    return readFile(join(place, name)).catch(() => {
      throw notFound('file');
    });
  }

  /** Forgets the model of a run that is removed. */
  async forget({ hash }: FarmRun): Promise<void> {
    await rm(this.#cached(hash), { recursive: true, force: true });
  }

  /** Ends what is being made; it is begun with anew when it is asked for. */
  async close(): Promise<void> {
    this.#isClosing = true;
    await Promise.all([...this.#children].map((child) => child.end()));
    await Promise.all(this.#making.values());
  }

  /** Another version of sward may write other models. */
  #cached(hash: string): string {
    return join(this.#folder.cache, 'phone', packageVersion(), hash);
  }

  #placeOf({ id, hash }: FarmRun): string | null {
    const places = [...(id === STARTER ? [this.#bundled] : []), this.#cached(hash)];
    return places.find((place) => existsSync(join(place, 'model.json'))) ?? null;
  }

  #made(run: FarmRun): Promise<void> {
    const { hash } = run;
    const known = this.#making.get(hash);
    if (known || this.#isClosing || this.#refusals.has(hash)) return known ?? Promise.resolve();
    const making = this.#make(run).finally(() => this.#making.delete(hash));
    this.#making.set(hash, making);
    return making;
  }

  async #make({ folder, hash }: FarmRun): Promise<void> {
    const child = new LimitedChild<RunExportTask, null>(import.meta.url, 'export-child', EXPORT_LIMITS);
    this.#children.add(child);
    const place = this.#cached(hash);
    // Aside, where what an end of the server leaves is gone with the next start.
    const out = join(this.#folder.scratch, `phone-${hash}`);
    try {
      await child.run(
        { folder, out, cache: this.#folder.cache, mostBytes: MOST_BYTES },
        { milliseconds: EXPORT_MS },
      );
      await mkdir(dirname(place), { recursive: true, mode: 0o700 });
      await rename(out, place);
    } catch (error) {
      if (this.#isClosing) return;
      const { body, isOurs } = answerTo(error);
      if (isOurs) this.#log.error({ error: String(error) }, 'model for phones');
      const isDead = error instanceof ChildFailure || !(error instanceof TaskRefused);
      this.#refusals.set(hash, isDead ? 'it could not be made ready for phones' : body.error.message);
    } finally {
      this.#children.delete(child);
      await child.end();
    }
  }
}
