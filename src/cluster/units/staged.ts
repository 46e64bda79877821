import { randomUUID } from 'node:crypto';
import { readdir, rename, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { configure, environment } from '../../ground/environment.ts';
import { type FileLock, isLocked, takeLock, withLock } from '../../ground/file-lock.ts';
import { makeFolder, temporaryNameBeside, writeFileAtomically } from '../../ground/files.ts';
import { fileFingerprint } from '../../ground/fingerprint.ts';
import { placeUnder } from '../../ground/moved-files.ts';
import { readText } from '../../ground/whole-file.ts';
import { download } from '../../storage/index.ts';
import { JobStore } from './job-store.ts';
import type { StagedFile, UnitSpec } from './spec.ts';

/** How long files stay after their last use where nobody says whether their job is done: longer than queues stand still. */
const STAYS_MS = 7 * 24 * 3_600_000;

const FOLDERS = /^staged-[\w-]+$/;
/** What a sweep that was killed has left. */
const LEFTOVERS = /^\.staged-.*\.part$/;

/** In such a folder: the files by their paths, who uses them now, and which job they are of. */
const FILES = 'files';
const USERS = 'users';
const JOB = 'job.json';

const jobSchema = z.object({ store: z.string(), job: z.string() });

/** Where units are computed on this machine unless it is said otherwise. */
export const unitsFolder = (): string => join(environment().cacheFolder, 'units');

/** Where files lie that the planning machine knows by its own paths, while a unit uses them. */
export class StagedFiles implements AsyncDisposable {
  readonly #root: string | null;
  readonly #use: FileLock | null;

  private constructor(root: string | null, use: FileLock | null) {
    this.#root = root;
    this.#use = use;
  }

  /**
   * Files that the planning machine has put into the store are fetched, once a machine, and found there by whoever reads
   * weights; without any, all machines see the same folder.
   *
   * @param scratch a unit's folder, beside which they lie
   */
  static async open(spec: UnitSpec, scratch: string): Promise<StagedFiles> {
    if (spec.staged.length === 0) {
      configure({ moved: null });
      return new StagedFiles(null, null);
    }
    const folder = join(dirname(scratch), `staged-${spec.job}`);
    const use = await withLock(lockOf(folder), async () => {
      await makeFolder(join(folder, USERS));
      const { store, job } = spec;
      await writeFileAtomically(join(folder, JOB), JSON.stringify({ store, job }));
      const name = `${hostname()}-${process.pid}-${randomUUID()}.lock`;
      return takeLock(join(folder, USERS, name), () => new RangeError(`${name} is another's`));
    });
    const root = join(folder, FILES);
    try {
      const jobs = JobStore.of(spec);
      for (const { path, sha256 } of spec.staged) {
        const local = placeUnder(root, path);
        if ((await fileFingerprint(local).catch(() => null)) === sha256) continue;
        await download(jobs.store, jobs.objectKey(sha256), local, { sha256 });
      }
    } catch (error) {
      await use.release();
      throw error;
    }
    configure({ moved: { root, folder: spec.folder } });
    return new StagedFiles(root, use);
  }

  /** Where a file lies here. */
  place(path: string): string {
    return this.#root === null ? path : placeUnder(this.#root, path);
  }

  /** Says that nobody needs them for this unit any more. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#use?.release();
  }
}

const lockOf = (folder: string): string => `${folder}.lock`;

/** Puts files into the store, so that machines that do not see them can fetch them. */
export async function stageFiles(jobs: JobStore, paths: readonly string[]): Promise<StagedFile[]> {
  const staged: StagedFile[] = [];
  for (const path of [...new Set(paths.map((one) => resolve(one)))]) {
    const sha256 = await fileFingerprint(path);
    await jobs.putObject(path, sha256);
    staged.push({ path, sha256 });
  }
  return staged;
}

/**
 * Removes what was fetched for jobs that are done, or for too long by nobody, and is not in use.
 *
 * @param units folder of the units of this machine
 */
export async function clearStaged(units: string): Promise<void> {
  for (const name of await readdir(units).catch((): string[] => [])) {
    const folder = join(units, name);
    if (LEFTOVERS.test(name)) await rm(folder, { recursive: true, force: true });
    if (!FOLDERS.test(name) || !(await isOver(folder))) continue;
    const aside = temporaryNameBeside(folder);
    // Whoever begins to use them waits, finds none, and fetches them anew.
    await withLock(lockOf(folder), async () => {
      if (!(await isUsed(folder))) await rename(folder, aside).catch(() => {});
    });
    await rm(aside, { recursive: true, force: true });
  }
}

/** Whether nobody will ask for the files of a folder any more. */
async function isOver(folder: string): Promise<boolean> {
  const note = join(folder, JOB);
  const facts = await stat(note).catch(() => stat(folder).catch(() => null));
  if (!facts) return false;
  if (Date.now() - facts.mtimeMs > STAYS_MS) return true;
  try {
    return !(await JobStore.of(jobSchema.parse(JSON.parse(await readText(note)))).isThere());
  } catch {
    // A store that gives no answer says nothing of the job.
    return false;
  }
}

async function isUsed(folder: string): Promise<boolean> {
  const users = join(folder, USERS);
  for (const name of await readdir(users).catch((): string[] => [])) {
    // What cannot be looked at may be in use.
    if (await isLocked(join(users, name)).catch(() => true)) return true;
  }
  return false;
}
