import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { UsageError } from '../ground/errors.ts';
import { temporaryNameBeside } from '../ground/files.ts';

/**
 * Refuses a folder that holds anything, unless it may be replaced and is an export.
 *
 * @param marks names of which an export has one
 * @throws UsageError naming the folder
 */
export async function requireExportFolder(
  folder: string,
  marks: readonly string[],
  overwrite: boolean,
): Promise<void> {
  const found = await stat(folder).catch(() => null);
  if (!found) return;
  const names = found.isDirectory() ? await readdir(folder) : [folder];
  if (names.length === 0) return;
  const isExport = marks.some((mark) => names.includes(mark));
  if (!isExport) throw new UsageError(`${folder} is there and is no export; choose another --out`);
  if (!overwrite) throw new UsageError(`${folder} holds an export; choose another --out or pass --overwrite`);
}

/** Fills a folder aside and puts it in place of the old one when all is written. */
export async function writeFolderAside(
  folder: string,
  write: (aside: string) => Promise<void>,
): Promise<void> {
  const target = resolve(folder);
  const aside = temporaryNameBeside(target);
  await mkdir(dirname(target), { recursive: true });
  try {
    await mkdir(aside);
    await write(aside);
    await rm(target, { recursive: true, force: true });
    await rename(aside, target);
  } catch (error) {
    await rm(aside, { recursive: true, force: true });
    throw error;
  }
}
