import { randomUUID } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  watch,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import Libsql from 'libsql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { backupFarm, restoreFarm, verifyFarm } from '../../src/server/index.ts';
import { openDatabase } from '../../src/server/storage/database.ts';
import { MIGRATION_NAMES } from '../../src/server/storage/migrations.ts';
import { photoStore } from '../../src/server/storage/photo-store.ts';
import { writePhoto } from '../support/small-data-folder.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { until } from '../support/until.ts';
import { cutEvents } from './cut-events.ts';
import { recordOf, startTestServer, type TestServer, upload } from './farm-server.ts';

const root = temporaryFolder('server-care');
const data = join(root, 'farm');
const backup = join(root, 'backup.tar');
let farm: TestServer;
let hashes: string[];

beforeAll(async () => {
  farm = await startTestServer(data);
  const paddock = { id: randomUUID(), name: 'Hill', boundary: null, hectares: 4 };
  const visit = { id: randomUUID(), paddockId: paddock.id, startedAt: '2026-11-03T08:00:00+11:00', note: '' };
  const put = (path: string, body: { id: string }) =>
    farm.ask(`/api/${path}/${body.id}`, { method: 'PUT', body });
  await put('paddocks', paddock);
  await put('visits', visit);
  hashes = [];
  for (let seed = 0; seed < 3; seed++) {
    const path = join(root, `${seed}.jpg`);
    await writePhoto(path, 20 + seed, seed);
    const file = readFileSync(path);
    const record = recordOf(file, { visitId: visit.id });
    expect((await upload(farm, record, file)).status).toBe(204);
    hashes.push(record.sha256);
    await put('cuts', {
      id: randomUUID(),
      visitId: visit.id,
      photoId: record.id,
      events: cutEvents({ dry: 30 }),
    } as never);
  }
  await until(async () => (await farm.json('/api/estimates')).items.length === 3);
});

afterAll(() => farm.close());

describe('a backup', () => {
  it('is taken while the server runs, and restored it is the same farm', async () => {
    expect(await backupFarm(data, backup)).toEqual({ photos: 3, runs: 0, damagedRuns: [] });
    await expect(backupFarm(data, backup)).rejects.toThrow(/there already/);
    const copy = join(root, 'restored');
    expect(await restoreFarm(backup, copy)).toMatchObject({
      photos: 3,
      cuts: 3,
      estimates: 3,
      problems: [],
      unnamedPhotos: 0,
    });
    // A farm's photos and positions are its own: no other user of the machine may look into it.
    expect(statSync(copy).mode & 0o777).toBe(0o700);
    await expect(restoreFarm(backup, copy)).rejects.toThrow(/not empty/);
    const paths = ['/api/photos', '/api/cuts', '/api/visits', '/api/paddocks', '/api/estimates'];
    const before = await Promise.all(paths.map((path) => farm.json(path)));
    const second = await startTestServer(copy);
    try {
      expect(await Promise.all(paths.map((path) => second.json(path)))).toEqual(before);
      // Who was paired with the farm is paired with its copy.
      expect((await second.ask('/api/photos', { token: farm.tokens.viewer })).status).toBe(200);
    } finally {
      await second.close();
    }
  });

  it('is taken while photos are removed', async () => {
    const busy = join(root, 'busy');
    await restoreFarm(backup, busy);
    const { store, db } = {
      store: photoStore(join(busy, 'photos')),
      db: await openDatabase(join(busy, 'sward.db')),
    };
    // Owners remove photos in the middle of it: after the database is copied, and while it is.
    const [gone = ''] = hashes;
    await db.deleteFrom('cuts').execute();
    const isHolding = new Promise<void>((settle) => {
      const watching = watch(join(busy, 'scratch'), () => {
        watching.close();
        settle();
      });
    });
    const removal = (async () => {
      await isHolding;
      await db.deleteFrom('photos').where('sha256', '=', gone).execute();
      await store.remove(gone);
    })();
    const taken = await backupFarm(busy, join(root, 'busy.tar'));
    await removal;
    await db.destroy();
    expect(existsSync(store.pathOf(gone))).toBe(false);
    expect((await restoreFarm(join(root, 'busy.tar'), join(root, 'busy-restored'))).photos).toBe(
      taken.photos,
    );
    expect(readdirSync(join(busy, 'scratch'))).toEqual([]);
    // A photo that is named and not there is said to be so.
    rmSync(store.pathOf(hashes[1] ?? ''));
    await expect(backupFarm(busy, join(root, 'lost.tar'))).rejects.toThrow(/is not there, though a photo/);
    await expect(backupFarm(busy, join(root, 'no-folder', 'x.tar'))).rejects.toThrow(
      /its folder is not there/,
    );
    expect(existsSync(join(root, 'no-folder'))).toBe(false);
  });

  it('that is cut short, changed or something else is refused, and leaves nothing', async () => {
    const whole = readFileSync(backup);
    const changed = Buffer.from(whole);
    // In the last photo: before the end of two blocks.
    changed.fill(1, whole.length - 1900, whole.length - 1850);
    const renamed = Buffer.from(whole);
    const at = renamed.indexOf('photos/');
    const cases: [string, Buffer, RegExp][] = [
      ['short', whole.subarray(0, whole.length / 2), /ends too early|is no backup/],
      ['changed', changed, /another SHA-256/],
      [
        'renamed',
        Buffer.concat([renamed.subarray(0, at), Buffer.from('../oto/'), renamed.subarray(at + 7)]),
        /is no backup/,
      ],
      ['other', readFileSync(join(root, '0.jpg')), /is no backup|ends too early/],
    ];
    for (const [name, content, why] of cases) {
      const file = join(root, `${name}.tar`);
      writeFileSync(file, content);
      await expect(restoreFarm(file, join(root, `from-${name}`)), name).rejects.toThrow(why);
      expect(readdirSync(root).filter((entry) => entry.includes(`from-${name}`))).toEqual([]);
    }
    await expect(backupFarm(join(root, 'nowhere'), join(root, 'x.tar'))).rejects.toThrow(/holds no farm/);
  });
});

