import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Cut, type CutEvent, type CutStep } from '../../src/farm/index.ts';
import { runSward } from '../support/run-sward.ts';
import { sharedCache } from '../support/shared-cache.ts';
import { writeSmallFolder } from '../support/small-data-folder.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { until } from '../support/until.ts';
import { cutEvents } from './cut-events.ts';
import { photoForm, recordOf, startTestServer, type TestServer, upload } from './farm-server.ts';

const root = temporaryFolder('server-cuts');
const data = join(root, 'data');
const run = join(root, 'run');
let photos: string[];
let farm: TestServer;
const paddock = { id: randomUUID(), name: 'Hill', boundary: null, hectares: 10 };
const visit = { id: randomUUID(), paddockId: paddock.id, startedAt: '2026-11-03T08:00:00+11:00', note: '' };

const put = (path: string, body: { id: string }) =>
  farm.ask(`/api/${path}/${body.id}`, { method: 'PUT', as: 'recorder', body });

beforeAll(async () => {
  photos = await writeSmallFolder(data, { photos: 18 });
  const cache = { SWARD_CACHE: sharedCache() };
  const training = await runSward(
    ['train', data, '--recipe', 'descriptor-ridge', '--folds', '3', '--out', run],
    cache,
  );
  expect(training.code).toBe(0);
  farm = await startTestServer(join(root, 'farm'), { run });
  await put('paddocks', paddock);
  await put('visits', visit);
});

afterAll(() => farm.close());

