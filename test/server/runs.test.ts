import { randomUUID } from 'node:crypto';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { zipSync } from 'fflate';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { backupFarm, restoreFarm, verifyFarm } from '../../src/server/index.ts';
import { runSward } from '../support/run-sward.ts';
import { sharedCache } from '../support/shared-cache.ts';
import { writePhoto, writeSmallFolder } from '../support/small-data-folder.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { until } from '../support/until.ts';
import { cutEvents } from './cut-events.ts';
import { photoForm, recordOf, startTestServer, type TestServer, upload } from './farm-server.ts';

const root = temporaryFolder('server-runs');
const data = join(root, 'data');
const run = join(root, 'run');
const farmFolder = join(root, 'farm');
let ids: string[];
let farm: TestServer;

beforeAll(async () => {
  ids = await writeSmallFolder(data, { photos: 18 });
  const cache = { SWARD_CACHE: sharedCache() };
  const training = await runSward(
    ['train', data, '--recipe', 'descriptor-ridge', '--folds', '3', '--out', run],
    cache,
  );
  expect(training.code).toBe(0);
  farm = await startTestServer(farmFolder);
});

afterAll(() => farm.close());

type Files = Record<string, Uint8Array>;

/** The files of a folder by their paths in it. */
function filesOf(folder: string): Files {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  return Object.fromEntries(
    entries.map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return [path.slice(folder.length + 1), new Uint8Array(readFileSync(path))];
    }),
  );
}

const add = (files: Files | Uint8Array, name = 'mine') =>
  farm.ask(`/api/runs?name=${name}`, {
    raw: new Uint8Array(files instanceof Uint8Array ? files : zipSync(files)),
    headers: { 'content-type': 'application/zip' },
  });

const photoOf = (id: string): Buffer => readFileSync(join(data, 'train', `${id}.jpg`));

