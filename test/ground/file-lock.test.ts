import { spawn, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type FileLock, type LockOwner, takeLock, withLock } from '../../src/ground/file-lock.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const disk = vi.hoisted(() => ({ hasLinks: true }));
vi.mock('node:fs/promises', async (original) => {
  const fs = await original<typeof import('node:fs/promises')>();
  const link: typeof fs.link = (from, to) =>
    disk.hasLinks
      ? fs.link(from, to)
      : Promise.reject(Object.assign(new Error('no links'), { code: 'EPERM' }));
  return { ...fs, link };
});

const root = temporaryFolder('file-lock');
let made = 0;
/** A lock's path in a folder of its own. */
function freshPath(): string {
  const folder = join(root, String(made++));
  mkdirSync(folder);
  return join(folder, 'a.lock');
}

const take = (path: string): Promise<FileLock> =>
  takeLock(path, (owner) => new Error(`held by ${owner ? `${owner.pid} on ${owner.host}` : 'nobody known'}`));

const MINUTE = 60_000;
/** Leaves a lock's file as it was touched some time ago. */
function leave(path: string, content: string | Partial<LockOwner>, age: number): void {
  const owner = { token: 'left', pid: process.pid, host: hostname(), since: 'then' };
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify({ ...owner, ...content }));
  const then = new Date(Date.now() - age);
  utimesSync(path, then, then);
}

const ownerIn = (path: string): LockOwner => JSON.parse(readFileSync(path, 'utf8')) as LockOwner;
/** A process that has ended. */
const gone = (): number => spawnSync(process.execPath, ['--version']).pid;

afterEach(() => {
  disk.hasLinks = true;
});

describe.each([
  ['with', true],
  ['without', false],
])('a lock on a disk %s hard links', (_, hasLinks) => {
  it('names its holder, refuses others, and leaves nothing when given back', async () => {
    disk.hasLinks = hasLinks;
    const path = freshPath();
    const lock = await take(path);
    expect(ownerIn(path)).toMatchObject({ pid: process.pid, host: hostname() });
    await expect(take(path)).rejects.toThrow(`held by ${process.pid} on ${hostname()}`);
    await lock.release();
    expect(readdirSync(dirname(path))).toEqual([]);
    await (await take(path)).release();
  });

  it('is had by one of many that find it left behind', async () => {
    disk.hasLinks = hasLinks;
    for (let round = 0; round < 10; round++) {
      const path = freshPath();
      leave(path, { pid: gone() }, 0);
      const takers = await Promise.allSettled(Array.from({ length: 8 }, () => take(path)));
      const winners = takers.filter(({ status }) => status === 'fulfilled');
      expect(winners).toHaveLength(1);
      expect(readdirSync(dirname(path))).toEqual(['a.lock']);
    }
  });

  it('lets those that wait through one after another', async () => {
    disk.hasLinks = hasLinks;
    const path = freshPath();
    leave(path, { pid: gone() }, 0);
    let inside = 0;
    const order: number[] = [];
    const work = (caller: number) => async (): Promise<void> => {
      expect(++inside).toBe(1);
      await pause(5);
      order.push(caller);
      inside--;
    };
    await Promise.all(Array.from({ length: 5 }, (_, caller) => withLock(path, work(caller))));
    expect(order.sort()).toEqual([0, 1, 2, 3, 4]);
    expect(readdirSync(dirname(path))).toEqual([]);
  });
});

