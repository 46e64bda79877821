import { existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import type { Insertable } from 'kysely';
import { z } from 'zod';
import { type AnsweringRun, type RunErrors, RunReference } from '../../farm/index.ts';
import { LimitedChild } from '../../ground/children/limited-child.ts';
import { fileFingerprint } from '../../ground/fingerprint.ts';
import { BUNDLED_RUNS, bundledRunFolder, STARTER } from '../../runs/bundled-runs.ts';
import { manifestFile, readCompleteManifest } from '../../runs/manifest.ts';
import { REPORT } from '../../runs/run-files.ts';
import { requireUnchanged } from '../../runs/run-folder.ts';
import { openRun } from '../../workflows/index.ts';
import { conflict, found } from '../answers/refusal.ts';
import type { Database } from '../storage/database.ts';
import { flush } from '../storage/disk.ts';
import type { FarmFolder } from '../storage/farm-folder.ts';
import { stored } from '../storage/stored.ts';
import type { Tables } from '../storage/tables.ts';
import { factsOf } from './check-run.ts';
import type { CheckedRun, RunCheckTask } from './check-task.ts';

/** Where a run came from. */
const ORIGINS = ['bundled', 'given', 'added', 'trained'] as const;
type Origin = (typeof ORIGINS)[number];

/** A run that the farm may choose. */
export const ListedRun = z.strictObject({
  ...RunReference.shape,
  origin: z
    .enum(ORIGINS)
    .describe('bundled with sward; given at the start; added as a zip; trained on own cuts'),
  addedAt: z.string(),
  frameAreaSquareMetres: z.number().describe('frame that its masses stand on, m²'),
  chosen: z.boolean().describe('whether it answers now'),
  report: z.boolean().describe('whether its folder has a report to be read'),
});
export type ListedRun = z.output<typeof ListedRun>;

/** A run with its folder. */
export interface FarmRun extends AnsweringRun {
  readonly folder: string;
}

/** How long a run may take to be unpacked, opened and asked. */
const CHECK_MS = 10 * 60_000;

/** A run's manifest holds the hashes of all its files: what it is called is what it is. */
const idOf = (hash: string): string => hash.slice(0, 16);

/** What the check of a run has found. */
const columnsOf = ({ hash, areaSquareMetres, errors }: CheckedRun) => ({
  hash,
  area_m2: areaSquareMetres,
  errors: JSON.stringify(errors),
});

/** Where a run lies: with sward, where it was given from, or in the farm's folder. */
export const runPlace = (
  { id, folder }: Pick<Tables['runs'], 'id' | 'folder'>,
  { runs }: FarmFolder,
): string => (id === STARTER ? bundledRunFolder(STARTER) : (folder ?? join(runs, id)));

/** Whether a run's folder has the files that its manifest names, as they were written. */
const isAsKept = (folder: string): Promise<boolean> =>
  readCompleteManifest(folder)
    .then((manifest) => requireUnchanged(folder, manifest))
    .then(
      () => true,
      () => false,
    );

/** The runs of a farm: that which comes with sward, and those in the farm's folder. */
export class RunLibrary {
  readonly #db: Database;
  readonly #folder: FarmFolder;
  readonly #bytes: number;

  /** @param bytes largest run, unpacked */
  constructor(db: Database, folder: FarmFolder, bytes: number) {
    this.#db = db;
    this.#folder = folder;
    this.#bytes = bytes;
  }

  /** Lists the bundled run, and makes it the farm's where none was chosen yet. */
  async begin(): Promise<void> {
    const starter = bundledRunFolder(STARTER);
    const known = await this.findByHash(await fileFingerprint(join(starter, manifestFile('trained'))));
    if (known?.id !== STARTER) {
      // It comes with sward, and needs no trial in a process of its own.
      await using run = await openRun(starter);
      const checked = await factsOf(run);
      const row = { name: STARTER, ...columnsOf(checked) };
      await this.#db
        .insertInto('runs')
        .values({ ...row, id: STARTER, origin: 'bundled', folder: null, added_at: new Date().toISOString() })
        .onConflict((on) => on.column('id').doUpdateSet(row))
        .execute();
    }
    // Also where the run is known: a start that was killed between the two writes has left no choice.
    await this.#db
      .insertInto('farm')
      .values({ id: 1, name: '', run_id: STARTER })
      .onConflict((on) => on.doNothing())
      .execute();
  }

  async list(): Promise<ListedRun[]> {
    const rows = await this.#db.selectFrom('runs').selectAll().orderBy('added_at').execute();
    const chosen = await this.chosen();
    return rows.map(({ id, name, hash, origin, added_at, area_m2, folder }) => ({
      id,
      name,
      hash,
      origin: z.enum(ORIGINS).parse(origin),
      addedAt: added_at,
      frameAreaSquareMetres: area_m2,
      chosen: id === chosen.id,
      report: existsSync(join(runPlace({ id, folder }, this.#folder), REPORT)),
    }));
  }

  /** @throws Refusal where there is no such run */
  async find(id: string): Promise<FarmRun> {
    const row = await this.#db.selectFrom('runs').selectAll().where('id', '=', id).executeTakeFirst();
    return this.#runOf(found(row, 'run'));
  }

  /** The run of a hash; null where it is not listed. */
  async findByHash(hash: string): Promise<FarmRun | null> {
    const row = await this.#db.selectFrom('runs').selectAll().where('hash', '=', hash).executeTakeFirst();
    return row ? this.#runOf(row) : null;
  }

  /** All runs, in the order they were added. */
  async all(): Promise<FarmRun[]> {
    const rows = await this.#db.selectFrom('runs').selectAll().orderBy('added_at').execute();
    return rows.map((row) => this.#runOf(row));
  }

  /** The run that answers. */
  async chosen(): Promise<FarmRun> {
    const { run_id } = await this.#db.selectFrom('farm').select('run_id').executeTakeFirstOrThrow();
    return this.find(run_id);
  }

  /**
   * Makes a run the one that answers.
   *
   * @throws Refusal where there is no such run, or its files are not as they were kept
   */
  async choose(id: string): Promise<FarmRun> {
    const run = await this.find(id);
    if (!(await isAsKept(run.folder))) {
      throw conflict(
        `run ${run.name} is not as it was kept (sward serve verify says what is wrong); add it again`,
      );
    }
    await this.#db.updateTable('farm').set({ run_id: id }).execute();
    return run;
  }

  /**
   * Takes in the zip of a run folder: its names are checked and its size bounded while it is unpacked, its files'
   * hashes when it is opened, and it is asked about a picture before it is kept.
   *
   * @returns the run, which may have been there before
   * @throws TaskRefused for an archive that is none, or holds no such run
   */
  async addArchive(archive: string, name: string): Promise<FarmRun> {
    const aside = `${archive}.run`;
    try {
      const checked = await this.#checked({ kind: 'archive', archive, into: aside, mostBytes: this.#bytes });
      return await this.#keep(aside, checked, name, 'added');
    } finally {
      await rm(aside, { recursive: true, force: true });
    }
  }

  /** Lists a run folder of this machine, which stays where it is. @throws TaskRefused when it is none that answers */
  async addGiven(nameOrFolder: string): Promise<FarmRun> {
    if (BUNDLED_RUNS.includes(nameOrFolder)) return this.find(nameOrFolder);
    const folder = resolve(nameOrFolder);
    const checked = await this.#checked({ kind: 'folder', folder, isOwn: true });
    const { hash } = checked;
    const known = await this.findByHash(hash);
    if (known) return known;
    await this.#insert({ ...columnsOf(checked), name: basename(folder), origin: 'given', folder });
    return this.find(idOf(hash));
  }

  /** Moves a run that was trained here to the others. @throws TaskRefused when it does not answer */
  async addTrained(folder: string, name: string): Promise<FarmRun> {
    return this.#keep(folder, await this.#checked({ kind: 'folder', folder, isOwn: true }), name, 'trained');
  }

  /** Forgets a run; estimates by it stay. @throws Refusal for the bundled one and the one that answers */
  async remove(id: string): Promise<void> {
    await this.find(id);
    if (id === STARTER) throw conflict('the starter comes with sward and stays');
    if ((await this.chosen()).id === id) throw conflict('this run answers now; choose another first');
    await this.#db.deleteFrom('runs').where('id', '=', id).execute();
    await rm(join(this.#folder.runs, id), { recursive: true, force: true });
  }

  #runOf(row: Tables['runs']): FarmRun {
    const { id, name, hash, area_m2, errors } = row;
    return {
      id,
      name,
      hash,
      folder: runPlace(row, this.#folder),
      frameAreaSquareMetres: area_m2,
      errors: stored<RunErrors>(errors),
    };
  }

  async #keep(aside: string, checked: CheckedRun, name: string, origin: Origin): Promise<FarmRun> {
    const { hash } = checked;
    const known = await this.findByHash(hash);
    if (known && (await isAsKept(known.folder))) return known;
    const place = join(this.#folder.runs, idOf(hash));
    // A run given by its folder stays where it is, whatever became of it.
    if (known && known.folder !== place) return known;
    // What a kill between renaming and writing the row left there is the same run; what is damaged is put right.
    await rm(place, { recursive: true, force: true });
    await rename(aside, place);
    await flush(this.#folder.runs);
    await this.#insert({ ...columnsOf(checked), name, origin, folder: null });
    return this.find(idOf(hash));
  }

  async #insert(row: Omit<Insertable<Tables['runs']>, 'id' | 'added_at'>): Promise<void> {
    await this.#db
      .insertInto('runs')
      .values({ ...row, id: idOf(row.hash), added_at: new Date().toISOString() })
      .onConflict((on) => on.doNothing())
      .execute();
  }

  async #checked(task: RunCheckTask['run']): Promise<CheckedRun> {
    const child = new LimitedChild<RunCheckTask, CheckedRun>(import.meta.url, 'check-child', {
      heapMebibytes: 2048,
      residentMebibytes: 6144,
    });
    try {
      return await child.run({ run: task, cache: this.#folder.cache }, { milliseconds: CHECK_MS });
    } finally {
      await child.end();
    }
  }
}
