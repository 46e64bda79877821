import { existsSync, mkdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Progress } from '../../../src/ground/progress.ts';
import { pullFile } from '../../../src/vision/weights/hub/pull.ts';
import { COMMIT, describing, type LocalHub, localHub, sendContent, sha256 } from './local-hub.ts';
import {
  aHub,
  blobsOf,
  contentOf,
  filesIn,
  LARGE,
  leaveBeginning,
  root,
  SIZE,
  WANTED,
} from './one-file-hub.ts';

function recordingProgress(): { readonly progress: Progress; readonly stages: string[]; steps: number } {
  const record = {
    stages: [] as string[],
    steps: 0,
    progress: {
      stage: (title: string, total: number, unit: string) => {
        record.stages.push(`${title} ${total} ${unit}`);
        record.steps = 0;
      },
      advance: (steps = 1) => {
        record.steps += steps;
      },
      done: () => {},
    },
  };
  return record;
}

describe('pulling a file', () => {
  it('lays it out as all tools of the hub do', async () => {
    const { hub, cache, bytes } = await aHub();
    const { path, commit, sha256: sum } = await pullFile(WANTED, { settings: hub.settings(cache) });
    const folder = join(cache, 'models--timm--small');
    expect(path).toBe(join(folder, 'snapshots', COMMIT, 'model.safetensors'));
    expect(commit).toBe(COMMIT);
    expect(sum).toBe(sha256(bytes));
    expect(contentOf(path)).toBe(sha256(bytes));
    expect(readlinkSync(path)).toBe(join('..', '..', 'blobs', sha256(bytes)));
    expect(readFileSync(join(folder, 'refs', 'main'), 'utf8')).toBe(COMMIT);
    expect(filesIn(blobsOf(cache))).toEqual([sha256(bytes)]);
    expect(filesIn(dirname(path))).toEqual(['model.safetensors']);
  });

  it('tells how far it is, in megabytes', async () => {
    const { hub, cache } = await aHub(LARGE);
    const record = recordingProgress();
    await pullFile(WANTED, { settings: hub.settings(cache), progress: record.progress });
    expect(record.stages).toEqual(['pulling timm/small 4 MB']);
    expect(record.steps).toBe(4);
  });

  it('asks the hub nothing about a file that is there and whole', async () => {
    const { hub, cache, bytes } = await aHub();
    const settings = hub.settings(cache);
    const { path } = await pullFile(WANTED, { settings });
    hub.seen.length = 0;
    const again = await pullFile(WANTED, { settings: { ...settings, offline: true } });
    expect(again).toEqual({ path, commit: COMMIT, sha256: sha256(bytes) });
    expect(hub.seen).toEqual([]);
  });

  it('brings a file again that was damaged in the cache', async () => {
    const { hub, cache, bytes } = await aHub();
    const settings = hub.settings(cache);
    await pullFile(WANTED, { settings });
    writeFileSync(join(blobsOf(cache), sha256(bytes)), Buffer.alloc(SIZE));
    const { path } = await pullFile(WANTED, { settings });
    expect(contentOf(path)).toBe(sha256(bytes));
  });

  it('does not bring a blob twice that another commit has brought', async () => {
    const { hub, cache, bytes } = await aHub();
    const settings = hub.settings(cache);
    await pullFile({ ...WANTED, revision: COMMIT }, { settings });
    const { path } = await pullFile(WANTED, { settings });
    expect(contentOf(path)).toBe(sha256(bytes));
    expect(hub.transfers()).toHaveLength(1);
  });

  it('checks small files by the name git gives them', async () => {
    const bytes = Buffer.from('{"architecture":"x"}\n');
    const hub = await localHub({ 'timm/small/config.json': bytes });
    const object = { etag: '"6b2f2cd5b7c5e8a2a9df5aa36ddc0f0f80a7b5f0"', 'x-repo-commit': COMMIT };
    hub.mischief = (_, response, { range }) => {
      sendContent(response, bytes, range, object);
      return true;
    };
    const wanted = { ...WANTED, file: 'config.json' };
    await expect(pullFile(wanted, { settings: hub.settings(join(root, 'git')) })).rejects.toThrow(/damaged/);
  });

  /** A mirror that tells commit and checksum through the hub's API only. */
  const terseMirror = (bytes: Buffer, sum: string): LocalHub['mischief'] => {
    return (_, response, { path, range }) => {
      const json = (value: unknown): void => {
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
      };
      if (path.startsWith('/api/models/timm/small/revision/main')) json({ sha: COMMIT, id: 'timm/small' });
      else if (path === '/api/models/timm/small/paths-info/main') {
        json([
          {
            path: 'model.safetensors',
            type: 'file',
            size: SIZE,
            lfs: { oid: sum, size: SIZE, pointerSize: 1 },
          },
        ]);
      } else sendContent(response, bytes, range, { etag: 'W/"made-up-etag"' });
      return true;
    };
  };

  it("asks the hub's API for what the file's own headers leave out", async () => {
    const { hub, cache, bytes } = await aHub();
    hub.mischief = terseMirror(bytes, sha256(bytes));
    const pulled = await pullFile(WANTED, { settings: hub.settings(cache) });
    expect(pulled).toMatchObject({ commit: COMMIT, sha256: sha256(bytes) });
    expect(contentOf(pulled.path)).toBe(sha256(bytes));
    expect(filesIn(blobsOf(cache))).toEqual([sha256(bytes)]);
    hub.mischief = terseMirror(bytes, 'cd'.repeat(32));
    await expect(pullFile(WANTED, { settings: hub.settings(join(cache, 'other')) })).rejects.toThrow(
      /damaged/,
    );
  });

  it('takes turns with others that want the same file', async () => {
    const { hub, cache, bytes } = await aHub();
    const settings = hub.settings(cache);
    const paths = await Promise.all(Array.from({ length: 4 }, () => pullFile(WANTED, { settings })));
    expect(new Set(paths.map(({ path }) => path)).size).toBe(1);
    expect(contentOf(paths[0]?.path ?? '')).toBe(sha256(bytes));
    expect(hub.transfers()).toHaveLength(1);
  });

  it('takes over from a process that died while pulling', async () => {
    const { hub, cache, bytes } = await aHub();
    const locks = join(cache, '.locks', 'models--timm--small');
    mkdirSync(locks, { recursive: true });
    const host = (await import('node:os')).hostname();
    const owner = { token: 'a', pid: 2 ** 22 + 1, host, since: 'then' };
    writeFileSync(join(locks, `${sha256(bytes)}.sward`), JSON.stringify(owner));
    leaveBeginning(cache, bytes, 1_000);
    const { path } = await pullFile(WANTED, { settings: hub.settings(cache) });
    expect(contentOf(path)).toBe(sha256(bytes));
    expect(filesIn(locks)).toEqual([]);
  });
});

