import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { environmentFrom } from '../../src/cli/environment.ts';
import { configure, environment } from '../../src/ground/environment.ts';
import { fileFingerprint } from '../../src/ground/fingerprint.ts';
import {
  download,
  openStore,
  requireEndpoint,
  type Store,
  StoreUnreachable,
} from '../../src/storage/index.ts';
import { type LocalObjectStore, startObjectStore } from '../support/object-store.ts';
import { freePort } from '../support/redis-server.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const root = temporaryFolder('store');
let objects: LocalObjectStore;
const places: Record<string, () => Store> = {
  'a folder': () => openStore(join(root, 'folder')),
  'a prefix of a bucket': () => openStore('s3://meadow/work'),
};

beforeAll(async () => {
  objects = await startObjectStore(join(root, 's3'), 'meadow');
  configure(environmentFrom(objects.variables));
});
afterAll(() => objects.end());

const textOf = async (store: Store, key: string): Promise<string | null> => {
  const bytes = await store.read(key);
  return bytes && Buffer.from(bytes).toString();
};

const keysOf = async (store: Store, prefix: string): Promise<string[]> => {
  const keys: string[] = [];
  for await (const { key } of store.list(prefix)) keys.push(key);
  return keys;
};

describe.each(Object.keys(places))('%s', (place) => {
  const store = (): Store => (places[place] as () => Store)();

  it('keeps what is put, under names of any letters, and lists it in order', async () => {
    const names = ['a/1 + 1.txt', 'a/Grünland & Klee.jpg', 'a/b/c.txt', 'z.txt'];
    for (const name of names) await store().put(name, `content of ${name}`);
    expect(await keysOf(store(), '')).toEqual([...names].sort());
    expect(await keysOf(store(), 'a/')).toEqual(names.slice(0, 3).sort());
    for (const name of names) expect(await textOf(store(), name)).toBe(`content of ${name}`);
    await store().remove('a/1 + 1.txt');
    expect(await textOf(store(), 'a/1 + 1.txt')).toBeNull();
    expect(await store().facts('a/1 + 1.txt')).toBeNull();
    expect(await keysOf(store(), 'nothing/')).toEqual([]);
  });

  it('creates an object once, whoever else tries at the same time', async () => {
    const wins = await Promise.all(
      Array.from({ length: 8 }, (_, number) => store().create('race/one', `by ${number}`)),
    );
    expect(wins.filter(Boolean)).toHaveLength(1);
    expect(await textOf(store(), 'race/one')).toBe(`by ${wins.indexOf(true)}`);
    expect(await store().create('race/one', 'late')).toBe(false);
  });

  it('reads ranges of one version alone', async () => {
    await store().put('ranges', 'pasture biomass');
    const facts = await store().facts('ranges');
    expect(facts?.byteLength).toBe(15);
    const version = facts?.version ?? '';
    const middle = await store().read('ranges', { range: { start: 8, end: 12 }, version });
    expect(Buffer.from(middle ?? []).toString()).toBe('biom');
    await store().put('ranges', 'something else and longer');
    expect(await store().read('ranges', { range: { start: 8, end: 12 }, version })).toBeNull();
    await expect(download(store(), 'ranges', join(root, 'old'), { version })).rejects.toThrow(/has changed/);
  });

  it('stores files and gives them back, and notices when they are others', async () => {
    const from = join(root, 'from.bin');
    writeFileSync(from, Buffer.alloc(20 * 2 ** 20, 'grass'));
    const sha256 = await fileFingerprint(from);
    await store().upload('big', from, sha256);
    const to = join(root, 'to.bin');
    await download(store(), 'big', to, { sha256 });
    expect(readFileSync(to).equals(readFileSync(from))).toBe(true);
    await expect(download(store(), 'big', to, { sha256: '0'.repeat(64) })).rejects.toThrow(/SHA-256/);
    await expect(download(store(), 'nowhere', to)).rejects.toThrow(/there is no such object/);
  });
});

describe('a store of objects', () => {
  it('is asked for a file in pieces, and again for the piece that failed alone', async () => {
    const store = openStore('s3://meadow/work');
    const from = join(root, 'pieces.bin');
    writeFileSync(from, Buffer.alloc(40 * 2 ** 20, 'clover'));
    const sha256 = await fileFingerprint(from);
    await store.upload('pieces', from, sha256);
    objects.requests.length = 0;
    objects.failNext(/^GET .*pieces/, 1);
    await download(store, 'pieces', join(root, 'back.bin'), { sha256 });
    expect(objects.requests.filter((line) => line.startsWith('GET'))).toHaveLength(4);
  });

  it('takes files of more than one piece, whole', { timeout: 60_000 }, async () => {
    const store = openStore('s3://meadow/work');
    const from = join(root, 'large.bin');
    writeFileSync(from, Buffer.alloc(70 * 2 ** 20, 'lucerne'));
    const sha256 = await fileFingerprint(from);
    await store.upload('large', from, sha256);
    await download(store, 'large', join(root, 'large-back.bin'), { sha256 });
    expect(await fileFingerprint(join(root, 'large-back.bin'))).toBe(sha256);
    await expect(store.upload('other', from, '0'.repeat(64))).rejects.toThrow(/has changed while/);
    expect(await store.facts('other')).toBeNull();
  });

  it('is listed to its end, page by page', async () => {
    const store = openStore('s3://meadow/many');
    for (let start = 0; start < 1100; start += 100) {
      await Promise.all(
        Array.from({ length: 100 }, (_, number) => store.put(String(start + number).padStart(5, '0'), 'x')),
      );
    }
    const keys = await keysOf(store, '');
    expect(keys).toHaveLength(1100);
    expect(keys).toEqual([...keys].sort());
  });

  it('that refuses or is not there is told of with what to look to', async () => {
    await expect(openStore('s3://no-such-bucket/x').put('a', 'b')).rejects.toThrow(
      /s3:\/\/no-such-bucket\/x\/a: the store refuses PUT \(404 NoSuchBucket.*make the bucket/,
    );
    expect(() => openStore('s3://')).toThrow(/name the bucket/);
    expect(() => openStore('ftp://host/x')).toThrow(/a folder that all machines see, or s3/);
  });

  it('is known to be there by any answer, and where nothing listens that is said before it is waited for', async () => {
    const told: string[] = [];
    await requireEndpoint((line) => told.push(line));
    const { objectStore } = environment();
    const port = await freePort();
    configure(environmentFrom({ ...objects.variables, AWS_ENDPOINT_URL: `http://localhost:${port}` }));
    try {
      await expect(requireEndpoint((line) => told.push(line))).rejects.toThrow(
        /^http:\/\/localhost:\d+: no store answers there \(.*ECONNREFUSED.*\); check AWS_ENDPOINT_URL, or start the store$/,
      );
    } finally {
      configure({ ...(objectStore && { objectStore }) });
    }
    expect(told).toEqual([]);
  });

  it('needs somebody who asks', () => {
    const { variables } = objects;
    configure({ objectStore: undefined } as never);
    expect(() => openStore('s3://meadow')).toThrow(/set AWS_ACCESS_KEY_ID/);
    configure(environmentFrom(variables));
    expect(StoreUnreachable.name).toBe('StoreUnreachable');
  });
});
