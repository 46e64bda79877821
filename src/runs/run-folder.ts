import { appendFile, lstat, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { InputError, SwardError, UsageError } from '../ground/errors.ts';
import { type FileLock, isLocked, type LockOwner, requireUnlocked, takeLock } from '../ground/file-lock.ts';
import { isInside, makeFolder, replaceFolder, withTemporaryName, writeFailure } from '../ground/files.ts';
import { fileFingerprint } from '../ground/fingerprint.ts';
import { readText, reasonOf } from '../ground/whole-file.ts';
import type { MetricLine } from '../learning/estimator.ts';
import {
  isOwnManifest,
  MANIFEST_FILES,
  type Manifest,
  manifestFile,
  readManifest,
  writeManifest,
} from './manifest.ts';

const METRICS = 'metrics.jsonl';
/** The lock's file in a folder that is being written. */
const LOCK = 'run.lock';

/** What the caller allows to happen to a folder that is there already. */
export interface ExistingRunPolicy {
  readonly resume?: boolean;
  readonly overwrite?: boolean;
}

/** What a kind of folder consists of besides its manifest. */
export interface FolderContents {
  /** Whether a file or folder is written anew in the end, and gone at every start. */
  readonly derived: (name: string) => boolean;
  /** Those of them without which a folder is not complete, whatever its manifest says. */
  readonly essential: readonly string[];
  /** What an interrupted start may go on with; gone at a fresh one. */
  readonly resumable: RegExp;
  /** What may lie in the folder before the first start, as the sample of the demo. */
  readonly beside?: RegExp;
}

/**
 * Refuses a folder that something else wrote, before any work is done: one may be written that is not there, is
 * empty, or holds what sward wrote, a killed start included.
 *
 * @throws UsageError naming what lies there
 * @throws InputError where the disk refuses
 */
export async function requireOwnFolder(folder: string, manifest: string, beside?: RegExp): Promise<void> {
  if ((await ownershipOf(folder, manifest, beside)) === 'free') await requireWritable(folder);
}

/** Whether a folder holds what sward wrote, or may be written. @throws as {@link requireOwnFolder}, but writes nothing */
async function ownershipOf(
  folder: string,
  manifest: string,
  beside: RegExp = NOTHING,
): Promise<'free' | 'written'> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException): string[] => {
    if (error.code === 'ENOENT') return [];
    if (error.code !== 'ENOTDIR') throw writeFailure(folder, error);
    throw new UsageError(`${folder} is there and is not a folder; choose another --out`);
  });
  if (names.includes(manifest)) {
    if (await isOwnManifest(join(folder, manifest))) return 'written';
    throw new UsageError(
      `${folder} is there and its ${manifest} is not one that sward wrote, or is damaged; choose another --out`,
    );
  }
  const foreign = names.find((name) => !isLeftover(name) && name !== LOCK && !beside.test(name));
  if (foreign === undefined) return 'free';
  const what = manifest === 'run.json' ? 'is not a run folder' : 'was not written by sward pretrain';
  throw new UsageError(`${folder} is there and ${what} (it holds ${foreign}); choose another --out`);
}

const NOTHING = /^$/;

/** What writing aside leaves behind when it is killed. */
const isLeftover = (name: string): boolean => name.endsWith('.part');

/**
 * Takes the lock of a folder.
 *
 * @throws UsageError when another process writes the folder now
 */
export function lockFolder(folder: string): Promise<FileLock> {
  return takeLock(join(folder, LOCK), (owner) => new BeingWritten(folder, owner));
}

/** Another process writes a folder now. */
export class BeingWritten extends UsageError {
  override name = 'BeingWritten';
  readonly folder: string;
  readonly owner: LockOwner | null;
  /** Whether it writes, as far as can be told, the very same. */
  readonly isSameWork: boolean;

  constructor(folder: string, owner: LockOwner | null, isSameWork = false) {
    const who = owner
      ? `process ${owner.pid} on ${owner.host} since ${owner.since}`
      : `a process that its ${LOCK} does not name`;
    super(`${folder} is being written by ${who}; wait for it, or choose another --out`);
    this.folder = folder;
    this.owner = owner;
    this.isSameWork = isSameWork;
  }
}

