import { randomBytes } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Progress } from '../../../src/ground/progress.ts';
import { findCached } from '../../../src/vision/weights/hub/cache.ts';
import { pullFile } from '../../../src/vision/weights/hub/pull.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { COMMIT, describing, type LocalHub, localHub, sendContent, sha256 } from './local-hub.ts';

const root = temporaryFolder('pull');
const WANTED = { repository: 'timm/small', revision: 'main', file: 'model.safetensors' };
const KEY = 'timm/small/model.safetensors';
const SIZE = 300_000;
/** Some megabytes, as progress counts them. */
const LARGE = 3_500_000;
let made = 0;

/** A hub with one file of random bytes, and an empty cache. */
async function aHub(size = SIZE): Promise<{ hub: LocalHub; cache: string; bytes: Buffer }> {
  const bytes = randomBytes(size);
  return { hub: await localHub({ [KEY]: bytes }), cache: join(root, `cache-${made++}`), bytes };
}

const blobsOf = (cache: string): string => join(cache, 'models--timm--small', 'blobs');

function filesIn(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).sort() : [];
}

/** Checksum of a file: comparing arrays of its size one by one would take the runner seconds. */
const contentOf = (path: string): string => sha256(readFileSync(path));

/** Leaves the first `length` bytes as an interrupted pull does. */
function leaveBeginning(cache: string, bytes: Buffer, length: number): void {
  mkdirSync(blobsOf(cache), { recursive: true });
  writeFileSync(join(blobsOf(cache), `${sha256(bytes)}.incomplete`), bytes.subarray(0, length));
}

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
    writeFileSync(join(locks, `${sha256(bytes)}.sward`), JSON.stringify({ pid: 2 ** 22 + 1, host }));
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

