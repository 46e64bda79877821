import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { verifyFarm } from '../../src/server/index.ts';
import { writePhoto } from '../support/small-data-folder.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { until } from '../support/until.ts';
import { cutEvents } from './cut-events.ts';
import { recordOf, startTestServer, type TestServer, upload } from './farm-server.ts';

const root = temporaryFolder('server-large-farm');
const data = join(root, 'farm');
let farm: TestServer;

/** More than a statement of SQLite takes variables. */
const CUTS = 33_000;

beforeAll(async () => {
  farm = await startTestServer(data);
  const { db } = farm.server.farm;
  const put = (path: string, body: { id: string }) =>
    farm.ask(`/api/${path}/${body.id}`, { method: 'PUT', body });
  const paddock = { id: randomUUID(), name: 'Hill', boundary: null, hectares: 4 };
  const visit = { id: randomUUID(), paddockId: paddock.id, startedAt: '2026-11-03T08:00:00+11:00', note: '' };
  await put('paddocks', paddock);
  await put('visits', visit);
  const path = join(root, 'photo.jpg');
  await writePhoto(path, 20, 1);
  const file = readFileSync(path);
  const record = recordOf(file, { visitId: visit.id });
  expect((await upload(farm, record, file)).status).toBe(204);
  await until(async () => (await farm.json('/api/estimates')).items.length === 1);
  const cut = { id: randomUUID(), visitId: visit.id, photoId: record.id, events: cutEvents({ dry: 30 }) };
  expect((await put('cuts', cut as never)).status).toBe(200);
  // Copies of the photo and its cut.
  const idOf = sql`'ffffffff-ffff-4fff-bfff-' || printf('%012x', value)`;
  const copies = sql`with recursive copies (value) as (select 1 union all select value + 1 from copies where value < ${CUTS - 1})`;
  await sql`${copies} insert into photos (id, visit_id, sha256, captured_at, stored_at, file, body) select ${idOf}, visit_id, sha256, captured_at, stored_at,
    file, json_set(body, '$.id', ${idOf})
    from photos, copies`.execute(db);
  await sql`${copies} insert into estimates select ${idOf}, ${idOf}, run_hash, estimated_at, null, 'not asked'
    from estimates, copies`.execute(db);
  await sql`${copies} insert into cuts select ${idOf}, visit_id, ${idOf} from cuts, copies`.execute(db);
  await sql`${copies} insert into cut_events (id, cut_id, body) select id || value, ${idOf}, body
    from copies, (select * from cut_events order by position) order by value, position`.execute(db);
}, 120_000);

afterAll(() => farm.close());

it('of tens of thousands of cuts is verified', async () => {
  expect(await verifyFarm(data)).toMatchObject({ photos: CUTS, cuts: CUTS, problems: [] });
});

it('whose photos do not fit into a zip says so, whichever they are', async () => {
  await sql`update photos set sha256 = ${'0'.repeat(64)}, file = json_set(file, '$.bytes', 5e9)
    where id = (select max(id) from photos)`.execute(farm.server.farm.db);
  const answer = await farm.ask('/api/exports/data.zip');
  expect(answer.status).toBe(413);
  expect((await answer.json()).error.message).toMatch(/do not fit into a zip/);
});
