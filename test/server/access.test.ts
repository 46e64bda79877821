import { generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SwardError } from '../../src/ground/errors.ts';
import { DEFAULT_SETTINGS, poolOf, type ServerSettings, startServer } from '../../src/server/index.ts';
import { NO_PROGRESS } from '../../src/server/jobs/job.ts';
import { lockFarm } from '../../src/server/storage/farm-lock.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { startTestServer, type TestServer } from './farm-server.ts';

const root = temporaryFolder('server-access');
let farm: TestServer;

beforeAll(async () => {
  farm = await startTestServer(join(root, 'farm'));
});

afterAll(() => farm.close());

const paddock = () => ({ id: randomUUID(), name: 'Hill', boundary: null, hectares: 4 });
const put = (record: { id: string }, as: 'owner' | 'recorder' | 'viewer') =>
  farm.ask(`/api/paddocks/${record.id}`, { method: 'PUT', as, body: record });

describe('access', () => {
  it('is for paired devices alone', async () => {
    for (const path of [
      '/api/paddocks',
      '/api/photos',
      '/api/devices/me',
      '/metrics',
      '/api/exports/photos.csv',
    ]) {
      expect((await farm.ask(path, { as: null })).status, path).toBe(401);
    }
    expect((await farm.ask('/api/paddocks', { token: `${randomUUID()}.${'x'.repeat(43)}` })).status).toBe(
      401,
    );
    expect((await farm.ask('/healthz', { as: null })).status).toBe(200);
  });

  it('comes with a code that works once', async () => {
    const offer = await farm.json('/api/devices/pairings', { body: { name: 'Ana', role: 'recorder' } });
    expect(offer.qr).toMatch(/^<svg/);
    const code = offer.link.split('#pair=')[1];
    const pair = () => farm.ask('/api/devices/pair', { as: null, body: { code } });
    const both = await Promise.all([pair(), pair()]);
    expect(both.map(({ status }) => status).sort()).toEqual([200, 403]);
    const answer = both.find(({ status }) => status === 200);
    expect(answer?.headers.get('set-cookie')).toMatch(/HttpOnly; SameSite=Strict/);
    const { token } = await (answer as Response).json();
    expect(await farm.json('/api/devices/me', { token })).toMatchObject({ name: 'Ana', role: 'recorder' });
  });

  it('is told to a first owner by a link, and to nobody where an owner is', async () => {
    const code = farm.server.ownerLink?.split('#pair=')[1];
    expect(code).toMatch(/^[\w-]+\.[\w-]{43}$/);
    expect(await farm.server.farm.devices.hasOwner()).toBe(true);
  });

  it('ends for a device that is revoked', async () => {
    const { devices } = farm.server.farm;
    const paired = await devices.pair((await devices.offer('old phone', 'owner')).code, undefined);
    const token = paired?.token ?? '';
    expect((await farm.ask('/api/paddocks', { token })).status).toBe(200);
    const gone = await farm.ask(`/api/devices/${paired?.device.id}`, { method: 'DELETE' });
    expect((await gone.json()).revokedAt).toMatch(/^20/);
    expect((await farm.ask('/api/paddocks', { token })).status).toBe(401);
    // It is told so, and nobody else is: a code that was guessed is that of no device.
    expect((await farm.json('/api/devices/me', { token })).error.code).toBe('revoked');
    const guessed = `${paired?.device.id}.${'x'.repeat(43)}`;
    expect((await farm.json('/api/devices/me', { token: guessed })).error.code).toBe('not-paired');
  });

  it('notes when a device was last there', async () => {
    const { devices } = farm.server.farm;
    const paired = await devices.pair((await devices.offer('new phone', 'viewer')).code, undefined);
    const seen = async () =>
      (await farm.json('/api/devices')).items.find(({ id }: { id: string }) => id === paired?.device.id)
        .seenAt;
    expect(await seen()).toBeNull();
    await farm.ask('/api/paddocks', { token: paired?.token ?? '' });
    expect(Math.abs(Date.parse(await seen()) - Date.now())).toBeLessThan(60_000);
  });

  it('that was ended ends what is told of a job', async () => {
    const { devices, db } = farm.server.farm;
    const paired = await devices.pair((await devices.offer('watcher', 'viewer')).code, undefined);
    const id = randomUUID();
    await db
      .insertInto('jobs')
      .values({
        ...{ id, kind: 're-estimate', state: 'queued', finished_at: null },
        asked: JSON.stringify({ kind: 're-estimate', runId: 'starter' }),
        progress: JSON.stringify(NO_PROGRESS),
        created_at: new Date().toISOString(),
      })
      .execute();
    const answer = await farm.ask(`/api/jobs/${id}/events`, { token: paired?.token ?? '' });
    const text = answer.text();
    await new Promise((settle) => setTimeout(settle, 300));
    await farm.ask(`/api/devices/${paired?.device.id}`, { method: 'DELETE' });
    await farm.ask(`/api/jobs/${id}`, { method: 'DELETE' });
    expect((await text).match(/^event: job$/gm)).toHaveLength(1);
  });

  it('lets viewers write nothing, recorders remove nothing and no one but owners add devices', async () => {
    const record = paddock();
    expect((await put(record, 'viewer')).status).toBe(403);
    expect((await put(record, 'recorder')).status).toBe(200);
    expect((await farm.ask(`/api/paddocks/${record.id}`, { method: 'DELETE', as: 'recorder' })).status).toBe(
      403,
    );
    expect((await farm.ask(`/api/paddocks/${record.id}`, { as: 'viewer' })).status).toBe(200);
    const pairing = { body: { name: 'x', role: 'owner' }, as: 'recorder' } as const;
    expect((await farm.ask('/api/devices/pairings', pairing)).status).toBe(403);
    expect((await farm.ask('/api/uploads', { method: 'POST', as: 'viewer' })).status).toBe(403);
    expect((await farm.ask('/api/runs?name=x', { raw: 'zip', as: 'recorder' })).status).toBe(403);
    const job = { id: randomUUID(), request: { kind: 'train', name: 'x' } };
    expect((await farm.ask('/api/jobs', { body: job, as: 'recorder' })).status).toBe(403);
    expect((await farm.ask(`/api/paddocks/${record.id}`, { method: 'DELETE' })).status).toBe(204);
  });

  it('is not lent to pages of other sites', async () => {
    const record = paddock();
    const headers = { cookie: `sward_token=${farm.tokens.owner}` };
    const ask = (origin: string) =>
      farm.ask(`/api/paddocks/${record.id}`, {
        method: 'PUT',
        as: null,
        body: record,
        headers: { ...headers, origin },
      });
    expect((await ask('https://elsewhere.example')).status).toBe(403);
    expect((await ask(farm.server.address)).status).toBe(200);
    const proxied = await startTestServer(join(root, 'proxied'), { behindProxy: true });
    try {
      const askThere = (origin: string, host: string) =>
        proxied.ask(`/api/paddocks/${record.id}`, {
          method: 'PUT',
          as: null,
          body: record,
          headers: { cookie: `sward_token=${proxied.tokens.owner}`, origin, 'x-forwarded-host': host },
        });
      for (const host of ['farm.example', 'Farm.Example', 'farm.example, inner.example']) {
        expect((await askThere('https://farm.example', host)).status, host).toBe(200);
        expect((await askThere('https://elsewhere.example', host)).status, host).toBe(403);
      }
    } finally {
      await proxied.close();
    }
    const seen = await farm.ask('/api/paddocks', {
      as: null,
      headers: { ...headers, origin: 'https://elsewhere.example' },
    });
    expect(seen.headers.get('access-control-allow-origin')).toBeNull();
  });

  it('sends pages that run no script but the server’s own', async () => {
    const page = await farm.ask('/', { as: null });
    const policy = page.headers.get('content-security-policy') ?? '';
    expect(policy).toMatch(/default-src 'none'; script-src 'self';/);
    expect(policy).not.toMatch(/unsafe/);
    expect(page.headers.get('x-content-type-options')).toBe('nosniff');
    for (const path of ['/', '/api/docs']) {
      const text = await (await farm.ask(path, { as: null })).text();
      expect(text).not.toMatch(/<script(?![^>]*\bsrc="\/)|\son\w+=|style="/);
      expect(text.match(/(?:src|href)="(?!\/|data:,)[^"]*"/g)).toBeNull();
    }
  });

  it('keeps and logs no token', async () => {
    await farm.ask('/api/paddocks');
    const files = ['sward.db', 'sward.db-wal']
      .map((name) => readFileSync(join(root, 'farm', name), 'latin1'))
      .join('');
    for (const token of Object.values(farm.tokens)) {
      const secret = token.split('.')[1] ?? '';
      expect(secret).toHaveLength(43);
      expect(files).not.toContain(secret);
      expect(farm.log.join('')).not.toContain(secret);
    }
    expect(farm.log.some((line) => line.includes('"route":"/api/paddocks"'))).toBe(true);
  });

  it('does not let codes be tried', async () => {
    const tries = Array.from({ length: 40 }, () =>
      farm.ask('/api/devices/pair', { as: null, body: { code: `${randomUUID()}.${'x'.repeat(43)}` } }),
    );
    const statuses = (await Promise.all(tries)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 429).length).toBeGreaterThan(15);
    const refused = await farm.ask('/api/devices/pair', { as: null, body: { code: 'x' } });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await farm.ask('/api/paddocks')).status).toBe(200);
  });
});