/** How often a folder is looked at that another process writes. */
const POLL_MS = 500;

/** Waits until no other process writes a folder. */
export async function untilFree(folder: string): Promise<void> {
  while (await isLocked(join(folder, LOCK))) await pause(POLL_MS);
}

/** Refuses a folder as `error` does: one that another process writes also by whether it is the same. */
const refusal =
  (path: string, manifest: Manifest) =>
  async (error: unknown): Promise<never> => {
    if (!(error instanceof BeingWritten)) throw error;
    // Who has just begun has said nothing yet.
    const theirs = await readManifest(path, manifestFile(manifest.kind)).catch(() => null);
    const isSameWork = theirs === null || theirs.fingerprint === manifest.fingerprint;
    throw isSameWork ? new BeingWritten(path, error.owner, true) : error;
  };

/**
 * A folder that is being written: from `begin`, which locks it, through what the caller writes, to `complete`; whatever
 * happens, `release` gives the lock back.
 */
export class RunFolder {
  readonly path: string;
  readonly #lock: FileLock;
  readonly #manifest: Manifest;
  /** SHA-256 of what is there to stay. */
  readonly #files: Map<string, string>;

  private constructor(path: string, lock: FileLock, manifest: Manifest, files: Manifest['files']) {
    this.path = path;
    this.#lock = lock;
    this.#manifest = manifest;
    this.#files = new Map(Object.entries(files));
  }