describe('verifying', () => {
  it('finds photos that are gone or changed, and records that are none', async () => {
    expect(await verifyFarm(data)).toMatchObject({ photos: 3, cuts: 3, problems: [] });
    const damaged = join(root, 'damaged');
    await restoreFarm(backup, damaged);
    const pathOf = (sha256 = ''): string => join(damaged, 'photos', sha256.slice(0, 2), sha256);
    rmSync(pathOf(hashes[0]));
    writeFileSync(pathOf(hashes[1]), 'other');
    writeFileSync(join(damaged, 'photos', 'left-over'), 'x');
    const db = new Libsql(join(damaged, 'sward.db'));
    db.pragma('foreign_keys = OFF');
    db.exec("update visits set body = '{}'; delete from paddocks");
    db.close();
    const { problems, unnamedPhotos } = await verifyFarm(damaged);
    expect(problems.join('\n')).toMatch(/its file .* is not there/);
    expect(problems.join('\n')).toMatch(/has another SHA-256/);
    expect(problems.join('\n')).toMatch(/a row of visits names one of paddocks that is not there/);
    expect(problems.join('\n')).toMatch(/visit [\w-]+: /);
    expect(unnamedPhotos).toBe(1);
  });
});

describe('the database', () => {
  const schemas = join(import.meta.dirname, 'schemas');

  it('of every released version is kept', () => {
    expect(
      readdirSync(schemas)
        .map((name) => basename(name, '.sql'))
        .sort(),
    ).toEqual([...MIGRATION_NAMES]);
  });

  it.each(MIGRATION_NAMES)('of version %s is brought forward with all that is in it', async (name) => {
    const folder = join(root, `from-${name}`);
    mkdirSync(folder);
    const old = new Libsql(join(folder, 'sward.db'));
    old.pragma('foreign_keys = OFF');
    old.exec(readFileSync(join(schemas, `${name}.sql`), 'utf8'));
    const counts = (): unknown[] =>
      [
        'paddocks',
        'visits',
        'photos',
        'cuts',
        'cut_events',
        'estimates',
        'runs',
        'jobs',
        'calibrations',
        'devices',
      ].map((table) => old.prepare(`select '${table}' as name, count(*) as rows from ${table}`).all()[0]);
    const before = counts();
    expect(before.every((count) => (count as { rows: number }).rows > 0)).toBe(true);
    const db = await openDatabase(join(folder, 'sward.db'));
    await db.destroy();
    expect(counts()).toEqual(before);
    old.close();
    const { problems } = await verifyFarm(folder);
    // The photo's file is not kept with the schema.
    expect(problems.filter((problem) => !/its file .* is not there/.test(problem))).toEqual([]);
  });

  it('of a later version is refused, and left as it is', async () => {
    const folder = join(root, 'later');
    mkdirSync(folder);
    const path = join(folder, 'sward.db');
    await (await openDatabase(path)).destroy();
    const db = new Libsql(path);
    db.exec("insert into kysely_migration values ('999-later', '2030')");
    db.close();
    await expect(openDatabase(path)).rejects.toThrow(/later version of sward \(999-later\)/);
  });

  it('of an earlier version is copied before it is changed', async () => {
    const folder = join(root, 'earlier');
    mkdirSync(folder);
    const path = join(folder, 'sward.db');
    const db = new Libsql(path);
    db.exec('create table kysely_migration (name text primary key, timestamp text not null)');
    db.close();
    await (await openDatabase(path)).destroy();
    expect(readdirSync(folder).some((name) => name.startsWith('sward.db.before-'))).toBe(true);
  });
});