describe('the server', () => {
  const settings = { ...DEFAULT_SETTINGS, data: join(root, 'other'), port: 0, pool: poolOf(1) };

  it('is not opened to others without encryption', async () => {
    await expect(startServer({ ...settings, host: '0.0.0.0' })).rejects.toThrow(
      /--tls-cert and --tls-key, or --behind-proxy/,
    );
  });

  it('refuses a folder that another one has', async () => {
    await expect(startServer({ ...settings, data: join(root, 'farm') })).rejects.toThrow(
      /used by another server \(process \d+/,
    );
  });

  it('puts the address that phones reach it by into its links', async () => {
    const publicUrl = 'https://farm.example.org';
    const own = await startTestServer(join(root, 'public'), { publicUrl, ownerLink: true });
    expect(own.server.ownerLink).toMatch(/^https:\/\/farm\.example\.org\/#pair=/);
    const offer = await own.json('/api/devices/pairings', { body: { name: 'Ana', role: 'recorder' } });
    expect(offer.link).toMatch(/^https:\/\/farm\.example\.org\/#pair=/);
    await own.close();
  });

  it('takes a folder that a server of another name has left, and none that gives signs', async () => {
    const path = join(root, 'server.lock');
    const owner = { token: randomUUID(), pid: 1, host: 'another', since: new Date().toISOString() };
    writeFileSync(path, JSON.stringify(owner));
    await (await lockFarm(path, 'the farm', 1000)).release();
    writeFileSync(path, JSON.stringify(owner));
    const beat = setInterval(() => utimesSync(path, new Date(), new Date()), 100);
    await expect(lockFarm(path, 'the farm', 1000)).rejects.toThrow(/another server \(process 1 on another\)/);
    clearInterval(beat);
  });

  it('names a run that is none', async () => {
    await expect(startServer({ ...settings, run: join(root, 'no-run') })).rejects.toThrow(
      /no-run.*cannot be read.*give another run, or none/,
    );
  });

  it('leaves a folder of somebody’s photos alone', async () => {
    const photos = join(root, 'photos-of-mine');
    mkdirSync(photos);
    for (const name of ['a.jpg', 'b.jpg', 'c.jpg']) writeFileSync(join(photos, name), 'x');
    await expect(startServer({ ...settings, data: photos })).rejects.toThrow(
      /holds a\.jpg, b\.jpg, … 3 in all and no farm of sward; name a folder of its own, as .*farm$/,
    );
    expect(readdirSync(photos)).toEqual(['a.jpg', 'b.jpg', 'c.jpg']);
  });

  it('says what keeps it from starting', async () => {
    const file = join(root, 'a-file');
    writeFileSync(file, 'x');
    const noDatabase = join(root, 'no-database');
    mkdirSync(noDatabase);
    writeFileSync(join(noDatabase, 'sward.db'), 'no database');
    mkdirSync(join(root, 'folder-database', 'sward.db'), { recursive: true });
    const pem = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString();
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    writeFileSync(join(root, 'key.pem'), pem(privateKey));
    const tls = { certificate: file, key: join(root, 'key.pem') };
    const cases: [Partial<ServerSettings>, RegExp][] = [
      [{ port: 99_999 }, /--port 99999 is none/],
      [{ port: -1 }, /--port -1 is none/],
      [{ host: '127.999.1.1' }, /127\.999\.1\.1 is no address/],
      [{ data: file }, /a-file.*in the way/],
      [{ data: noDatabase }, /sward\.db: is no database that can be opened/],
      [{ data: join(root, 'folder-database') }, /sward\.db: is no database that can be opened/],
      [{ tls }, /cannot be used together .*a certificate and its own key/],
    ];
    for (const [changes, why] of cases) {
      const error = await startServer({ ...settings, ...changes }).then(
        () => null,
        (found: unknown) => found,
      );
      expect(error).toBeInstanceOf(SwardError);
      expect((error as SwardError).message).toMatch(why);
    }
  });

  it('names a certificate that is not there', async () => {
    const tls = { certificate: join(root, 'none.pem'), key: join(root, 'none.key') };
    await expect(startServer({ ...settings, tls })).rejects.toThrow(/none\.pem: cannot be read/);
  });
});
