import { mkdir, open, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { temporaryNameBeside } from '../../../ground/files.ts';

const HEARTBEAT_MILLISECONDS = 2_000;
const STALE_MILLISECONDS = 30_000;
const POLL_MILLISECONDS = 100;

/**
 * Runs `work` while no other process or caller that asks for the same lock does. The lock is a file with the
 * holder's process id, touched while held; one whose holder is gone is taken over.
 */
export async function withLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  await mkdir(dirname(path), { recursive: true });
  while (!(await taken(path))) {
    await removeStale(path);
    await pause(POLL_MILLISECONDS);
  }
  const heartbeat = setInterval(() => {
    const now = new Date();
    // Another process may have removed it with the whole folder; the work goes on all the same.
    utimes(path, now, now).catch(() => {});
  }, HEARTBEAT_MILLISECONDS);
  try {
    return await work();
  } finally {
    clearInterval(heartbeat);
    await rm(path, { force: true });
  }
}

async function taken(path: string): Promise<boolean> {
  try {
    const handle = await open(path, 'wx');
    await handle.writeFile(JSON.stringify({ pid: process.pid, host: hostname() }));
    await handle.close();
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

/** Moves a dead holder's lock aside, so that of two who see it dead only one removes it. */
async function removeStale(path: string): Promise<void> {
  try {
    const age = Date.now() - (await stat(path)).mtimeMs;
    if (age < STALE_MILLISECONDS && (await holderLives(path))) return;
    const aside = temporaryNameBeside(path);
    await rename(path, aside);
    await rm(aside, { force: true });
  } catch {
    // Gone meanwhile: released or taken over by another.
  }
}

/** Whether the holder may be alive: false only for a process of this machine that is gone. */
async function holderLives(path: string): Promise<boolean> {
  const holder = parsed(await readFile(path, 'utf8'));
  if (holder === undefined || holder.host !== hostname()) return true;
  try {
    process.kill(holder.pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

function parsed(text: string): { readonly pid: number; readonly host: string } | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || !('pid' in value) || !('host' in value))
      return undefined;
    const { pid, host } = value;
    return typeof pid === 'number' && pid > 0 && typeof host === 'string' ? { pid, host } : undefined;
  } catch {
    // Its holder is between making and filling it.
    return undefined;
  }
}
