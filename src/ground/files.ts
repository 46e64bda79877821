import { randomBytes } from 'node:crypto';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, sep } from 'node:path';

/** A name beside `path` that no other process uses, for writing aside before renaming. */
export function temporaryNameBeside(path: string): string {
  return join(dirname(path), `.${basename(path)}.${process.pid}.${randomBytes(4).toString('hex')}.part`);
}

/**
 * Writes a file so that a reader sees either the old content or the whole new one: the folder is made, the
 * content goes to a temporary name beside `path`, then is renamed. On failure the temporary file is removed.
 */
export async function writeFileAtomically(path: string, content: string | Uint8Array): Promise<void> {
  await writeAtomically(path, (temporary) => writeFile(temporary, content));
}

/** As {@link writeFileAtomically}, for writers that stream: `write` receives the temporary name to fill. */
export async function writeAtomically(
  path: string,
  write: (temporary: string) => Promise<unknown>,
): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = temporaryNameBeside(path);
  try {
    await write(temporary);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Whether a path lies in a folder or below; both absolute, links not followed. */
export function isInside(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way !== '' && way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}
