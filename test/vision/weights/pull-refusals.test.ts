import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findCached } from '../../../src/vision/weights/hub/cache.ts';
import { pullFile } from '../../../src/vision/weights/hub/pull.ts';
import { COMMIT, describing, localHub, sendContent, sha256 } from './local-hub.ts';
import { aHub, blobsOf, contentOf, filesIn, leaveBeginning, SIZE, WANTED } from './one-file-hub.ts';

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
