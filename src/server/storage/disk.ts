import { constants, copyFile, open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { freeBytes } from '../../ground/free-bytes.ts';

/** A disk that has no room for what is to be stored; nothing of it was. */
export class DiskFull extends Error {
  override name = 'DiskFull';

  constructor(options: ErrorOptions = {}) {
    super('the server’s disk is full: nothing was stored; make room there and send it again', options);
  }
}

/** Codes by which the system and SQLite say that there is no room. */
const FULL = new Set(['ENOSPC', 'EDQUOT', 'SQLITE_FULL']);

/** The error to be thrown for a write that failed: {@link DiskFull} where that is why, else the error itself. */
export function storageFailure(error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return FULL.has(code) ? new DiskFull({ cause: error }) : error;
}

/**
 * Makes sure that so many bytes can be written and `reserve` remain, for the database to go on.
 *
 * @throws DiskFull
 */
export async function requireRoom(folder: string, bytes: number, reserve: number): Promise<void> {
  if ((await freeBytes(folder)) - bytes < reserve) throw new DiskFull();
}

/** Waits until a file's content, or a folder's list of names, is on the disk. */
export async function flush(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Gives a file another name, which is on the disk when this returns, in place of what has that name. */
export async function moveDurably(from: string, to: string): Promise<void> {
  try {
    await flush(from);
    await rename(from, to);
    await flush(dirname(to));
  } catch (error) {
    throw storageFailure(error);
  }
}

/** Copies a file, which shares its blocks where the disk can have files do that, and never what is written later. */
export async function copyApart(from: string, to: string): Promise<void> {
  await copyFile(from, to, constants.COPYFILE_FICLONE).catch((error: unknown) => {
    throw storageFailure(error);
  });
}
