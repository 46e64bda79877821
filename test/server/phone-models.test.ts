import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parsePortableModel, storedFiles } from '../../src/portable/model.ts';
import type { FarmRun } from '../../src/server/runs/library.ts';
import { PhoneModels } from '../../src/server/runs/phone-models.ts';
import { farmFolder, makeFarmFolder } from '../../src/server/storage/farm-folder.ts';
import { sharedCache } from '../support/shared-cache.ts';
import { writeSmallFolder } from '../support/small-data-folder.ts';
import { trainSmallRun } from '../support/small-run.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { until } from '../support/until.ts';
import { startTestServer, type TestServer } from './farm-server.ts';

const root = temporaryFolder('phone-models');
const place = join(root, 'farm');
let farm: TestServer;
let plain: FarmRun;
let cropped: FarmRun;

beforeAll(async () => {
  const [data, cache] = [join(root, 'data'), sharedCache()];
  await writeSmallFolder(data, { photos: 18 });
  await trainSmallRun(data, join(root, 'plain'), cache);
  await trainSmallRun(data, join(root, 'cropped'), cache, 'descriptor-ridge', '--crop', '0.1,0.1,0.8,0.8');
  farm = await startTestServer(place);
  const { runs } = farm.server.farm;
  plain = await runs.addGiven(join(root, 'plain'));
  cropped = await runs.addGiven(join(root, 'cropped'));
});

afterAll(() => farm.close());

const choose = (runId: string) => farm.ask('/api/farm', { method: 'PUT', body: { name: '', runId } });
const answering = () => farm.json('/api/answering', { as: 'viewer' });
/** What phones are told once nothing is being made. */
const settled = () =>
  until(async () => {
    const said = await answering();
    return said.phone.kind !== 'making' && said;
  });

describe('a run for phones', () => {
  it('is the starter’s as it came with sward, which whoever asks is given', async () => {
    const { run, others, phone } = await answering();
    expect([run.id, phone]).toEqual(['starter', { kind: 'ready', folder: '/models/starter/' }]);
    expect(run.errors.photo.total.photos).toBeGreaterThan(50);
    expect(others.map(({ id }: FarmRun) => id).sort()).toEqual([plain.id, cropped.id].sort());
    expect(JSON.stringify({ run, others })).not.toContain(root);
    expect((await farm.ask('/models/starter/model.json', { as: null })).status).toBe(200);
  });

  it('is made once when it was chosen, and given to paired devices in pieces of the hashes it names', async () => {
    await choose(plain.id);
    expect((await answering()).phone).toEqual({ kind: 'making' });
    expect((await farm.ask('/healthz')).status).toBe(200);
    const { run, phone } = await settled();
    expect(run.hash).toBe(plain.hash);
    expect(phone).toEqual({ kind: 'ready', folder: `/models/${plain.hash}/` });
    const model = parsePortableModel(await farm.json(`${phone.folder}model.json`, { as: 'viewer' }));
    const pieces = storedFiles(model).flatMap((file) => file.pieces);
    expect(pieces.length).toBeGreaterThan(1);
    for (const { file, sha256 } of pieces) {
      const answer = await farm.ask(phone.folder + file, { as: 'viewer' });
      expect(answer.headers.get('cache-control')).toMatch(/private.*immutable/);
      expect(
        createHash('sha256')
          .update(new Uint8Array(await answer.arrayBuffer()))
          .digest('hex'),
      ).toBe(sha256);
    }
    expect((await farm.ask(`${phone.folder}model.json`, { as: null })).status).toBe(401);
    for (const path of ['run.json', 'README.md', 'ffff.bin', '..%2f..%2frun.json']) {
      expect((await farm.ask(phone.folder + path)).status, path).toBe(404);
    }
    expect((await farm.ask(`/models/${'0'.repeat(64)}/model.json`)).status).toBe(404);
  });

  it('is none where phones cannot evaluate the run, and says why without where it lies', async () => {
    await choose(cropped.id);
    const { phone } = await settled();
    expect(phone.kind).toBe('none');
    expect(phone.why).toMatch(
      /^the run was trained on photos that were cut \(crop\), which the app does not do$/,
    );
    const refused = await farm.ask(`/models/${cropped.hash}/model.json`);
    expect([refused.status, (await refused.json()).error.message]).toEqual([404, phone.why]);
  });

  it('is still there after a restart, and gone with its run', async () => {
    await farm.close();
    farm = await startTestServer(place);
    await choose(plain.id);
    expect((await answering()).phone.kind).toBe('ready');
    await choose('starter');
    await farm.ask(`/api/runs/${plain.id}`, { method: 'DELETE' });
    const [version = ''] = readdirSync(join(place, 'cache', 'phone'));
    expect(readdirSync(join(place, 'cache', 'phone', version))).toEqual([]);
  });

  it('is made of the starter where the package came without its model', async () => {
    const folder = farmFolder(join(root, 'bare'));
    await makeFarmFolder(folder);
    const starter = await farm.server.farm.runs.find('starter');
    const models = new PhoneModels(folder, farm.server.farm.log, join(root, 'nothing'));
    expect(models.of(starter)).toEqual({ kind: 'making' });
    await until(async () => models.of(starter).kind === 'ready');
    const made = JSON.parse(new TextDecoder().decode(await models.file(starter, 'model.json')));
    expect(made).toEqual(await farm.json('/models/starter/model.json'));
    await models.close();
  });

  it('is left half-made by no server that ends', async () => {
    const folder = farmFolder(join(root, 'ended'));
    await makeFarmFolder(folder);
    const models = new PhoneModels(folder, farm.server.farm.log, join(root, 'nothing'));
    const starter = await farm.server.farm.runs.find('starter');
    expect(models.of(starter)).toEqual({ kind: 'making' });
    await models.close();
    expect(readdirSync(folder.cache)).toEqual([]);
  });
});