describe('records', () => {
  it('are the same however often they are sent', async () => {
    const record = { id: randomUUID(), name: '=1+1', boundary: null, hectares: 2.5 };
    const answers = await Promise.all([1, 2, 3].map(async () => (await put('paddocks', record)).json()));
    expect(answers).toEqual([record, record, record]);
    const { items } = await farm.json('/api/paddocks');
    expect(items.filter(({ id }: { id: string }) => id === record.id)).toEqual([record]);
    const renamed = { ...record, name: 'River' };
    expect(await (await put('paddocks', renamed)).json()).toEqual(renamed);
  });

  it('are called the same in capitals, and have sizes that can be', async () => {
    const record = { ...paddock, id: randomUUID() };
    const loud = { ...record, id: record.id.toUpperCase() };
    expect(await (await put('paddocks', loud)).json()).toEqual(record);
    expect(await farm.json(`/api/paddocks/${loud.id}`)).toEqual(record);
    expect((await put('paddocks', { ...record, hectares: 5e-324 } as never)).status).toBe(400);
    const form = photoForm(readFileSync(join(data, 'train', `${photos[0]}.jpg`)), {
      frameAreaSquareMetres: '1e-300',
    });
    expect((await farm.ask('/api/estimate', { raw: form })).status).toBe(422);
  });

  it('are listed part by part', async () => {
    for (let count = 0; count < 5; count++) await put('paddocks', { ...paddock, id: randomUUID() });
    const seen: string[] = [];
    let after = '';
    do {
      const { items, next } = await farm.json(`/api/paddocks?limit=2${after && `&after=${after}`}`);
      expect(items.length).toBeLessThanOrEqual(2);
      seen.push(...items.map(({ id }: { id: string }) => id));
      after = next;
    } while (after);
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen.length).toBeGreaterThan(5);
    expect((await farm.json(`/api/visits?paddockId=${paddock.id}`)).items).toEqual([visit]);
    expect((await farm.json(`/api/visits?paddockId=${randomUUID()}`)).items).toEqual([]);
  });

  it('have positions of two numbers and an altitude, and lists no longer than can be answered at once', async () => {
    const ring = (position: (x: number, y: number) => number[], corners = 3): number[][] => {
      const places = Array.from({ length: corners }, (_, at) => {
        const turn = (2 * Math.PI * at) / corners;
        return position(149 + Math.cos(turn) / 100, -35 + Math.sin(turn) / 100);
      });
      return [...places, places[0] ?? []];
    };
    const drawn = (coordinates: number[][]) => ({
      ...paddock,
      id: randomUUID(),
      boundary: { type: 'Polygon', coordinates: [coordinates] },
    });
    expect((await put('paddocks', drawn(ring((x, y) => [x, y, 700])))).status).toBe(200);
    const long = await put('paddocks', drawn(ring((x, y) => [x, y, 700, 1])));
    expect([long.status, (await long.json()).error.message]).toEqual([
      400,
      expect.stringMatching(/at most an altitude/),
    ]);
    // What an earlier version has let in is listed too, part by part.
    const { db } = farm.server.farm;
    const ids = Array.from({ length: 30 }, () => randomUUID());
    for (const id of ids) {
      const body = JSON.stringify({ ...paddock, id, name: 'x'.repeat(300_000) });
      await db.insertInto('paddocks').values({ id, body }).execute();
    }
    const seen: string[] = [];
    for (let after = ''; ; ) {
      const text = await (await farm.ask(`/api/paddocks?limit=500${after && `&after=${after}`}`)).text();
      expect(text.length).toBeLessThan(3 * 2 ** 20);
      const { items, next } = JSON.parse(text);
      seen.push(...items.map(({ id }: { id: string }) => id));
      if (next === null) break;
      after = next;
    }
    expect(seen).toEqual(expect.arrayContaining(ids));
    expect(new Set(seen).size).toBe(seen.length);
    await db.deleteFrom('paddocks').where('id', 'in', ids).execute();
  });

  it('are refused where they do not fit', async () => {
    expect(
      (await put('visits', { ...visit, id: randomUUID(), paddockId: randomUUID() } as never)).status,
    ).toBe(409);
    expect((await farm.ask(`/api/paddocks/${paddock.id}`, { method: 'DELETE' })).status).toBe(409);
    expect((await put('paddocks', { ...paddock, hectares: -1 } as never)).status).toBe(400);
    const other = await farm.ask(`/api/paddocks/${randomUUID()}`, { method: 'PUT', body: paddock });
    expect(other.status).toBe(409);
    const long = await put('paddocks', { ...paddock, name: 'x'.repeat(2 ** 20) } as never);
    expect(long.status).toBe(413);
    expect((await farm.ask(`/api/paddocks/..%2f..%2fsward.db`)).status).toBe(400);
    expect((await farm.ask(`/api/paddocks/${randomUUID()}`)).status).toBe(404);
  });
});

/** A cut without what its events come to. */
const lookOf = ({ id, visitId, photoId, events }: Cut): Cut => ({ id, visitId, photoId, events });