describe('pulling over a bad line', () => {
  it('goes on where an earlier pull stopped', async () => {
    const { hub, cache, bytes } = await aHub(LARGE);
    leaveBeginning(cache, bytes, 123_456);
    const record = recordingProgress();
    const { path } = await pullFile(WANTED, { settings: hub.settings(cache), progress: record.progress });
    expect(contentOf(path)).toBe(sha256(bytes));
    expect(hub.transfers().map(({ range }) => range)).toEqual(['bytes=123456-']);
    expect(record.steps).toBe(4);
  });

  it('goes on after cut connections, as often as each brings something', async () => {
    const { hub, cache, bytes } = await aHub();
    hub.mischief = (_, response, { range }) => {
      const start = Number(/^bytes=(\d+)-$/.exec(range ?? 'bytes=0-')?.[1] ?? -1);
      if (start < 0 || start >= 250_000) return false;
      response.writeHead(start === 0 ? 200 : 206, {
        'content-length': SIZE - start,
        ...(start > 0 ? { 'content-range': `bytes ${start}-${SIZE - 1}/${SIZE}` } : {}),
      });
      response.write(bytes.subarray(start, start + 30_000), () => response.destroy());
      return true;
    };
    const { path } = await pullFile(WANTED, { settings: hub.settings(cache) });
    expect(contentOf(path)).toBe(sha256(bytes));
    expect(hub.transfers().length).toBeGreaterThan(5);
  });

  it('gives up where nothing more comes, keeps what has come, and goes on the next time', async () => {
    const { hub, cache, bytes } = await aHub();
    const settings = hub.settings(cache);
    hub.mischief = (_, response, { range }) => {
      if (range === 'bytes=0-0') return false;
      if (range !== undefined) response.destroy();
      else {
        response.writeHead(200, { 'content-length': SIZE });
        response.write(bytes.subarray(0, 100_000), () => response.destroy());
      }
      return true;
    };
    await expect(pullFile(WANTED, { settings })).rejects.toThrow(
      /timm\/small model.safetensors: .*goes on from there$/,
    );
    expect(filesIn(blobsOf(cache))).toEqual([`${sha256(bytes)}.incomplete`]);
    expect(filesIn(join(cache, 'models--timm--small', 'snapshots'))).toEqual([]);
    hub.mischief = undefined;
    hub.seen.length = 0;
    const { path } = await pullFile(WANTED, { settings });
    expect(contentOf(path)).toBe(sha256(bytes));
    expect(hub.transfers()[0]?.range).toMatch(/^bytes=[1-9]/);
  });

  it('starts anew where the server ignores Range, without counting bytes twice', async () => {
    const { hub, cache, bytes } = await aHub(LARGE);
    leaveBeginning(cache, bytes, 200_000);
    hub.mischief = (_, response) => {
      sendContent(response, bytes, undefined, describing(bytes));
      return true;
    };
    const record = recordingProgress();
    const { path } = await pullFile(WANTED, { settings: hub.settings(cache), progress: record.progress });
    expect(contentOf(path)).toBe(sha256(bytes));
    expect(record.steps).toBe(4);
  });

  it('ends, where the server ignores Range and always cuts at the same place', async () => {
    const { hub, cache, bytes } = await aHub();
    hub.mischief = (_, response, { range }) => {
      if (range === 'bytes=0-0') return false;
      response.writeHead(200, { 'content-length': SIZE });
      response.write(bytes.subarray(0, 100_000), () => response.destroy());
      return true;
    };
    await expect(pullFile(WANTED, { settings: hub.settings(cache) })).rejects.toThrow(/connection ended at/);
    expect(hub.transfers().length).toBeLessThan(12);
  });

  it('tries again after the hub failed for a moment', async () => {
    const { hub, cache, bytes } = await aHub();
    let failures = 0;
    hub.mischief = (_, response) => {
      if (failures++ % 2 === 1) return false;
      response.writeHead(failures % 3 === 0 ? 429 : 500).end('busy');
      return true;
    };
    const { path } = await pullFile(WANTED, { settings: hub.settings(cache) });
    expect(contentOf(path)).toBe(sha256(bytes));
  });

  it('gives up a connection on which nothing comes', async () => {
    const { hub, cache } = await aHub();
    hub.mischief = (_, response, { range }) => {
      if (range === 'bytes=0-0') return false;
      response.writeHead(200, { 'content-length': SIZE }).flushHeaders();
      return true;
    };
    const settings = hub.settings(cache, { stallMilliseconds: 50, retryMilliseconds: [1] });
    await expect(pullFile(WANTED, { settings })).rejects.toThrow(/nothing came for 0.05 s/);
  });

  it('starts anew where the beginning that was left is of another file', async () => {
    const { hub, cache, bytes } = await aHub();
    leaveBeginning(cache, bytes, 100_000);
    writeFileSync(join(blobsOf(cache), `${sha256(bytes)}.incomplete`), Buffer.alloc(100_000, 7));
    const { path } = await pullFile(WANTED, { settings: hub.settings(cache) });
    expect(contentOf(path)).toBe(sha256(bytes));
    expect(hub.transfers().map(({ range }) => range)).toEqual(['bytes=100000-', undefined]);
  });
});

describe('a disk', () => {
  it.skipIf(!existsSync('/dev/full'))('that fills up is named, with what is missing', async () => {
    const { hub, cache, bytes } = await aHub();
    mkdirSync(blobsOf(cache), { recursive: true });
    symlinkSync('/dev/full', join(blobsOf(cache), `${sha256(bytes)}.incomplete`));
    await expect(pullFile(WANTED, { settings: hub.settings(cache) })).rejects.toThrow(
      /blobs: the disk is full, 300 kB more are needed; make room or set HF_HOME/,
    );
  });

  it('without room for the file is named before anything is brought', async () => {
    const { hub, cache, bytes } = await aHub();
    const huge = 10 ** 18;
    hub.mischief = (_, response, { range }) => {
      if (range !== 'bytes=0-0') return false;
      const headers = {
        ...describing(bytes),
        'x-linked-size': String(huge),
        'content-range': `bytes 0-0/${huge}`,
      };
      response.writeHead(206, headers).end('x');
      return true;
    };
    await expect(pullFile(WANTED, { settings: hub.settings(cache) })).rejects.toThrow(
      /the disk is full, 1000000 TB more are needed/,
    );
    expect(hub.transfers()).toEqual([]);
  });
});
