import { randomUUID } from 'node:crypto';
import { link, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { UsageError } from '../ground/errors.ts';

/** The lock's file in a folder that is being written. */
export const LOCK = 'run.lock';

/** How often the holder of a lock shows that it lives, and after how long without a sign it counts as gone. */
const HEARTBEAT_MS = 10_000;
const STALE_MS = 10 * 60_000;

/** Tries to take over a lock whose holder is gone while others try the same. */
const ATTEMPTS = 5;

const ownerSchema = z.object({ token: z.string(), pid: z.int(), host: z.string(), since: z.string() });
type Owner = z.output<typeof ownerSchema>;

/** A folder that this process alone writes. */
export interface FolderLock {
  release(): Promise<void>;
}

/**
 * Takes the lock of a folder. Whoever holds one touches it from time to time; a lock counts as left behind when its
 * process is gone from this machine, or (held on another one) has not been touched for ten minutes.
 *
 * @throws UsageError when another process writes the folder now
 */
export async function lockFolder(folder: string): Promise<FolderLock> {
  const path = join(folder, LOCK);
  const owner: Owner = {
    token: randomUUID(),
    pid: process.pid,
    host: hostname(),
    since: new Date().toISOString(),
  };
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (await created(path, owner)) return heldLock(path, owner);
    const other = await ownerOf(path);
    if (other && !(await isLeftBehind(path, other))) {
      throw new UsageError(
        `${folder} is being written by process ${other.pid} on ${other.host} since ${other.since}; ` +
          'wait for it, or choose another --out',
      );
    }
    await removeLeft(path, other);
  }
  throw new UsageError(`${folder}: its ${LOCK} cannot be taken; remove it when nothing writes the folder`);
}

/** Makes the lock's file, which appears with its content or not at all. @returns whether there was none */
async function created(path: string, owner: Owner): Promise<boolean> {
  const aside = `${path}.${owner.token}.part`;
  await writeFile(aside, JSON.stringify(owner));
  try {
    await link(aside, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    // Some disks know no hard links.
    return await writeFile(path, JSON.stringify(owner), { flag: 'wx' }).then(
      () => true,
      (again: NodeJS.ErrnoException) => {
        if (again.code === 'EEXIST') return false;
        throw again;
      },
    );
  } finally {
    await rm(aside, { force: true });
  }
}

function heldLock(path: string, owner: Owner): FolderLock {
  const beat = setInterval(() => {
    const now = new Date();
    // A lock that is gone is found out by whoever looks for it, not here.
    utimes(path, now, now).catch(() => {});
  }, HEARTBEAT_MS);
  beat.unref();
  return {
    async release() {
      clearInterval(beat);
      if ((await ownerOf(path))?.token === owner.token) await rm(path, { force: true });
    },
  };
}

/** Who holds a lock; null where nobody does, or a kill cut its file short. */
async function ownerOf(path: string): Promise<Owner | null> {
  const text = await readFile(path, 'utf8').catch(() => '');
  try {
    return ownerSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

async function isLeftBehind(path: string, { pid, host }: Owner): Promise<boolean> {
  if (host === hostname() && !isAlive(pid)) return true;
  const facts = await stat(path).catch(() => null);
  return facts === null || Date.now() - facts.mtimeMs > STALE_MS;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // A process of somebody else's may not be signalled, but is there.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Removes a lock that was left behind, unless another process has taken it over meanwhile. */
async function removeLeft(path: string, left: Owner | null): Promise<void> {
  const aside = `${path}.${randomUUID()}.part`;
  try {
    await rename(path, aside);
  } catch {
    return;
  }
  if ((await ownerOf(aside))?.token === left?.token) await rm(aside, { force: true });
  else await rename(aside, path);
}
