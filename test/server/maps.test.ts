import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openRun } from '../../src/runs/open-run.ts';
import { photoSamples } from '../../src/samples/samples.ts';
import type { FarmRun } from '../../src/server/runs/library.ts';
import { heatMap } from '../../src/vision/biomass-map/index.ts';
import { photoFrom } from '../../src/vision/photos/index.ts';
import { writeSmallFolder } from '../support/small-data-folder.ts';
import { trainMappingRun } from '../support/small-run.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { until } from '../support/until.ts';
import { recordOf, startTestServer, type TestServer, upload } from './farm-server.ts';

const root = temporaryFolder('photo-maps');
const place = join(root, 'farm');
let farm: TestServer;
let mapping: FarmRun;
let file: Buffer;
let id: string;

beforeAll(async () => {
  const data = join(root, 'data');
  const [name = ''] = await writeSmallFolder(data, { photos: 12 });
  await trainMappingRun(data, root, join(root, 'cache'));
  farm = await startTestServer(place);
  mapping = await farm.server.farm.runs.addGiven(join(root, 'mapping'));
  file = readFileSync(join(data, 'train', `${name}.jpg`));
  const record = recordOf(file, { frameAreaSquareMetres: 0.25 });
  ({ id } = record);
  await upload(farm, record, file);
});

afterAll(() => farm.close());

const choose = (runId: string) => farm.ask('/api/farm', { method: 'PUT', body: { name: '', runId } });
const map = () => farm.ask(`/api/photos/${id}/map`, { as: 'viewer' });
const kept = (): string[] => {
  const folder = join(place, 'cache', 'maps');
  return existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: 'utf8' }) : [];
};

describe('the map of a photo', () => {
  it('is none of a run that makes none', async () => {
    const answer = await map();
    expect([answer.status, (await answer.json()).error.code]).toEqual([404, 'no-map']);
    expect((await farm.json('/api/answering')).maps).toBe(false);
  });

  it('is what the run draws of it, with its scale in kg DM/ha whatever the photo’s frame', async () => {
    await choose(mapping.id);
    await until(async () => (await farm.json('/api/answering')).maps);
    const answer = await map();
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'image/png']);
    await using run = await openRun(join(root, 'mapping'));
    const photo = photoFrom('photo', file);
    const [masses] = await run.maps(photoSamples([photo]));
    if (!masses) throw new Error('no map');
    const own = await heatMap(photo, masses, 0.21);
    expect(Number(answer.headers.get('sward-scale-top'))).toBe(own.scaleTop);
    const png = Buffer.from(await answer.arrayBuffer());
    expect(await sharp(png).raw().toBuffer()).toEqual(await sharp(own.png).raw().toBuffer());
    expect(await sharp(png).metadata()).toMatchObject({ width: 700, height: 350 });
  });

  it('is drawn once, and gone with its photo', async () => {
    const before = kept();
    expect(before.filter((name) => name.endsWith('.json'))).toHaveLength(1);
    expect((await map()).status).toBe(200);
    expect(kept()).toEqual(before);
    expect((await farm.ask(`/api/photos/${id}/map`, { as: null })).status).toBe(401);
    await farm.ask(`/api/photos/${id}`, { method: 'DELETE' });
    expect((await map()).status).toBe(404);
    expect(kept()).toEqual([]);
  });
});