describe('runs', () => {
  it('come as zips of their folders, once, and answer when they are chosen', async () => {
    const inFolder = Object.fromEntries(
      Object.entries(filesOf(run)).map(([name, file]) => [`my-run/${name}`, file]),
    );
    const added = await (await add(inFolder, 'hill')).json();
    expect(added).toMatchObject({ name: 'hill', origin: 'added', chosen: false });
    expect(await (await add(filesOf(run), 'again')).json()).toEqual(added);
    expect((await farm.json('/api/runs')).items).toHaveLength(2);
    const before = await farm.json('/api/estimate', { raw: photoForm(photoOf(ids[0] ?? '')) });
    expect(before.run.id).toBe('starter');
    const chosen = await farm.ask('/api/farm', {
      method: 'PUT',
      body: { name: 'Green Hills', runId: added.id },
    });
    expect(await chosen.json()).toEqual({ name: 'Green Hills', runId: added.id });
    const after = await farm.json('/api/estimate', { raw: photoForm(photoOf(ids[0] ?? '')) });
    expect(after.run).toEqual({ id: added.id, name: 'hill', hash: added.hash });
    const told = await runSward(['predict', run, join(data, 'train', `${ids[0]}.jpg`), '--json'], {
      SWARD_CACHE: sharedCache(),
    });
    expect(after.masses.total).toBe(JSON.parse(told.stdout).predictions[0].grams.Dry_Total_g);
    expect((await farm.ask(`/api/runs/${added.id}`, { method: 'DELETE' })).status).toBe(409);
    expect((await farm.ask('/api/farm', { method: 'PUT', body: { name: '', runId: 'none' } })).status).toBe(
      404,
    );
    await farm.ask('/api/farm', { method: 'PUT', body: { name: 'Green Hills', runId: 'starter' } });
  });

  it('have their report taken away as a page that can do nothing here', async () => {
    const { items } = await farm.json('/api/runs');
    const hill = items.find(({ name }: { name: string }) => name === 'hill');
    expect(items.map(({ id, report }: { id: string; report: boolean }) => [id, report])).toEqual([
      ['starter', false],
      [hill.id, true],
    ]);
    const answer = await farm.ask(`/api/runs/${hill.id}/report.html`, { as: 'viewer' });
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'content-disposition': 'attachment; filename="report.html"; filename*=UTF-8\'\'hill-report.html',
      'content-security-policy': expect.stringMatching(/^sandbox; default-src 'none'/),
      'x-content-type-options': 'nosniff',
    });
    expect(await answer.text()).toBe(readFileSync(join(run, 'report.html'), 'utf8'));
    const opened = await farm.ask(`/api/runs/${hill.id}/report.html?open=tab`, { as: 'viewer' });
    expect(opened.headers.get('content-disposition')).toMatch(/^inline; /);
    expect(opened.headers.get('content-security-policy')).toMatch(/^sandbox; default-src 'none'/);
    expect((await farm.ask('/api/runs/starter/report.html')).status).toBe(404);
    expect((await farm.ask(`/api/runs/${hill.id}/report.html`, { as: null })).status).toBe(401);
  });

  it('are refused as zips that lead elsewhere, are bombs, or are no runs', async () => {
    const files = filesOf(run);
    const bytes = new Uint8Array([1, 2, 3]);
    const cases: [Files | Uint8Array, RegExp][] = [
      [{ ...files, '../evil.json': bytes }, /file of the name/],
      [{ ...files, 'fold-0/../../evil.json': bytes }, /file of the name/],
      [{ ...files, '/etc/evil': bytes }, /file of the name/],
      [{ ...files, 'C:\\evil': bytes }, /file of the name/],
      [{ ...files, '.ssh/keys': bytes }, /file of the name/],
      [{ ...files, 'FOLDS.csv': bytes }, /twice/],
      [
        Object.fromEntries(Object.entries(files).filter(([name]) => name !== 'run.json')),
        /not the zip of one run folder/,
      ],
      [{ ...files, 'fold-0/more.bin': bytes, 'folds.csv': bytes }, /not the file that was written/],
      [{ ...files, aa: bytes, 'aa/b': bytes }, /as a file and as a folder/],
      [{ 'aa/b': bytes, aa: bytes }, /as a file and as a folder/],
      [new Uint8Array(1000), /no zip/],
      [zipSync(files).subarray(0, 5000), /damaged|no zip|not the|cannot be read|early/],
    ];
    for (const [archive, why] of cases) {
      const answer = await add(archive);
      expect(answer.status).toBe(422);
      expect((await answer.json()).error.message).toMatch(why);
    }
    expect(readdirSync(join(farmFolder, 'scratch'))).toEqual([]);
    expect(readdirSync(root)).not.toContain('evil.json');
  });

  it('do not fill the disk as a bomb', async () => {
    const small = await startTestServer(join(root, 'small'), { runBytes: 20 * 2 ** 20 });
    try {
      const bomb = zipSync({ ...filesOf(run), 'zeros.bin': new Uint8Array(100 * 2 ** 20) }, { level: 9 });
      expect(bomb.length).toBeLessThan(2 ** 21);
      const answer = await small.ask('/api/runs?name=bomb', { raw: new Uint8Array(bomb) });
      expect(answer.status).toBe(422);
      expect((await answer.json()).error.message).toMatch(/unpacks to more than 20 MiB/);
      expect(readdirSync(join(root, 'small', 'scratch'))).toEqual([]);
    } finally {
      await small.close();
    }
  });
});