describe('a cut', () => {
  it('is what its events say, each once however often it is sent', async () => {
    const cut = { id: randomUUID(), visitId: visit.id, photoId: null, events: [] };
    expect((await (await put('cuts', cut)).json()).stage).toBe('begun');
    const events = cutEvents({ dry: 30 });
    const add = (event: unknown) => farm.ask(`/api/cuts/${cut.id}/events`, { as: 'recorder', body: event });
    const early = await add(events[2]);
    expect(early.status).toBe(422);
    expect((await early.json()).error.message).toMatch(/weigh the cut first/);
    for (const event of events) {
      expect((await add(event)).status).toBe(200);
      expect((await add(event)).status).toBe(200);
    }
    const seen = await farm.json(`/api/cuts/${cut.id}`);
    expect(seen).toMatchObject({
      stage: 'sorted',
      events,
      result: { settled: true, source: 'measured', frameAreaSquareMetres: 0.25 },
    });
    expect(seen.result.kgDmPerHa).toBeCloseTo((seen.result.dryGrams * 10) / 0.25, 9);
    // A device that has all of it sends it whole.
    expect((await (await put('cuts', { ...cut, events } as never)).json()).events).toEqual(events);
    expect((await put('cuts', { ...cut, events: events.slice(0, 2) } as never)).status).toBe(200);
    expect((await farm.json(`/api/cuts/${cut.id}`)).events).toEqual(events);
    expect((await add({ ...events[0], recordedAt: '2026-11-05T00:00:00Z' })).status).toBe(422);
  });

  it('has no more events than a backup takes back, however they come', async () => {
    const cut = { id: randomUUID(), visitId: visit.id, photoId: null, events: [] };
    const [placed] = cutEvents({ dry: 20 }) as [CutEvent];
    const corrections = (count: number): CutEvent[] =>
      Array.from({ length: count }, () => ({
        id: randomUUID(),
        recordedAt: placed.recordedAt,
        change: { kind: 'corrected', event: placed.id, step: placed.change as CutStep },
      }));
    const first = [placed, ...corrections(300)];
    expect((await put('cuts', { ...cut, events: first } as never)).status).toBe(200);
    const over = await put('cuts', { ...cut, events: corrections(200) } as never);
    expect([over.status, (await over.json()).error.message]).toEqual([
      422,
      expect.stringMatching(/at most 500/),
    ]);
    const rest = corrections(199);
    expect((await put('cuts', { ...cut, events: [...first, ...rest] } as never)).status).toBe(200);
    const add = (event: unknown) => farm.ask(`/api/cuts/${cut.id}/events`, { as: 'recorder', body: event });
    expect((await add(corrections(1)[0])).status).toBe(422);
    expect((await add(rest[0])).status).toBe(200);
    expect(Cut.parse(lookOf(await farm.json(`/api/cuts/${cut.id}`))).events).toHaveLength(500);
  });

  it('of many events keeps nobody else from the database', async () => {
    const [placed] = cutEvents({ dry: 20 }) as [CutEvent];
    const events = Array.from({ length: 499 }, () => ({
      id: randomUUID(),
      recordedAt: placed.recordedAt,
      change: { kind: 'corrected', event: placed.id, step: placed.change },
    }));
    const cut = { id: randomUUID(), visitId: visit.id, photoId: null, events: [placed, ...events] };
    let isAnswered = false;
    const large = put('cuts', cut as never).finally(() => {
      isAnswered = true;
    });
    let asked = 0;
    for (; !isAnswered; asked++) {
      await farm.json(`/api/cuts/${randomUUID()}`, { as: 'viewer' });
    }
    expect((await large).status).toBe(200);
    // While it was held up, one of two got through.
    expect(asked).toBeGreaterThan(10);
  });

  it('of two devices at once takes a step once', async () => {
    const cut = { id: randomUUID(), visitId: visit.id, photoId: null, events: [] };
    await put('cuts', cut);
    const [placed] = cutEvents({ dry: 20 });
    const both = await Promise.all(
      [1, 2].map(() =>
        farm.ask(`/api/cuts/${cut.id}/events`, { as: 'recorder', body: { ...placed, id: randomUUID() } }),
      ),
    );
    expect(both.map(({ status }) => status).sort()).toEqual([200, 422]);
  });
});