describe('a lock that is found', () => {
  it.each<[string, Partial<LockOwner>, number]>([
    ['whose process is gone from this machine', { pid: 2 ** 22 + 1 }, 0],
    ['whose process has given its number to a later one', { started: 'another boot 1' }, 0],
    ['of another machine without a sign for long', { pid: 1, host: 'elsewhere' }, 11 * MINUTE],
    ['of a process that cannot be told apart, without a sign for long', { started: null }, 11 * MINUTE],
  ])('%s is taken over', async (_, owner, age) => {
    const path = freshPath();
    leave(path, owner, age);
    const lock = await take(path);
    expect(ownerIn(path)).toMatchObject({ pid: process.pid, host: hostname() });
    await lock.release();
    expect(existsSync(path)).toBe(false);
  });

  it.each<[string, Partial<LockOwner>, number]>([
    ['of another machine that showed a sign', { pid: 1, host: 'elsewhere' }, 9 * MINUTE],
    ['of a process that cannot be told apart and showed a sign', { started: null }, 9 * MINUTE],
  ])('%s is not', async (_, owner, age) => {
    const path = freshPath();
    leave(path, owner, age);
    await expect(take(path)).rejects.toThrow(/held by/);
    expect(ownerIn(path).token).toBe('left');
  });

  it('of a process of this machine that lives is not, however long it was stopped', async () => {
    const path = freshPath();
    const lock = await take(path);
    const then = new Date(Date.now() - 24 * 60 * MINUTE);
    utimesSync(path, then, then);
    await expect(take(path)).rejects.toThrow(`held by ${process.pid}`);
    await lock.release();
  });

  it.each([
    ['empty', ''],
    ['cut short', '{"token":"a","pi'],
    ['damaged', '\0\0\0\0'],
    ['of a process group', JSON.stringify({ token: 'a', pid: -1, host: hostname(), since: 'then' })],
  ])('%s is neither taken within moments nor left for ever', async (_, content) => {
    for (const age of [0, 10_000]) {
      const path = freshPath();
      leave(path, content, age);
      await expect(take(path)).rejects.toThrow('held by nobody known');
      expect(readFileSync(path, 'utf8')).toBe(content);
    }
    for (const age of [MINUTE, -60 * MINUTE]) {
      const path = freshPath();
      leave(path, content, age);
      await (await take(path)).release();
      expect(readdirSync(dirname(path))).toEqual([]);
    }
  });

  it('is waited for until its process is gone', async () => {
    const path = freshPath();
    const holder = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    leave(path, { pid: holder.pid ?? 0 }, 0);
    let isIn = false;
    const waiting = withLock(path, async () => {
      isIn = true;
    });
    await pause(300);
    expect(isIn).toBe(false);
    holder.kill('SIGKILL');
    await waiting;
    expect(isIn).toBe(true);
  });
});

describe('a holder', () => {
  it('gives back its own lock alone', async () => {
    const path = freshPath();
    const lock = await take(path);
    leave(path, { token: "another's" }, 0);
    await lock.release();
    expect(ownerIn(path).token).toBe("another's");
  });

  it('shows signs on its own lock alone', async () => {
    const path = freshPath();
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    try {
      const lock = await take(path);
      const age = (): number => Date.now() - statSync(path).mtimeMs;
      const then = new Date(Date.now() - MINUTE);
      utimesSync(path, then, then);
      vi.advanceTimersByTime(10_000);
      await expect.poll(age).toBeLessThan(MINUTE / 2);
      leave(path, { token: "another's" }, MINUTE);
      vi.advanceTimersByTime(10_000);
      await pause(50);
      expect(age()).toBeGreaterThan(MINUTE / 2);
      await lock.release();
    } finally {
      vi.useRealTimers();
    }
  });

  it('may lose the whole folder and still end', async () => {
    const path = freshPath();
    const lock = await take(path);
    rmSync(dirname(path), { recursive: true });
    await lock.release();
    expect(existsSync(path)).toBe(false);
  });

  it('gives it back when its work fails', async () => {
    const path = freshPath();
    await expect(withLock(path, () => Promise.reject(new Error('no work')))).rejects.toThrow('no work');
    expect(readdirSync(dirname(path))).toEqual([]);
  });

  it('may be killed while taking over, which keeps nobody out', async () => {
    const path = freshPath();
    leave(path, { pid: gone() }, 0);
    leave(`${path}.takeover.part`, { pid: gone() }, 0);
    await (await take(path)).release();
    expect(readdirSync(dirname(path))).toEqual([]);
  });

  it('whose taking over left a file that names nobody keeps others out for half a minute at most', async () => {
    const path = freshPath();
    leave(path, { pid: gone() }, 0);
    leave(`${path}.takeover.part`, '', 0);
    await expect(take(path)).rejects.toThrow(/held by/);
    leave(`${path}.takeover.part`, '', MINUTE);
    await (await take(path)).release();
    expect(readdirSync(dirname(path))).toEqual([]);
  });
});