  /**
   * Takes a folder and makes it ready: its manifest says incomplete; leftovers of another run or of a kill are gone, and
   * so is what is to be resumed and has changed since it was written.
   *
   * @param manifest as it is to stand in the end
   * @returns null when the same command has finished there, and the folder is left as it is
   * @throws UsageError when the folder holds something else or an unfinished run that was not to be resumed, or
   *   another process writes it
   */
  static async begin(
    path: string,
    manifest: Manifest,
    contents: FolderContents,
    policy: ExistingRunPolicy,
  ): Promise<RunFolder | null> {
    await ownershipOf(path, manifestFile(manifest.kind), contents.beside);
    const lock = await openedToOne(path).catch(refusal(path, manifest));
    try {
      const { mode, known } = await settled(path, manifest, contents, policy);
      if (mode === 'complete') {
        await lock.release();
        return null;
      }
      const kept: [string, string][] = [];
      for (const name of await readdir(path)) {
        const own = Object.entries(known).filter(([file]) => file.startsWith(`${name}/`));
        const left = isLeftover(name) || contents.derived(name);
        const stale = contents.resumable.test(name) && (mode === 'fresh' || !(await areUnchanged(path, own)));
        // Of a rival that waits, what it writes aside may be gone by now.
        if (left || stale) await rm(join(path, name), { recursive: true, force: true });
        else if (contents.resumable.test(name)) kept.push(...own);
      }
      const files = Object.fromEntries(kept);
      await writeManifest(path, { ...manifest, status: 'incomplete', files });
      return new RunFolder(path, lock, manifest, files);
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  /**
   * Finds what {@link begin} would refuse, before work is done whose result could then not be written.
   *
   * @returns whether the same command has finished there
   * @throws UsageError and InputError as {@link begin}
   */
  static async foresee(
    path: string,
    manifest: Manifest,
    contents: FolderContents,
    policy: ExistingRunPolicy,
  ): Promise<boolean> {
    const requireFree = (): Promise<void> =>
      requireUnlocked(join(path, LOCK), (owner) => new BeingWritten(path, owner)).catch(
        refusal(path, manifest),
      );
    await requireFree();
    const { mode } = await settled(path, manifest, contents, policy).catch(async (error: unknown) => {
      // Who has begun since then leaves the folder in a state that is nobody's fault.
      await requireFree();
      throw error;
    });
    if (mode !== 'complete') await requireWritable(path);
    return mode === 'complete';
  }

  /** Remembers the content of what was written to stay, so that a resumed start notices when it has changed. */
  async remember(name: string): Promise<void> {
    await this.#hashed([name]);
    const files = Object.fromEntries(this.#files);
    await writeManifest(this.path, { ...this.#manifest, status: 'incomplete', files });
  }

  /** SHA-256 of files, by path; of folders, of all files in them. What was remembered before is not read again. */
  async #hashed(names: readonly string[]): Promise<Record<string, string>> {
    const files = (await Promise.all(names.map((name) => filesIn(this.path, name)))).flat().sort();
    const hashes: [string, string][] = [];
    for (const file of files) {
      const hash = this.#files.get(file) ?? (await fileFingerprint(join(this.path, file)));
      this.#files.set(file, hash);
      hashes.push([file, hash]);
    }
    return Object.fromEntries(hashes);
  }

  /**
   * Says that the folder is complete and remembers the content of the files that predictions depend on.
   *
   * @param files their paths in the folder; of folders, all files in them
   * @param changes what the manifest says now that all is written
   */
  async complete(files: readonly string[], changes: Partial<Manifest> = {}): Promise<void> {
    await this.requireHeld();
    const hashes = await this.#hashed(files);
    const manifest = { ...this.#manifest, ...changes, status: 'complete', files: hashes };
    await writeManifest(this.path, manifest as Manifest);
  }

  /** @throws SwardError when the folder is not this process's any more, so that nothing is to be written into it */
  async requireHeld(): Promise<void> {
    if (await this.#lock.isHeld()) return;
    throw new SwardError(
      `${this.path} was removed, or taken over by another process, while it was being written; start again`,
    );
  }

  /** What is to be thrown for a failure of what wrote the folder: that it is gone, or what the disk has against it. */
  async failure(error: unknown): Promise<unknown> {
    try {
      await this.requireHeld();
    } catch (lost) {
      return lost;
    }
    const path = error instanceof Error && 'path' in error ? String(error.path) : this.path;
    const isOurs = path === this.path || isInside(resolve(this.path), resolve(path));
    return isOurs ? writeFailure(path, error) : error;
  }

  /** Gives the lock back; what was written stays, and may be resumed where it is not complete. */
  async release(): Promise<void> {
    await this.#lock.release();
  }
}

/**
 * Writes something into a folder, or where it would be made, and leaves no trace. The folder itself is not made for it:
 * what is taken away again another process may have begun to write to.
 *
 * @throws InputError when the disk refuses
 */
async function requireWritable(folder: string): Promise<void> {
  const path = resolve(folder);
  await withTemporaryName(join(await nearestFolder(path), 'trial'), async (trial) => {
    try {
      await writeFile(trial, '');
    } catch (error) {
      throw writeFailure(path, error);
    } finally {
      await rm(trial, { force: true }).catch(() => {});
    }
  });
}

/** The path itself, or the nearest one above it that is there; a link that leads nowhere is. */
async function nearestFolder(path: string): Promise<string> {
  const isThere = await lstat(path).then(
    () => true,
    () => false,
  );
  return isThere || dirname(path) === path ? path : nearestFolder(dirname(path));
}

/** Makes a folder and locks it. @throws InputError when the disk refuses, UsageError as {@link lockFolder} */
async function openedToOne(path: string): Promise<FileLock> {
  try {
    await makeFolder(path);
    return await lockFolder(path);
  } catch (error) {
    throw writeFailure(path, error);
  }
}

interface Settled {
  readonly mode: 'fresh' | 'resume' | 'complete';
  /** Hashes of what is to be resumed. */
  readonly known: Manifest['files'];
}

/** What writing into the folder means now. */
async function settled(
  path: string,
  manifest: Manifest,
  contents: FolderContents,
  { resume = false, overwrite = false }: ExistingRunPolicy,
): Promise<Settled> {
  const file = manifestFile(manifest.kind);
  // Once more, now that nobody else writes.
  if ((await ownershipOf(path, file, contents.beside)) === 'free' || overwrite) {
    return { mode: 'fresh', known: {} };
  }
  const existing = await readManifest(path, file);
  const title = manifest.kind === 'pretraining' ? 'pretraining' : 'run';
  if (existing.fingerprint !== manifest.fingerprint) {
    const name = existing.kind === 'trained' ? `${existing.recipe.name}, ` : '';
    throw new UsageError(
      `${path} holds another ${title} (${name}${DIFFERENCES[manifest.kind]}); choose another --out or pass --overwrite`,
    );
  }
  const names = await readdir(path);
  const isWhole = contents.essential.every((name) => names.includes(name));
  if (existing.status === 'complete' && isWhole) return { mode: 'complete', known: {} };
  if (resume) return { mode: 'resume', known: existing.files };
  throw new UsageError(
    `${path} holds an unfinished ${title}; pass --resume to go on or --overwrite to start again`,
  );
}

/** What may tell two folders of a kind apart. */
const DIFFERENCES: Readonly<Record<Manifest['kind'], string>> = {
  trained: 'other settings, folds or data',
  ensemble: 'other members or settings',
  pretraining: 'other settings, backbone or photos',
};

/** The files behind a path of a folder: itself, or all in it; none where it is not there. */
async function filesIn(folder: string, path: string): Promise<string[]> {
  const facts = await stat(join(folder, path)).catch(() => null);
  if (!facts) return [];
  if (!facts.isDirectory()) return [path];
  const names = await readdir(join(folder, path));
  return (await Promise.all(names.map((name) => filesIn(folder, `${path}/${name}`)))).flat();
}

async function areUnchanged(folder: string, files: readonly (readonly [string, string])[]): Promise<boolean> {
  for (const [name, sha256] of files) {
    if ((await fileFingerprint(join(folder, name)).catch(() => null)) !== sha256) return false;
  }
  return true;
}

/**
 * Makes sure that the files of a finished run are those that were written.
 *
 * @throws InputError naming the first that is missing or has changed
 */
export async function requireUnchanged(folder: string, { files }: Pick<Manifest, 'files'>): Promise<void> {
  for (const [name, sha256] of Object.entries(files)) {
    const path = join(folder, name);
    const found = await fileFingerprint(path).catch((error: unknown) => {
      throw new InputError(path, `cannot be read (${reasonOf(error)})`, 'put the run back as it was written');
    });
    if (found === sha256) continue;
    throw new InputError(
      path,
      'is not the file that was written (its SHA-256 is another)',
      'put the run back as it was written, or make it again with --overwrite',
    );
  }
}

/** Whether a folder is one that sward wrote, whatever its state. */
export async function isRunFolder(folder: string): Promise<boolean> {
  const names = await readdir(folder).catch((): string[] => []);
  return MANIFEST_FILES.some((file) => names.includes(file));
}

/** The folder of a fold's model. */
export function foldFolder(run: string, fold: number): string {
  return join(run, `fold-${fold}`);
}

/** Where a fold's training keeps what it goes on from after a kill. Nothing of it is left in a finished run. */
export function checkpointFolder(run: string, fold: number): string {
  return `${foldFolder(run, fold)}.checkpoint`;
}

/** Removes what {@link checkpointFolder} holds, which may be nothing. */
export async function removeCheckpoint(run: string, fold: number): Promise<void> {
  await rm(checkpointFolder(run, fold), { recursive: true, force: true });
}

/** Whether a fold's model is there; folders appear whole or not at all. */
export async function foldIsDone(run: string, fold: number): Promise<boolean> {
  return (await stat(foldFolder(run, fold)).catch(() => null))?.isDirectory() ?? false;
}

/** Writes a fold's folder aside and renames it when `write` has filled it and the metric lines are in. */
export async function writeFold(
  run: string,
  fold: number,
  lines: readonly MetricLine[],
  write: (folder: string) => Promise<void>,
): Promise<void> {
  const target = foldFolder(run, fold);
  try {
    await replaceFolder(target, async (aside) => {
      await write(aside);
      await appendFile(join(aside, METRICS), lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
    });
  } catch (error) {
    throw writeFailure(target, error);
  }
}

/** The metric lines of a fold. @throws InputError when a line is damaged */
export async function readMetrics(run: string, fold: number): Promise<MetricLine[]> {
  const path = join(foldFolder(run, fold), METRICS);
  const text = await readText(path).catch((error: unknown) => {
    throw new InputError(path, `cannot be read (${reasonOf(error)})`, 'train the run again');
  });
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line, index) => {
      const parsed = z.record(z.string(), z.number()).safeParse(parseJson(line));
      if (parsed.success) return parsed.data;
      throw new InputError(`${path} row ${index + 1}`, 'is damaged', 'train the run again');
    });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
