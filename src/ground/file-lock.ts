import { randomUUID } from 'node:crypto';
import { link, open, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { makeFolder } from './files.ts';
import { readTextIfThere } from './whole-file.ts';

/** How often a holder shows that it lives. */
const HEARTBEAT_MS = 5_000;
/** After how long without a sign a holder that cannot be looked for counts as gone, where nothing else is said. */
const STALE_MS = 10 * 60_000;
/** How old a file that names no holder must be: nobody takes that long between making and filling it. */
const DAMAGED_MS = 30_000;
const POLL_MS = 100;
/** Tries to take over a lock whose holder is gone while others try the same. */
const ATTEMPTS = 5;

const ownerSchema = z.object({
  token: z.string(),
  pid: z.int().min(1),
  host: z.string(),
  /** When it was taken, ISO. */
  since: z.string(),
  /** When the process started, as the system counts: tells it from a later one of the same number. */
  started: z.string().nullable().default(null),
});

/** The process that holds a lock. */
export type LockOwner = z.output<typeof ownerSchema>;

/** A lock that this process holds. */
export interface FileLock {
  /** Whether it is still this process's: its file may have been removed, or taken over from one that slept. */
  isHeld(): Promise<boolean>;
  /** Gives it back; one that another process has taken over meanwhile is left alone. */
  release(): Promise<void>;
}

export interface LockOptions {
  /** After how long without a sign a holder on another machine counts as gone; default ten minutes. */
  readonly staleMs?: number;
}

/**
 * Takes a lock, a file that names its holder and is touched while held, or refuses at once. A lock counts as left
 * behind when its process is gone from this machine (another one that has its number since does not stand for it),
 * when a holder that cannot be looked for has shown no sign for long, or when a file that names no holder, cut short
 * or damaged, has lain there for half a minute.
 *
 * @param refusal the error to throw when the lock is held; its owner is null where the file does not name one
 */
export async function takeLock(
  path: string,
  refusal: (owner: LockOwner | null) => Error,
  { staleMs = STALE_MS }: LockOptions = {},
): Promise<FileLock> {
  const self = ownOwner();
  let owner: LockOwner | null = null;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (await created(path, self)) return held(path, self);
    const found = await contentOf(path);
    if (found === null) continue;
    owner = found.owner;
    if (!(await isLeftBehind(path, found, staleMs))) break;
    await removeLeft(path, found, staleMs);
  }
  throw refusal(owner);
}

/** Refuses as {@link takeLock} does where a lock is held, and takes none. */
export async function requireUnlocked(
  path: string,
  refusal: (owner: LockOwner | null) => Error,
  { staleMs = STALE_MS }: LockOptions = {},
): Promise<void> {
  const found = await heldContentOf(path, staleMs);
  if (found !== null) throw refusal(found.owner);
}

/** Whether a lock is held, by whomever. */
export async function isLocked(path: string): Promise<boolean> {
  return (await heldContentOf(path, STALE_MS)) !== null;
}

/** Runs `work` while no other process or caller that asks for the same lock does, waiting until it is free. */
export async function withLock<T>(
  path: string,
  work: () => Promise<T>,
  { staleMs = STALE_MS }: LockOptions = {},
): Promise<T> {
  const self = ownOwner();
  for (;;) {
    // Who cleans up may remove the whole folder while others wait.
    await makeFolder(dirname(path));
    if (await created(path, self)) break;
    const found = await contentOf(path);
    if (found !== null && (await isLeftBehind(path, found, staleMs))) await removeLeft(path, found, staleMs);
    else await pause(POLL_MS);
  }
  const lock = held(path, self);
  try {
    return await work();
  } finally {
    await lock.release();
  }
}

function ownOwner(): LockOwner {
  return {
    token: randomUUID(),
    pid: process.pid,
    host: hostname(),
    since: new Date().toISOString(),
    started: null,
  };
}

/** Makes the lock's file, which appears with its content or not at all. @returns whether it is this owner's now */
async function created(path: string, self: LockOwner): Promise<boolean> {
  const content = JSON.stringify({ ...self, started: await startOf(self.pid) });
  const aside = `${path}.${self.token}.part`;
  try {
    await writeFile(aside, content);
    return await link(aside, path).then(
      () => true,
      // Some disks know no hard links; and over a network one may have been made though it is said not to be.
      async (error: unknown) =>
        isTaken(error)
          ? (await contentOf(path))?.owner?.token === self.token
          : await writtenInPlace(path, content),
    );
  } finally {
    await rm(aside, { force: true });
  }
}