describe('a visit', () => {
  it('tells the mean of its paddock from photos and cuts, and how long that feeds a mob', async () => {
    const walk = { ...visit, id: randomUUID(), startedAt: '2026-11-10T08:00:00+11:00' };
    await put('visits', walk);
    // Mirrored: what the run was trained on it would remember, and a calibration leaves that out.
    const files = await Promise.all(
      photos.slice(0, 4).map((id) =>
        sharp(join(data, 'train', `${id}.jpg`))
          .flop()
          .jpeg()
          .toBuffer(),
      ),
    );
    const records = files.map((file) => recordOf(file, { visitId: walk.id, frameAreaSquareMetres: 0.25 }));
    for (const [at, file] of files.entries())
      expect((await upload(farm, records[at] as never, file)).status).toBe(204);
    const summary = async () => farm.json(`/api/visits/${walk.id}/summary`);
    await until(async () => (await summary()).pending === 0);
    const photosAlone = await summary();
    expect(photosAlone).toMatchObject({
      photos: 4,
      pending: 0,
      unusable: 0,
      hectares: { value: 10, source: 'measured' },
    });
    expect(photosAlone.kgDmPerHa.total).toMatchObject({
      method: 'photos',
      source: 'modelled',
      frames: 4,
      cuts: 0,
    });
    for (const [at, record] of records.slice(0, 2).entries()) {
      const cut = {
        id: randomUUID(),
        visitId: walk.id,
        photoId: record.id,
        events: cutEvents({ dry: 30 + at }),
      };
      expect((await put('cuts', cut)).status).toBe(200);
    }
    const withCuts = await summary();
    expect(withCuts.kgDmPerHa.total).toMatchObject({
      method: 'photos-and-cuts',
      source: 'modelled',
      frames: 4,
      cuts: 2,
    });
    expect(withCuts.cuttingHeightCentimetres).toBe(4);
    const document = await farm.json('/api/openapi.json');
    const described =
      document.paths['/api/visits/{id}/summary'].get.responses[200].content['application/json'];
    const mean = described.schema.properties.kgDmPerHa.properties.total;
    expect(Object.keys(withCuts.kgDmPerHa.total).sort()).toEqual(
      Object.keys((mean.properties ?? mean.anyOf[0].properties) as object).sort(),
    );
    const width = ({ interval }: { interval: { low: number; high: number } }) => interval.high - interval.low;
    expect(width(withCuts.kgDmPerHa.total)).toBeLessThan(width(photosAlone.kgDmPerHa.total));
    expect(withCuts.effort.tenPercent.says).toMatch(/±10 %/);
    expect(withCuts.paddockTotal.value).toBeCloseTo(withCuts.kgDmPerHa.total.mean * 10, 6);
    const [names, ...lines] = (await (await farm.ask('/api/exports/visits.csv')).text())
      .trim()
      .split(/\r?\n/)
      .map((line) => line.split(','));
    const line = lines.find(([id]) => id === walk.id) ?? [];
    const row = Object.fromEntries((names ?? []).map((name, at) => [name, line[at]]));
    expect(row).toMatchObject({ photos: '4', cuts: '2', corrected_by: 'own cuts', cutting_height_cm: '4' });
    expect(row).toMatchObject({ hectares: '10', hectares_from: 'given', source: 'modelled with cuts' });
    expect(Number(row.total_kg_dm_per_ha)).toBe(Math.round(withCuts.kgDmPerHa.total.mean));
    expect(Number(row.total_low_kg_dm_per_ha)).toBe(Math.round(withCuts.kgDmPerHa.total.interval.low));
    expect(Number(row.paddock_total_kg_dm)).toBe(Math.round(withCuts.paddockTotal.value));
    const bytes = new Uint8Array(await (await farm.ask('/api/exports/cuts.csv')).arrayBuffer());
    expect([...bytes.subarray(0, 3)]).toEqual([0xef, 0xbb, 0xbf]);
    const cutLine = new TextDecoder()
      .decode(bytes)
      .split('\n')
      .find((text) => text.includes(records[0]?.id ?? ''));
    expect(cutLine).toMatch(
      new RegExp(`,${paddock.name},2026-11-03T00:00:00.000Z,${cutLine?.slice(0, 4).toUpperCase()},`),
    );
    const budget = await farm.json(
      `/api/paddocks/${paddock.id}/feed-budget?head=100&unitsPerHead=2.5&residual=0&growth=0`,
    );
    expect(budget.visitId).toBe(walk.id);
    expect(budget.days.days).toBeCloseTo((withCuts.kgDmPerHa.total.mean * 10) / (100 * 2.5 * 0.95), 6);
    expect(budget.definitions.join(' ')).toMatch(/DSE/);
    const both = await farm.ask(`/api/paddocks/${paddock.id}/feed-budget?head=1&residual=1&utilisation=0.5`);
    expect(both.status).toBe(400);
    for (const empty of ['head=&residual=0', 'head=1&residual=', 'head=1&residual=0&growth=']) {
      const answer = await farm.ask(`/api/paddocks/${paddock.id}/feed-budget?${empty}`);
      expect(answer.status, empty).toBe(400);
    }
    const made = { id: randomUUID(), cuttingHeightCentimetres: 4 };
    const calibrations = await Promise.all([1, 2].map(() => farm.json('/api/calibrations', { body: made })));
    expect(calibrations[0].calibration).toMatchObject({ state: 'report-only', cuts: 2, visits: 1 });
    expect(calibrations[1]).toEqual(calibrations[0]);
    // Without a height it is that of the cuts; and one that is applied does not give way to none unasked.
    const { run } = calibrations[0].calibration;
    const applied = { ...calibrations[0].calibration, state: 'applied', cuts: 16, visits: 3 };
    await farm.server.farm.db
      .insertInto('calibrations')
      .values({
        ...{ id: randomUUID(), run_hash: run.hash, made_at: new Date().toISOString() },
        body: JSON.stringify({ id: randomUUID(), madeAt: '', calibration: applied }),
      })
      .execute();
    const next = { id: randomUUID() };
    const kept = await farm.ask('/api/calibrations', { body: next });
    expect([kept.status, (await kept.json()).error]).toEqual([
      409,
      {
        code: 'replaces-applied',
        message: expect.stringMatching(/of 16 cuts at 4 cm, stays.* 2 cuts of 1 visit/),
      },
    ]);
    expect((await farm.json('/api/calibrations')).items[0].calibration.state).toBe('applied');
    const replaced = await farm.json('/api/calibrations', { body: { ...next, replacesApplied: true } });
    expect(replaced.calibration).toMatchObject({ state: 'report-only', cuttingHeightCentimetres: 4 });
  });

  it('warns of cuts that name one photo, or that of another visit', async () => {
    // Of days of their own: visits that begin within hours of each other are one.
    const [one, other] = ['2026-12-20T08:00:00+11:00', '2026-12-22T08:00:00+11:00'].map((startedAt) => ({
      ...visit,
      id: randomUUID(),
      startedAt,
    }));
    for (const walk of [one, other]) await put('visits', walk as never);
    const file = readFileSync(join(data, 'train', `${photos[5]}.jpg`));
    const record = recordOf(file, { visitId: one?.id as string });
    expect((await upload(farm, record, file)).status).toBe(204);
    const cutIn = (visitId: string | undefined) =>
      put('cuts', { id: randomUUID(), visitId, photoId: record.id, events: cutEvents({ dry: 30 }) } as never);
    for (const walk of [one, one, other]) expect((await cutIn(walk?.id)).status).toBe(200);
    const warnings = async (id: string | undefined) =>
      (await farm.json(`/api/visits/${id}/summary`)).warnings.join('\n');
    expect(await warnings(one?.id)).toMatch(/1 cut left out: another cut names the same photo/);
    expect(await warnings(one?.id)).toMatch(/1 photo cut in another visit/);
    expect(await warnings(other?.id)).toMatch(/1 cut of photos of another visit/);
  });

  it('without anything says so', async () => {
    // Of another day: one that begins with it would be the same visit.
    const empty = { ...visit, id: randomUUID(), startedAt: '2026-12-24T08:00:00+11:00' };
    await put('visits', empty);
    expect(await farm.json(`/api/visits/${empty.id}/summary`)).toMatchObject({
      photos: 0,
      run: null,
      kgDmPerHa: { total: null },
    });
    expect((await farm.ask(`/api/visits/${randomUUID()}/summary`)).status).toBe(404);
  });
});