describe('a run that was added', () => {
  it('keeps its own files alone, and is backed up whatever they are called', async () => {
    const own = await startTestServer(join(root, 'long'));
    try {
      const long = `${'a/'.repeat(110)}b`;
      const zip = zipSync({
        ...filesOf(run),
        [long]: new Uint8Array(9),
        'fold-0/zeros.bin': new Uint8Array(9),
      });
      const added = await (await own.ask('/api/runs?name=long', { raw: new Uint8Array(zip) })).json();
      const place = join(root, 'long', 'runs', added.id);
      expect(Object.keys(filesOf(place)).sort()).toEqual(
        Object.keys(filesOf(run))
          .filter((name) => name !== 'run.lock')
          .sort(),
      );
      // A run that an earlier version took has such names.
      mkdirSync(dirname(join(place, long)), { recursive: true });
      writeFileSync(join(place, long), 'long');
      const backup = join(root, 'long.tar');
      expect(await backupFarm(join(root, 'long'), backup)).toMatchObject({ runs: 1, damagedRuns: [] });
      await restoreFarm(backup, join(root, 'long-restored'));
      expect(readFileSync(join(root, 'long-restored', 'runs', added.id, long), 'utf8')).toBe('long');
    } finally {
      await own.close();
    }
  });

  it('and is damaged is found, answers nothing, leaves photos to wait, and is put right by adding it again', async () => {
    const folder = join(root, 'damaged');
    const own = await startTestServer(folder);
    try {
      const zip = new Uint8Array(zipSync(filesOf(run)));
      const added = await (await own.ask('/api/runs?name=hill', { raw: zip })).json();
      const model = join(folder, 'runs', added.id, 'fold-1', 'model.safetensors');
      const content = readFileSync(model);
      content[content.length - 1] = (content.at(-1) ?? 0) ^ 1;
      writeFileSync(model, content);
      rmSync(join(folder, 'runs', added.id, 'fold-2', 'model.safetensors'));
      const { problems, damagedRuns } = await verifyFarm(folder);
      expect(problems).toEqual([]);
      expect(damagedRuns).toEqual([
        expect.stringMatching(/run hill .*fold-1.*not the file that was written/),
      ]);
      const backup = await backupFarm(folder, join(root, 'damaged.tar'));
      expect(backup.damagedRuns).toEqual(damagedRuns);
      const restored = await restoreFarm(join(root, 'damaged.tar'), join(root, 'damaged-restored'));
      expect(restored.damagedRuns).toHaveLength(1);
      const choose = () => own.ask('/api/farm', { method: 'PUT', body: { name: '', runId: added.id } });
      const refused = await choose();
      expect([refused.status, (await refused.json()).error.message]).toEqual([
        409,
        expect.stringMatching(/hill is not as it was kept/),
      ]);
      // One that was damaged after it was chosen.
      await own.server.farm.db.updateTable('farm').set({ run_id: added.id }).execute();
      const file = photoOf(ids[0] ?? '');
      const asked = await own.ask('/api/estimate', { raw: photoForm(file) });
      expect([asked.status, (await asked.json()).error.code]).toEqual([503, 'run-unusable']);
      const record = recordOf(file);
      expect((await upload(own, record, file)).status).toBe(204);
      await until(async () => own.log.some((line) => line.includes('estimating')));
      expect((await own.json('/api/estimates')).items).toEqual([]);
      expect((await own.ask('/api/runs?name=hill', { raw: zip })).status).toBe(200);
      expect((await choose()).status).toBe(200);
      const found = await until(async () => (await own.json('/api/estimates')).items[0]);
      expect(found).toMatchObject({ problem: null, estimate: { run: { id: added.id } } });
    } finally {
      await own.close();
    }
  });
});

describe('a run given by its folder', () => {
  it('is not in a backup, which is restored without it and says so', async () => {
    const given = join(root, 'given');
    const place = join(root, 'given-farm');
    cpSync(run, given, { recursive: true });
    await (await startTestServer(place, { run: given })).close();
    const backup = join(root, 'given.tar');
    await backupFarm(place, backup);
    rmSync(given, { recursive: true });
    const copy = join(root, 'given-copy');
    const restored = await restoreFarm(backup, copy);
    expect(restored.problems).toEqual([]);
    expect(restored.runsElsewhere).toEqual([
      expect.stringMatching(/^run given \(.*\) was given as .*given, which is not there; put it back/),
    ]);
    // Of a farm that answers with it that is a problem.
    const verified = await runSward(['serve', 'verify', '--data', copy]);
    expect([verified.code, verified.stderr]).toEqual([
      1,
      expect.stringMatching(/is not there[\s\S]*1 problem/),
    ]);
    cpSync(run, given, { recursive: true });
    expect((await verifyFarm(copy)).runsElsewhere).toEqual([]);
  });
});

describe('the bundled run', () => {
  it('answers where a first start was broken off before any was chosen', async () => {
    const place = join(root, 'broken-off');
    const first = await startTestServer(place);
    await sql`delete from farm`.execute(first.server.farm.db);
    await first.close();
    const second = await startTestServer(place);
    try {
      expect(await second.json('/api/farm')).toEqual({ name: '', runId: 'starter' });
    } finally {
      await second.close();
    }
  });
});