async function writtenInPlace(path: string, content: string): Promise<boolean> {
  const file = await open(path, 'wx').catch((error: unknown) => {
    if (isTaken(error)) return null;
    throw error;
  });
  if (!file) return false;
  try {
    await file.writeFile(content);
    return true;
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  } finally {
    await file.close();
  }
}

const isTaken = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'EEXIST';

function held(path: string, { token }: LockOwner): FileLock {
  const beat = setInterval(() => void touch(path, token), HEARTBEAT_MS);
  beat.unref();
  const isHeld = async (): Promise<boolean> => (await contentOf(path))?.owner?.token === token;
  return {
    isHeld,
    async release() {
      clearInterval(beat);
      if (await isHeld()) await rm(path, { force: true });
    },
  };
}

/** Shows that the holder lives. A lock that is gone is found out by whoever looks for it, not here. */
async function touch(path: string, token: string): Promise<void> {
  const found = await contentOf(path);
  if (found === null || (found.owner !== null && found.owner.token !== token)) return;
  const now = new Date();
  await utimes(path, now, now).catch(() => {});
}

/** What a lock's file says. */
interface LockContent {
  readonly text: string;
  /** Null where the file names none: a kill or a disk has cut it short. */
  readonly owner: LockOwner | null;
}

/** What a lock's file says; null where there is none. */
async function contentOf(path: string): Promise<LockContent | null> {
  const text = await readTextIfThere(path);
  if (text === null) return null;
  try {
    return { text, owner: ownerSchema.parse(JSON.parse(text)) };
  } catch {
    return { text, owner: null };
  }
}

/** What a lock's file says while the lock is held; null where it is not. */
async function heldContentOf(path: string, staleMs: number): Promise<LockContent | null> {
  const found = await contentOf(path);
  return found !== null && !(await isLeftBehind(path, found, staleMs)) ? found : null;
}

async function isLeftBehind(path: string, { owner }: LockContent, staleMs: number): Promise<boolean> {
  const age = await ageOf(path);
  if (age === null) return false;
  // A clock that was wrong may have made it in the future.
  if (owner === null) return Math.abs(age) > Math.min(DAMAGED_MS, staleMs);
  if (owner.host !== hostname()) return age > staleMs;
  if (!isAlive(owner.pid)) return true;
  const started = await startOf(owner.pid);
  if (owner.started === null || started === null) return age > staleMs;
  return owner.started !== started;
}

/** Milliseconds since a file was touched; null where there is none. */
async function ageOf(path: string): Promise<number | null> {
  const facts = await stat(path).catch(() => null);
  return facts && Date.now() - facts.mtimeMs;
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

/** When a process of this machine started: boot and clock ticks since, as Linux tells; null where it does not. */
async function startOf(pid: number): Promise<string | null> {
  try {
    const [boot, facts] = await Promise.all(
      ['/proc/sys/kernel/random/boot_id', `/proc/${pid}/stat`].map((file) => readFile(file, 'utf8')),
    );
    // The command's name, in brackets, may hold anything; the start is the twentieth field behind it (proc(5)).
    const ticks = facts?.slice(facts.lastIndexOf(')') + 2).split(' ')[19];
    return boot && ticks ? `${boot.trim()} ${ticks}` : null;
  } catch {
    return null;
  }
}

/**
 * Removes a lock that was left behind, unless another process has taken it over meanwhile: of all who find it, one at
 * a time may look once more and remove it, so that nobody removes what another has just taken. Who may is told by a
 * lock of its own, which is left behind as the other is where its holder is killed.
 */
async function removeLeft(path: string, left: LockContent, staleMs: number): Promise<void> {
  const guard = `${path}.takeover.part`;
  if (!(await created(guard, ownOwner()))) {
    const found = await contentOf(guard);
    if (found !== null && (await isLeftBehind(guard, found, staleMs))) await removeGuard(guard, found);
    else await pause(POLL_MS);
    return;
  }
  try {
    const now = await contentOf(path);
    if (now?.text === left.text && (await isLeftBehind(path, now, staleMs))) await rm(path, { force: true });
  } finally {
    await rm(guard, { force: true });
  }
}

/** Removes a guard that was left behind; one that another has made meanwhile is put back. */
async function removeGuard(guard: string, left: LockContent): Promise<void> {
  const aside = `${guard}.${randomUUID()}.part`;
  const isMoved = await rename(guard, aside).then(
    () => true,
    () => false,
  );
  if (!isMoved) return;
  if ((await contentOf(aside))?.text !== left.text) await link(aside, guard).catch(() => {});
  await rm(aside, { force: true });
}
