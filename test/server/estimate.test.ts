import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32, deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MASS_NAMES } from '../../src/pasture/targets.ts';
import { poolOf } from '../../src/server/index.ts';
import { runSward } from '../support/run-sward.ts';
import { sharedCache } from '../support/shared-cache.ts';
import { writePhoto, writeSmallFolder } from '../support/small-data-folder.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { until } from '../support/until.ts';
import { photoForm, recordOf, startTestServer, type TestServer, upload } from './farm-server.ts';

const root = temporaryFolder('server-estimate');
const data = join(root, 'farm');
const photo = join(root, 'photo.jpg');
let farm: TestServer;

beforeAll(async () => {
  await writePhoto(photo, 30, 5);
  farm = await startTestServer(data);
});

afterAll(() => farm.close());

const estimate = (form: FormData) => farm.ask('/api/estimate', { method: 'POST', as: 'viewer', raw: form });

describe('POST /api/estimate', () => {
  it('says what sward predict says of the same file, and stores nothing', async () => {
    const before = readdirSync(data, { recursive: true }).map(String).sort();
    const answer = await (await estimate(photoForm(photo))).json();
    const told = await runSward(['predict', photo, '--json'], { SWARD_CACHE: sharedCache() });
    const [prediction] = JSON.parse(told.stdout).predictions;
    const names = {
      green: 'Dry_Green_g',
      dead: 'Dry_Dead_g',
      clover: 'Dry_Clover_g',
      gdm: 'GDM_g',
      total: 'Dry_Total_g',
    };
    for (const [mass, name] of Object.entries(names)) {
      expect(answer.masses[mass]).toBe(prediction.grams[name]);
      expect(answer.kgDmPerHa[mass]).toBe(prediction.kg_dm_per_ha[name]);
      expect(answer.interval[mass]).toEqual([prediction.low[name], prediction.high[name]]);
    }
    expect(answer.interval.coverage).toBe(prediction.coverage);
    expect(answer.outOfDomain.share).toBe(prediction.out_of_domain);
    expect(answer).toMatchObject({
      source: 'modelled',
      run: { id: 'starter', name: 'starter' },
      frameAreaSquareMetres: 0.21,
    });
    expect(answer.run.hash).toMatch(/^[0-9a-f]{64}$/);
    expect(readdirSync(data, { recursive: true }).map(String).sort()).toEqual(before);
    expect((await farm.json('/api/photos')).items).toEqual([]);
  });

  it('says grams on the frame that the form names, and the same of a hectare', async () => {
    const plain = await (await estimate(photoForm(photo))).json();
    const framed = await (await estimate(photoForm(photo, { frameAreaSquareMetres: '0.25' }))).json();
    for (const mass of MASS_NAMES) {
      expect(framed.masses[mass]).toBeCloseTo((plain.masses[mass] * 0.25) / 0.21, 9);
      expect(framed.kgDmPerHa[mass]).toBeCloseTo(plain.kgDmPerHa[mass], 9);
      expect(framed.interval[mass][1]).toBeCloseTo((plain.interval[mass][1] * 0.25) / 0.21, 9);
    }
    expect(framed.kgDmPerHa.total).toBeCloseTo((framed.masses.total * 10) / 0.25, 9);
  });

  it.each([
    ['a page', Buffer.from('<html><body>photo</body></html>'), 'photo.jpg', /is no photo/],
    [
      'an SVG',
      Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'),
      'photo.svg',
      /is no photo/,
    ],
    ['nothing', Buffer.alloc(0), 'photo.jpg', /is no photo/],
    [
      'a PNG of 60,000 × 60,000',
      hugePng(60_000),
      'photo.png',
      /60000×60000 is 3600 megapixels, the limit is 200/,
    ],
    [
      'a JPEG that is cut short',
      Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 16]),
      '../../photo.jpg',
      /cannot be decoded/,
    ],
  ])('refuses %s', async (_, file, name, why) => {
    const answer = await estimate(photoForm(file, {}, name));
    expect(answer.status).toBe(422);
    const { message } = (await answer.json()).error;
    expect(message).toMatch(why);
    expect(message).not.toContain(root);
  });

  it('refuses forms that are none, lack the photo, or say what cannot be', async () => {
    expect(
      (await farm.ask('/api/estimate', { raw: 'photo', headers: { 'content-type': 'text/plain' } })).status,
    ).toBe(415);
    const broken = { 'content-type': 'multipart/form-data; boundary=x' };
    expect((await farm.ask('/api/estimate', { raw: 'no form', headers: broken })).status).toBe(422);
    const empty = new FormData();
    empty.append('picture', new Blob(['x']), 'x.jpg');
    expect((await (await estimate(empty)).json()).error.message).toMatch(/no file in its field photo/);
    for (const fields of [{ frameAreaSquareMetres: '-1' }, { height: '7', heightMethod: 'thumb' }]) {
      expect((await estimate(photoForm(photo, fields as Record<string, string>))).status).toBe(422);
    }
  });

  it.each([
    [{ height: '7' }, /has height and no heightMethod/],
    [{ heightMethod: 'ruler' }, /has heightMethod and no height/],
    [{ height: '', heightMethod: 'ruler' }, /height is empty/],
    [{ height: '0x10', heightMethod: 'ruler' }, /height 0x10: give centimetres/],
    [{ height: '499', heightMethod: 'ruler' }, /no sward is 499 cm tall/],
    [{ height: '24clicks', heightMethod: 'ruler' }, /is that of a rising plate/],
    [{ frameAreaSquareMetres: '0x1' }, /frameAreaSquareMetres: is no number/],
  ])('names the fields of its form: %o', async (fields, why) => {
    const answer = await estimate(photoForm(photo, fields as never));
    expect([answer.status, (await answer.json()).error.message]).toEqual([422, expect.stringMatching(why)]);
  });

  it.each(['photo', 'height', 'heightMethod', 'frameAreaSquareMetres'])('refuses two of %s', async (name) => {
    const form = photoForm(photo, {
      height: '7',
      heightMethod: 'ruler',
      frameAreaSquareMetres: '0.25',
    } as never);
    form.append(name, form.get(name) as string);
    const answer = await estimate(form);
    expect([answer.status, (await answer.json()).error.message]).toEqual([
      422,
      expect.stringContaining(`has field ${name} more than once`),
    ]);
  });

  it('says why the run did not read a height', async () => {
    const answer = await estimate(photoForm(photo, { height: '12,5', heightMethod: 'ruler' } as never));
    expect(await answer.json()).toMatchObject({ height: null, refused: expect.stringMatching(/ruler/) });
    expect(await (await estimate(photoForm(photo))).json()).toMatchObject({ height: null, refused: null });
  });

  it('refuses more than 40 MiB before it has it', async () => {
    const answer = await estimate(photoForm(Buffer.alloc(42 * 2 ** 20)));
    expect(answer.status).toBe(413);
    expect((await answer.json()).error.message).toMatch(/may have 40 MiB/);
  });

  it('goes on after a photo that needs more memory or time than it may have', async () => {
    const wide = await sharp({ create: { width: 13_000, height: 13_000, channels: 3, background: '#596' } })
      .png({ compressionLevel: 1 })
      .toBuffer();
    const small = await startTestServer(join(root, 'small'), {
      pool: { ...poolOf(1), residentMebibytes: 450 },
    });
    try {
      const refused = await small.ask('/api/estimate', { raw: photoForm(wide), as: 'viewer' });
      expect(refused.status).toBe(422);
      expect((await refused.json()).error.message).toMatch(/needed more memory than it may have/);
      expect((await small.ask('/api/estimate', { raw: photoForm(photo), as: 'viewer' })).status).toBe(200);
      const { pool, settings } = small.server.farm;
      expect(pool.load.restarts).toBeGreaterThan(0);
      writeFileSync(join(root, 'wide.png'), wide);
      // Sooner than it looks at the memory.
      Object.assign(settings.pool, { taskMilliseconds: 50 });
      await expect(pool.ask({ kind: 'inspect', path: join(root, 'wide.png') })).rejects.toThrow(
        /took longer than 0\.05 s/,
      );
      Object.assign(settings.pool, { taskMilliseconds: 20_000 });
      expect((await pool.ask({ kind: 'inspect', path: photo })).width).toBe(64);
    } finally {
      await small.close();
    }
  });

  it('takes no more bodies on than may wait', async () => {
    const { workers, queue } = farm.server.farm.settings.pool;
    const ends: (() => void)[] = [];
    const slow = () =>
      farm.ask('/api/estimate', {
        as: 'viewer',
        headers: { 'content-type': 'multipart/form-data; boundary=x' },
        raw: new ReadableStream({
          start(controller) {
            controller.enqueue(new TextEncoder().encode('--x\r\n'));
            ends.push(() => controller.close());
          },
        }),
      });
    const statuses: number[] = [];
    const all = Array.from({ length: 3 * queue }, async () => statuses.push((await slow()).status));
    await until(async () => statuses.length >= 3 * queue - queue - workers);
    expect(new Set(statuses)).toEqual(new Set([429]));
    expect(readdirSync(farm.server.farm.folder.scratch).length).toBeLessThanOrEqual(queue + workers);
    for (const end of ends) end();
    await Promise.all(all);
    expect(statuses.filter((status) => status === 422).length).toBeGreaterThanOrEqual(queue);
  });

  it('does not take an empty field for 0', async () => {
    for (const fields of [{ height: '', heightMethod: 'falling-plate' }, { frameAreaSquareMetres: ' ' }]) {
      const answer = await farm.ask('/api/estimate', { raw: photoForm(photo, fields as never) });
      expect(answer.status).toBe(422);
    }
  });

  it('under more than it takes on answers 200 or 429', async () => {
    const { settings } = farm.server.farm;
    const large = await sharp(readFileSync(photo)).resize(3000, 2000).jpeg({ quality: 95 }).toBuffer();
    await estimate(photoForm(large));
    const asked = 6 * settings.pool.queue;
    const answers = await Promise.all(Array.from({ length: asked }, () => estimate(photoForm(large))));
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 200).length).toBeGreaterThanOrEqual(settings.pool.queue);
    const busy = answers.filter(({ status }) => status === 429);
    expect(busy.length + statuses.filter((status) => status === 200).length).toBe(asked);
    expect(busy.length).toBeGreaterThan(0);
    for (const answer of busy) expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
  });
});