describe('jobs', () => {
  const put = (path: string, body: { id: string }) =>
    farm.ask(`/api/${path}/${body.id}`, { method: 'PUT', body });

  /** Masses of the photos of the small folder. */
  const totals = (): Map<string, number> => {
    const rows = readFileSync(join(data, 'train.csv'), 'utf8').trim().split('\n').slice(1);
    return new Map(
      rows.flatMap((row) =>
        row.includes('__Dry_Total_g') ? [[row.split('__')[0] ?? '', Number(row.split(',').at(-1))]] : [],
      ),
    );
  };

  /** A photo of the farm's own, which no run was trained on yet. */
  const ownPhoto = async (id: string): Promise<Buffer> => {
    const path = join(root, `own-${id}.jpg`);
    await writePhoto(path, totals().get(id) ?? 0, 1000 + ids.indexOf(id));
    return readFileSync(path);
  };

  /** A run that answers in a moment, where it does not matter which one does. */
  const hillId = async (): Promise<string> =>
    (await farm.json('/api/runs')).items.find(({ name }: { name: string }) => name === 'hill').id;

  it('train on the farm’s own cuts, are told of as they go, and survive a restart', async () => {
    const hill = await hillId();
    await farm.ask('/api/farm', { method: 'PUT', body: { name: '', runId: hill } });
    const paddock = { id: randomUUID(), name: 'Hill', boundary: null, hectares: 3 };
    await put('paddocks', paddock);
    for (let day = 0; day < 6; day++) {
      const visit = {
        id: randomUUID(),
        paddockId: paddock.id,
        startedAt: `2026-11-0${day + 1}T08:00:00+11:00`,
        note: '',
      };
      await put('visits', visit);
      for (const id of ids.filter((_, at) => at % 6 === day)) {
        const file = await ownPhoto(id);
        const record = recordOf(file, { visitId: visit.id });
        expect((await upload(farm, record, file)).status).toBe(204);
        const cut = {
          id: randomUUID(),
          visitId: visit.id,
          photoId: record.id,
          // One is sorted, which teaches no fold that it is left out of.
          events: cutEvents({ dry: totals().get(id) ?? 0 }).slice(0, id === ids[0] ? undefined : -1),
        };
        expect((await put('cuts', cut)).status).toBe(200);
      }
    }
    await until(async () => (await farm.json('/api/estimates?limit=500')).items.length === 18);
    const asked = { id: randomUUID(), request: { kind: 'train', name: 'our own', seed: 7 } };
    const first = await farm.json('/api/jobs', { body: asked });
    expect(first.state).toMatch(/queued|running/);
    expect((await farm.json('/api/jobs', { body: asked })).id).toBe(asked.id);
    expect(
      (await farm.ask('/api/jobs', { body: { ...asked, request: { ...asked.request, name: 'other' } } }))
        .status,
    ).toBe(409);
    const job = () => farm.json(`/api/jobs/${asked.id}`);
    await until(async () => (await job()).progress.stage !== '');
    await farm.close();
    farm = await startTestServer(farmFolder);
    expect((await job()).state).toMatch(/queued|running/);
    const events = await (await farm.ask(`/api/jobs/${asked.id}/events`)).text();
    const told = [...events.matchAll(/^data: (.*)$/gm)].map(([, text]) => JSON.parse(text ?? ''));
    const last = told.at(-1);
    expect(last).toMatchObject({ state: 'done', progress: { message: null } });
    // What it says of itself is of cuts that it was not trained on, and of how many.
    const { score } = last.progress;
    expect(score).toMatchObject({ cuts: 18, visits: 6, days: 6, sorted: 1, learnt: ['total'] });
    const kept = JSON.parse(
      readFileSync(join(farmFolder, 'runs', last.progress.runId, 'scores.json'), 'utf8'),
    ).out_of_fold.per_target.Dry_Total_g;
    expect(score.r2).toBeCloseTo(kept.r2, 9);
    expect(score.rmse).toBeCloseTo(kept.rmse / 0.021, 6);
    const own = await (await farm.ask(`/api/runs/${last.progress.runId}/report.html`)).text();
    expect(/<title>(.*?)</.exec(own)?.[1]).toContain('our own');
    const { items } = await farm.json('/api/runs');
    expect(items.find(({ id }: { id: string }) => id === last.progress.runId)).toMatchObject({
      name: 'our own',
      origin: 'trained',
    });
    // Another run estimates the old photos, whose estimates stay.
    const again = { id: randomUUID(), request: { kind: 're-estimate', runId: last.progress.runId } };
    await farm.ask('/api/jobs', { body: again });
    await until(async () => (await farm.json(`/api/jobs/${again.id}`)).state === 'done');
    const estimates = (await farm.json('/api/estimates?limit=500')).items;
    expect(estimates).toHaveLength(36);
    expect(
      new Set(estimates.map(({ estimate }: { estimate: { run: { name: string } } }) => estimate.run.name)),
    ).toEqual(new Set(['hill', 'our own']));
    for (const { estimate } of estimates) expect(estimate.trainedOn).toBe(estimate.run.name === 'our own');
    // What the run in use lacks of a visit that it has answered in part, as after a change of run, it is asked for.
    const lacking = estimates.find(
      ({ estimate }: { estimate: { run: { id: string } } }) => estimate.run.id === hill,
    );
    await farm.server.farm.db.deleteFrom('estimates').where('id', '=', lacking.id).execute();
    await farm.ask('/api/farm', { method: 'PUT', body: { name: '', runId: hill } });
    await until(async () => (await farm.json('/api/estimates?limit=500')).items.length === 36);
  });

  it('whose rows cannot be written are tried again, and stop neither the server nor those that watch', async () => {
    const { db } = farm.server.farm;
    await sql`create trigger refuse before update on jobs begin select raise(abort, 'no room'); end`.execute(
      db,
    );
    const asked = { id: randomUUID(), request: { kind: 're-estimate', runId: await hillId() } };
    expect((await farm.ask('/api/jobs', { body: asked })).status).toBe(200);
    await until(async () => farm.log.some((line) => line.includes(asked.id) && line.includes('no room')));
    const watched = farm.ask(`/api/jobs/${asked.id}/events`);
    await sql`drop trigger refuse`.execute(db);
    const last = (await (await watched).text()).trim().split('\n').at(-1) ?? '';
    expect(JSON.parse(last.slice('data: '.length))).toMatchObject({ id: asked.id, state: 'done' });
    expect(farm.log.filter((line) => line.includes('no room'))).toHaveLength(1);
  });

  it('say why they failed', async () => {
    const empty = await startTestServer(join(root, 'empty'));
    try {
      const asked = { id: randomUUID(), request: { kind: 'train', name: 'nothing' } };
      await empty.ask('/api/jobs', { body: asked });
      const job = await until(async () => {
        const found = await empty.json(`/api/jobs/${asked.id}`);
        return found.state === 'failed' && found;
      });
      expect(job.progress.message).toMatch(/no photo has a cut that is weighed dry/);
      const none = { id: randomUUID(), request: { kind: 're-estimate', runId: 'none' } };
      expect((await empty.ask('/api/jobs', { body: none })).status).toBe(404);
    } finally {
      await empty.close();
    }
  });

  it('export what they train on as a data folder that sward train takes', async () => {
    const zip = await farm.ask('/api/exports/data.zip', { as: 'viewer' });
    expect(zip.headers.get('content-disposition')).toMatch(/data\.zip/);
    const { unzipSync } = await import('fflate');
    const files = unzipSync(new Uint8Array(await zip.arrayBuffer()));
    expect(Object.keys(files)).toHaveLength(19);
    const outcome = await runSward(['serve', '--data', farmFolder, 'export', join(root, 'exported')]);
    expect([outcome.code, outcome.stdout]).toEqual([0, `${join(root, 'exported')}: 18 photos\n`]);
    expect(
      readFileSync(join(root, 'exported', 'train.csv')).equals(Buffer.from(files['train.csv'] ?? [])),
    ).toBe(true);
    // Whoever changes an exported photo changes none of the farm's.
    const [exported = ''] = readdirSync(join(root, 'exported', 'train'));
    expect(statSync(join(root, 'exported', 'train', exported)).nlink).toBe(1);
    const [header, row] = readFileSync(join(root, 'exported', 'train.csv'), 'utf8').split('\n');
    expect(header).toMatch(/^sample_id,image_path,Sampling_Date,Paddock,/);
    expect(row).toMatch(/,2026-11-0\d,Hill,/);
    const checked = await runSward(['check', join(root, 'exported'), '--json'], {
      SWARD_CACHE: sharedCache(),
    });
    expect(checked.code).toBe(0);
    const again = [
      'train',
      join(root, 'exported'),
      '--recipe',
      'descriptor-ridge',
      '--learn',
      'total',
      '--folds',
      '3',
      '--out',
      join(root, 'own'),
    ];
    expect((await runSward(again, { SWARD_CACHE: sharedCache() })).code).toBe(0);
    const table = await (await farm.ask('/api/exports/photos.csv')).text();
    expect(table.trim().split('\n')).toHaveLength(37);
    expect((await (await farm.ask('/api/exports/cuts.csv')).text()).trim().split('\n')).toHaveLength(19);
    const map = await farm.json('/api/exports/farm.geojson');
    expect(map.features).toHaveLength(19);
    expect(map.features[1].properties.estimate.source).toBe('modelled');
  });
});