describe('a hub that lies', () => {
  it('is not believed a longer file than it sends', async () => {
    const { hub, cache, bytes } = await aHub();
    hub.mischief = (_, response, { range }) => {
      const headers: Record<string, string> = { ...describing(bytes), 'x-linked-size': String(SIZE + 100) };
      if (range === 'bytes=0-0') headers['content-range'] = `bytes 0-0/${SIZE + 100}`;
      response.writeHead(range === 'bytes=0-0' ? 206 : 200, headers);
      response.end(range === 'bytes=0-0' ? 'x' : bytes);
      return true;
    };
    await expect(pullFile(WANTED, { settings: hub.settings(cache) })).rejects.toThrow(
      /connection ended|announces/,
    );
    expect(filesIn(join(cache, 'models--timm--small', 'snapshots'))).toEqual([]);
  });

  it('is not believed a shorter file than it sends', async () => {
    const { hub, cache, bytes } = await aHub();
    hub.mischief = (_, response, { range }) => {
      const headers: Record<string, string> = { ...describing(bytes), 'x-linked-size': '1000' };
      if (range === 'bytes=0-0')
        response.writeHead(206, { ...headers, 'content-range': 'bytes 0-0/1000' }).end('x');
      else response.writeHead(200, headers).end(bytes);
      return true;
    };
    await expect(pullFile(WANTED, { settings: hub.settings(cache) })).rejects.toThrow(
      /announces 1000 bytes but the server sends more/,
    );
  });

  it('is told where the length of the content is another than announced', async () => {
    const { hub, cache, bytes } = await aHub();
    hub.mischief = (_, response, { range }) => {
      if (range === 'bytes=0-0') return false;
      sendContent(response, bytes.subarray(0, 5_000), undefined);
      return true;
    };
    await expect(pullFile(WANTED, { settings: hub.settings(cache) })).rejects.toThrow(
      `announces ${SIZE} bytes but the server offers 5000; pull again later`,
    );
  });

  it('does not pass off other bytes of the same length', async () => {
    const { hub, cache } = await aHub();
    hub.mischief = (_, response, { range }) => {
      if (range === 'bytes=0-0') return false;
      sendContent(response, Buffer.alloc(SIZE, 1), range);
      return true;
    };
    await expect(pullFile(WANTED, { settings: hub.settings(cache) })).rejects.toThrow(
      /damaged \(checksum .* removed; pull again/,
    );
    expect(filesIn(blobsOf(cache))).toEqual([]);
  });

  it('is caught when the file changes between two attempts', async () => {
    const { hub, cache, bytes } = await aHub();
    let transfers = 0;
    hub.mischief = (_, response, { range }) => {
      if (range === 'bytes=0-0') return false;
      if (transfers++ === 0) {
        response.writeHead(200, { 'content-length': SIZE, ...describing(bytes) });
        response.write(bytes.subarray(0, 100_000), () => response.destroy());
      } else {
        const other = Buffer.alloc(SIZE, 2);
        sendContent(response, other, range, describing(other));
      }
      return true;
    };
    await expect(pullFile(WANTED, { settings: hub.settings(cache) })).rejects.toThrow(
      /changed on the hub while/,
    );
  });

  it('may put another file in place that only its bytes tell: the pull starts anew', async () => {
    const { hub, cache, bytes } = await aHub();
    let transfers = 0;
    hub.mischief = (_, response, { range }) => {
      if (range === 'bytes=0-0') return false;
      transfers++;
      if (transfers === 1) {
        response.writeHead(200, { 'content-length': SIZE, etag: '"one"' });
        response.write(Buffer.alloc(100_000, 9), () => response.destroy());
      } else sendContent(response, bytes, range, { etag: '"two"' });
      return true;
    };
    const { path } = await pullFile(WANTED, { settings: hub.settings(cache) });
    expect(contentOf(path)).toBe(sha256(bytes));
    expect(hub.transfers().at(-1)?.range).toBeUndefined();
  });

  it('is refused a file that is not the one the catalogue pins', async () => {
    const { hub, cache } = await aHub();
    const pinned = { ...WANTED, sha256: 'ab'.repeat(32) };
    await expect(pullFile(pinned, { settings: hub.settings(cache) })).rejects.toThrow(
      /the file changed: sha256 .* where abababababab… is expected; update sward/,
    );
    expect(hub.transfers()).toEqual([]);
    await expect(pullFile({ ...WANTED, bytes: 5 }, { settings: hub.settings(cache) })).rejects.toThrow(
      /has 300000 bytes on the hub where 5 are expected/,
    );
  });

  it('finds a pinned file on the main branch where its commit is not, and there again', async () => {
    const { hub, cache, bytes } = await aHub();
    const settings = hub.settings(cache);
    const pinned = { ...WANTED, revision: 'ef'.repeat(20), sha256: sha256(bytes) };
    const pulled = await pullFile(pinned, { settings });
    expect(pulled).toMatchObject({ commit: COMMIT, sha256: sha256(bytes) });
    expect(await findCached(cache, pinned)).toEqual(pulled);
    const requests = hub.seen.length;
    expect(await pullFile(pinned, { settings })).toEqual(pulled);
    expect(hub.seen.length).toBe(requests);
    expect(await findCached(cache, { ...pinned, sha256: 'ab'.repeat(32) })).toBeUndefined();
    await expect(pullFile({ ...pinned, sha256: 'ab'.repeat(32) }, { settings })).rejects.toThrow(
      /the file changed: sha256/,
    );
    await expect(pullFile({ ...pinned, sha256: null }, { settings })).rejects.toThrow(/no revision "efef/);
  });

  it('cannot send round in circles, nor to other than web addresses', async () => {
    const { hub, cache } = await aHub();
    hub.mischief = (_, response, { path }) => {
      response.writeHead(302, { location: path }).end();
      return true;
    };
    await expect(pullFile(WANTED, { settings: hub.settings(cache) })).rejects.toThrow(
      /more than 5 redirects/,
    );
    hub.mischief = (_, response) => {
      response.writeHead(302, { location: 'file:///etc/passwd' }).end();
      return true;
    };
    await expect(pullFile(WANTED, { settings: hub.settings(cache) })).rejects.toThrow(
      /a redirect leads to file:/,
    );
  });
});

describe('access', () => {
  it('sends the token to the hub, and never to where the hub redirects', async () => {
    const { hub, cache, bytes } = await aHub();
    const network = await localHub();
    network.mischief = (_, response, { range }) => {
      sendContent(response, bytes, range, { etag: '"of-the-network"' });
      return true;
    };
    hub.contentOrigin = network.endpoint;
    leaveBeginning(cache, bytes, 777);
    const { path } = await pullFile(WANTED, { settings: hub.settings(cache, { token: 'hf_secret' }) });
    expect(contentOf(path)).toBe(sha256(bytes));
    expect(hub.seen.map(({ authorization }) => authorization)).toEqual([
      'Bearer hf_secret',
      'Bearer hf_secret',
    ]);
    expect(network.seen.map(({ authorization }) => authorization)).toEqual([undefined, undefined]);
    expect(network.seen.map(({ range }) => range)).toEqual(['bytes=0-0', 'bytes=777-']);
  });

  const refusing = async (status: number, code: string, token?: string): Promise<unknown> => {
    const { hub, cache } = await aHub();
    hub.mischief = (_, response) => {
      response.writeHead(status, code === '' ? {} : { 'x-error-code': code }).end('no');
      return true;
    };
    const pulled = pullFile(WANTED, { settings: hub.settings(cache, { token }) });
    const error = await pulled.catch((reason: unknown) => reason);
    expect(hub.seen.length).toBe(status >= 500 ? 4 : 1);
    return error instanceof Error ? error.message.replaceAll(hub.endpoint, 'HUB') : error;
  };

  it('says how to get access to a gated repository', async () => {
    expect(await refusing(401, 'GatedRepo')).toMatch(
      /gated \(401\); ask for access at HUB\/timm\/small, then set HF_TOKEN to a read token from HUB\/settings\/tokens/,
    );
    expect(await refusing(403, 'GatedRepo', 'hf_x')).toMatch(
      /this token has no access \(403\); accept the terms at/,
    );
    expect(await refusing(403, '')).toMatch(/gated \(403\)/);
  });

  it('says what 401, 404 and 500 mean', async () => {
    expect(await refusing(401, '')).toMatch(/wants a token \(401\)/);
    expect(await refusing(401, '', 'hf_x')).toMatch(/refuses the token \(401\)/);
    expect(await refusing(404, 'RepoNotFound')).toMatch(/there is no such repository \(404\)/);
    expect(await refusing(404, 'RevisionNotFound')).toMatch(/there is no revision "main" \(404\)/);
    expect(await refusing(404, '')).toMatch(/nothing there at revision "main" \(404\)/);
    expect(await refusing(500, '')).toMatch(/the hub answers 500; try again later/);
  });

  it('says that there is no such file in a repository', async () => {
    const { hub, cache } = await aHub();
    const wanted = { ...WANTED, file: 'other.safetensors' };
    await expect(pullFile(wanted, { settings: hub.settings(cache) })).rejects.toThrow(
      /timm\/small other.safetensors: there is no such file \(404\)/,
    );
  });

  it('says that there is no network', async () => {
    const { hub, cache } = await aHub();
    const settings = hub.settings(cache, { endpoint: 'http://127.0.0.1:9', retryMilliseconds: [] });
    await expect(pullFile(WANTED, { settings })).rejects.toThrow(
      /cannot reach http:\/\/127.0.0.1:9 \(.+\); check the network/,
    );
  });

  it('uses no network when told so', async () => {
    const { hub, cache } = await aHub();
    const settings = hub.settings(cache, { offline: true });
    await expect(pullFile(WANTED, { settings })).rejects.toThrow(/is not in the cache .* HF_HUB_OFFLINE/);
    expect(hub.seen).toEqual([]);
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