/** A PNG that says that it is large, and is small: every row of one grey. */
function hugePng(side: number): Buffer {
  const chunk = (type: string, content: Buffer): Buffer => {
    const body = Buffer.concat([Buffer.from(type, 'latin1'), content]);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(content.length);
    const sum = Buffer.alloc(4);
    sum.writeUInt32BE(crc32(body) >>> 0);
    return Buffer.concat([length, body, sum]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(side, 0);
  header.writeUInt32BE(side, 4);
  header[8] = 1;
  const rows = deflateSync(Buffer.alloc(1000 * (1 + side / 8)), { level: 9 });
  const signature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('IDAT', rows),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

describe('a photo whose frame is changed while it is estimated', () => {
  it('is estimated with the frame that it has then', async () => {
    const { pool } = farm.server.farm;
    const file = readFileSync(photo);
    const record = recordOf(file);
    const ask = pool.ask;
    let asked = 0;
    const patched: typeof ask = async (task, ...rest) => {
      const isFirst = task.kind === 'estimate' && ++asked === 1;
      const answer = await ask.call(pool, task, ...rest);
      if (isFirst) {
        const body = { ...record, frameAreaSquareMetres: 0.5 };
        expect((await farm.ask(`/api/photos/${record.id}`, { method: 'PUT', body })).status).toBe(200);
      }
      return answer as never;
    };
    Object.assign(pool, { ask: patched });
    try {
      expect((await upload(farm, record, file)).status).toBe(204);
      const stored = await until(
        async () => (await farm.json(`/api/estimates?photoId=${record.id}`)).items[0],
      );
      expect([asked, stored.estimate.frameAreaSquareMetres]).toEqual([2, 0.5]);
    } finally {
      Object.assign(pool, { ask });
    }
  });
});

describe('a run that reads heights', () => {
  it('is told the height of a form and of a stored photo, and says that it used it', async () => {
    const folder = join(root, 'heights');
    const run = join(root, 'run-with-height');
    const ids = await writeSmallFolder(folder, {
      photos: 18,
      alter: (lines) =>
        lines.map((line, at) =>
          at === 0 ? line : line.replace(',0.6,5,', `,0.6,${3 + (Math.floor((at - 1) / 5) % 7)},`),
        ),
    });
    const cache = { SWARD_CACHE: sharedCache() };
    const training = await runSward(
      [
        'train',
        folder,
        '--recipe',
        'descriptor-ridge',
        '--with',
        'height',
        '--set',
        'evaluation.leaveOneStateOut=false',
        '--folds',
        '3',
        '--out',
        run,
      ],
      cache,
    );
    expect(training.code).toBe(0);
    const asked = join(folder, 'train', `${ids[0]}.jpg`);
    const told = async (...options: string[]): Promise<number> => {
      const outcome = await runSward(['predict', run, asked, '--json', ...options], cache);
      return JSON.parse(outcome.stdout).predictions[0].grams.Dry_Total_g;
    };
    const server = await startTestServer(join(root, 'heights-farm'), { run });
    try {
      const ask = (fields: Record<string, string>) =>
        server.json('/api/estimate', { raw: photoForm(asked, fields) });
      const without = await ask({});
      expect([without.masses.total, without.height]).toEqual([await told(), null]);
      const height = { centimetres: 6, method: 'falling-plate' } as const;
      const given = await ask({ height: '6', heightMethod: 'falling-plate' });
      expect([given.masses.total, given.height]).toEqual([await told('--height', '6'), height]);
      expect(given.masses.total).not.toBe(without.masses.total);
      // Plates and rulers are not compared: a height measured otherwise is not used.
      const ruler = await ask({ height: '6', heightMethod: 'ruler' });
      expect([ruler.masses.total, ruler.height]).toEqual([without.masses.total, null]);
      const file = readFileSync(asked);
      const record = recordOf(file, { height, frameAreaSquareMetres: 0.21 });
      expect((await upload(server, record, file)).status).toBe(204);
      const { estimate: stored } = await until(async () => (await server.json('/api/estimates')).items[0]);
      expect([stored.masses.total, stored.height]).toEqual([given.masses.total, height]);
    } finally {
      await server.close();
    }
  });
});
