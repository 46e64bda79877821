import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { mkdir, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { InputError } from './errors.ts';
import { otherKindOf } from './whole-file.ts';

/** A name beside `path` that no other process uses, for writing aside before renaming. */
export function temporaryNameBeside(path: string): string {
  const name = join(
    dirname(path),
    `.${basename(path)}.${process.pid}.${randomBytes(4).toString('hex')}.part`,
  );
  TEMPORARIES.add(name);
  return name;
}

/** What this process writes aside now. */
const TEMPORARIES = new Set<string>();

/** Says that what was written aside has been renamed or removed. */
export function forgetTemporary(name: string): void {
  TEMPORARIES.delete(name);
}

/** Gives a writer a name beside `path`, which is to be renamed or removed when it is through. */
export async function withTemporaryName<Result>(
  path: string,
  write: (temporary: string) => Promise<Result>,
): Promise<Result> {
  const temporary = temporaryNameBeside(path);
  try {
    return await write(temporary);
  } finally {
    forgetTemporary(temporary);
  }
}

/** Removes what was written aside and not finished, at once: for a process that is being ended. */
export function removeTemporaries(): void {
  for (const name of TEMPORARIES) {
    try {
      rmSync(name, { recursive: true, force: true });
    } catch {
      // What cannot be removed now stays; nothing else is to be done of it.
    }
  }
}

/**
 * Makes a folder and those above it that are not there. Node's own way tries for ever where the system says that a
 * folder it knows is not there, as under /proc.
 */
export async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    const found = await stat(path).catch(() => null);
    if (found?.isDirectory()) return;
    if (found) throw new InputError(path, 'is a file, where a folder is to be', 'choose another place');
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || dirname(path) === path) throw error;
    await makeFolder(dirname(path));
    await mkdir(path).catch(async (again: unknown) => {
      // Another process may have been as quick.
      if (!(await stat(path).catch(() => null))?.isDirectory()) throw again;
    });
  }
}

/**
 * Writes a file so that a reader sees either the old content or the whole new one: the folder is made, the
 * content goes to a temporary name beside `path`, then is renamed. On failure the temporary file is removed.
 *
 * @throws InputError when the disk is full or refuses
 */
export async function writeFileAtomically(path: string, content: string | Uint8Array): Promise<void> {
  await writeAtomically(path, (temporary) => writeFile(temporary, content));
}

/**
 * Refuses what a finished file must not take the place of: a pipe, a socket or a device, which who may write anywhere
 * would else lose.
 *
 * @throws InputError
 */
export async function requireReplaceable(path: string): Promise<void> {
  const found = await stat(path).catch(() => null);
  const kind = found && otherKindOf(found);
  if (!kind || kind === 'folder') return;
  throw new InputError(path, `cannot be written: it is a ${kind}`, 'name a file');
}

/** What a disk may have against a write, and what helps. */
const DISK_FAULTS: Readonly<Record<string, readonly [what: string, remedy: string]>> = {
  ENOSPC: ['the disk is full', 'make room and go on'],
  EDQUOT: ['the quota of the disk is used up', 'make room and go on'],
  EACCES: ['writing there is not allowed', 'choose another place, or have the folder opened to you'],
  EPERM: ['writing there is not allowed', 'choose another place, or have the folder opened to you'],
  EROFS: ['the disk is read-only', 'choose another place'],
  ENOENT: ['its folder is gone, or a link there leads nowhere', 'make the folder, or choose another place'],
  ELOOP: ['a link there leads in a circle', 'choose another place'],
  ERR_INVALID_ARG_VALUE: ['no file can have this name', 'choose another one'],
  EINVAL: ['the disk does not take this name', 'choose another one'],
  ENAMETOOLONG: ['the name is too long', 'choose another place'],
  EFBIG: ['it is larger than files may be here', 'raise the limit (ulimit -f), or choose another place'],
  EIO: ['the disk does not answer', 'look to the disk, or choose another place'],
  EMFILE: ['too many files are open', 'raise the limit (ulimit -n)'],
  ENFILE: ['too many files are open on this machine', 'close other programs'],
  EBUSY: ['something else is using it', 'close what does, or choose another place'],
  EEXIST: ['something else of that name is in the way', 'choose another place'],
  ENOTDIR: ['a file is in the way of its folder', 'choose another place'],
  EISDIR: ['a folder of that name is in the way', 'choose another place'],
};

/** What is to be thrown for a write that failed: an InputError where the disk refused it, else the error itself. */
export function writeFailure(path: string, error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const [what, remedy] = DISK_FAULTS[code] ?? [];
  return what && remedy ? new InputError(path, `cannot be written: ${what}`, remedy) : error;
}

/** As {@link writeFileAtomically}, for writers that stream: `write` receives the temporary name to fill. */
export async function writeAtomically(
  path: string,
  write: (temporary: string) => Promise<unknown>,
): Promise<void> {
  await withTemporaryName(path, async (temporary) => {
    try {
      await requireReplaceable(path);
      await makeFolder(dirname(path));
      await write(temporary);
      await rename(temporary, path);
    } catch (error) {
      // What cannot be written cannot always be removed either; the write's own failure is what helps.
      await rm(temporary, { force: true }).catch(() => {});
      throw writeFailure(path, error);
    }
  });
}

/**
 * Fills a folder aside and puts it in place of the old one when all is written; on failure nothing is left of it.
 *
 * @param fill is given the folder aside, which is there and empty; those above it are made
 * @returns what it returned
 */
export async function replaceFolder<Result>(
  path: string,
  fill: (aside: string) => Promise<Result>,
): Promise<Result> {
  return withTemporaryName(path, async (aside) => {
    try {
      await makeFolder(aside);
      const result = await fill(aside);
      await rm(path, { recursive: true, force: true });
      await rename(aside, path);
      return result;
    } catch (error) {
      await rm(aside, { recursive: true, force: true }).catch(() => {});
      throw error;
    }
  });
}

/** Where a path leads, by whatever links: two names of one file lead to one place. Of nothing its absolute path. */
export const realPlaceOf = (path: string): Promise<string> => realpath(path).catch(() => resolve(path));

/** Whether a path lies in a folder or below; both absolute, links not followed. */
export function isInside(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way !== '' && way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}
