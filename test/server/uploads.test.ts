import { randomUUID } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { until } from '../support/until.ts';
import {
  beginUpload,
  photoForm,
  recordOf,
  sendPart,
  startTestServer,
  type TestServer,
  TUS,
  upload,
} from './farm-server.ts';

const root = temporaryFolder('server-uploads');
const data = join(root, 'farm');
let farm: TestServer;

beforeAll(async () => {
  farm = await startTestServer(data);
});

afterAll(() => farm.close());

/** A photo that no other is. */
async function photo(format: 'jpeg' | 'png' = 'jpeg'): Promise<Buffer> {
  const seed = [...randomUUID()].map((letter) => letter.charCodeAt(0));
  const pixels = Buffer.from(
    Array.from({ length: 96 * 64 * 3 }, (_, at) => ((seed[at % 36] ?? 0) * (at + 7)) % 256),
  );
  return sharp(pixels, { raw: { width: 96, height: 64, channels: 3 } })
    .toFormat(format)
    .toBuffer();
}

const head = (id: string) => farm.ask(`/api/uploads/${id}`, { method: 'HEAD', as: 'recorder', headers: TUS });
const stored = (id: string) => farm.ask(`/api/photos/${id}`, { as: 'viewer' });
const storedPath = (sha256: string): string => join(data, 'photos', sha256.slice(0, 2), sha256);

describe('an upload', () => {
  it('is acknowledged when photo and row are kept, and estimated then', async () => {
    const file = await photo();
    const record = recordOf(file, { height: { centimetres: 8, method: 'falling-plate' } });
    expect((await upload(farm, record, file)).status).toBe(204);
    expect(readFileSync(storedPath(record.sha256)).equals(file)).toBe(true);
    expect(await (await stored(record.id)).json()).toMatchObject({
      ...record,
      file: { width: 96, height: 64, mediaType: 'image/jpeg' },
    });
    const copy = await farm.ask(`/api/photos/${record.id}/file`, { as: 'viewer' });
    expect(copy.headers.get('content-type')).toBe('image/jpeg');
    expect(Buffer.from(await copy.arrayBuffer()).equals(file)).toBe(true);
    const { estimate } = await until(
      async () => (await farm.json(`/api/estimates?photoId=${record.id}`)).items[0],
    );
    expect(estimate).toMatchObject({
      photoId: record.id,
      source: 'modelled',
      frameAreaSquareMetres: 0.25,
      run: { id: 'starter' },
    });
    expect(estimate.kgDmPerHa.total).toBeCloseTo((estimate.masses.total * 10) / 0.25, 9);
  });

  it('goes on where it was cut off', async () => {
    const file = await photo('png');
    const record = recordOf(file);
    expect((await beginUpload(farm, record, file.length)).status).toBe(201);
    const half = Math.floor(file.length / 2);
    // A connection that breaks in the middle of a part: what has arrived counts.
    const cut = new AbortController();
    let sent = 0;
    const body = new ReadableStream<Uint8Array>({
      async pull(controller) {
        if (sent === 0) controller.enqueue(file.subarray(0, half));
        sent += 1;
        if (sent > 1) {
          await new Promise((settle) => setTimeout(settle, 300));
          cut.abort();
        }
      },
    });
    const broken = fetch(`${farm.server.address}/api/uploads/${record.id}`, {
      method: 'PATCH',
      headers: {
        ...TUS,
        authorization: `Bearer ${farm.tokens.recorder}`,
        'upload-offset': '0',
        'content-type': 'application/offset+octet-stream',
      },
      body,
      duplex: 'half',
      signal: cut.signal,
    } as RequestInit);
    await expect(broken).rejects.toThrow();
    const offset = await until(async () => {
      const answer = await head(record.id);
      return answer.status === 200 && Number(answer.headers.get('upload-offset'));
    });
    expect(offset).toBe(half);
    expect((await stored(record.id)).status).toBe(404);
    expect((await sendPart(farm, record.id, 0, file)).status).toBe(409);
    expect((await sendPart(farm, record.id, half, file.subarray(half))).status).toBe(204);
    expect((await stored(record.id)).status).toBe(200);
  });

  it('that is sent again changes nothing and makes no second photo', async () => {
    const file = await photo();
    const record = recordOf(file);
    expect((await upload(farm, record, file)).status).toBe(204);
    const count = async () => (await farm.json('/api/photos?limit=500')).items.length;
    const before = await count();
    const again = await beginUpload(farm, record, file.length);
    expect([again.status, again.headers.get('upload-offset')]).toEqual([201, String(file.length)]);
    expect((await sendPart(farm, record.id, 0, file)).status).toBe(204);
    expect((await head(record.id)).headers.get('upload-offset')).toBe(String(file.length));
    expect(await count()).toBe(before);
    const other = await photo();
    expect((await beginUpload(farm, { ...recordOf(other), id: record.id }, other.length)).status).toBe(409);
    // Another photo of the same content shares its file.
    const twin = recordOf(file);
    expect((await upload(farm, twin, file)).status).toBe(204);
    expect((await farm.ask(`/api/photos/${record.id}`, { method: 'DELETE' })).status).toBe(204);
    expect(existsSync(storedPath(record.sha256))).toBe(true);
    expect((await farm.ask(`/api/photos/${twin.id}`, { method: 'DELETE' })).status).toBe(204);
    expect(existsSync(storedPath(record.sha256))).toBe(false);
  });

  it('is read and asked about without leaving its file open', async () => {
    const file = await photo();
    const record = recordOf(file);
    expect((await upload(farm, record, file)).status).toBe(204);
    const open = () => readdirSync('/proc/self/fd').length;
    const ask = () => farm.ask(`/api/photos/${record.id}/file`, { method: 'HEAD', as: 'viewer' });
    const answer = await ask();
    expect([answer.status, answer.headers.get('content-length')]).toEqual([200, String(file.length)]);
    const before = open();
    for (let count = 0; count < 40; count++) await ask();
    expect(open()).toBeLessThan(before + 10);
  });

  it('that is begun again while its last part is answered is stored all the same', async () => {
    const file = await photo();
    const record = recordOf(file);
    const { pool } = farm.server.farm;
    const { ask } = pool;
    let hasLooked = false;
    let mayGoOn = false;
    pool.ask = (async (...asked: Parameters<typeof ask>) => {
      const answer = await ask.apply(pool, asked);
      hasLooked = true;
      await until(async () => mayGoOn);
      return answer;
    }) as typeof ask;
    try {
      expect((await beginUpload(farm, record, file.length)).status).toBe(201);
      const last = sendPart(farm, record.id, 0, file);
      await until(async () => hasLooked);
      const again = beginUpload(farm, record, file.length);
      const other = beginUpload(farm, recordOf(file, { id: record.id }), file.length, 'owner');
      await new Promise((settle) => setTimeout(settle, 200));
      mayGoOn = true;
      expect((await last).status).toBe(204);
      for (const answer of await Promise.all([again, other])) {
        expect([answer.status, answer.headers.get('upload-offset')]).toEqual([201, String(file.length)]);
      }
    } finally {
      pool.ask = ask;
    }
    expect(readFileSync(storedPath(record.sha256)).equals(file)).toBe(true);
    expect(readdirSync(join(data, 'uploads')).filter((name) => name.startsWith(record.id))).toEqual([]);
  });

  it('shares its file with nothing that is written into, and mends one that is damaged', async () => {
    const file = await photo();
    const record = recordOf(file);
    expect((await upload(farm, record, file)).status).toBe(204);
    expect(statSync(storedPath(record.sha256)).nlink).toBe(1);
    writeFileSync(storedPath(record.sha256), '');
    expect((await upload(farm, recordOf(file), file)).status).toBe(204);
    expect(readFileSync(storedPath(record.sha256)).equals(file)).toBe(true);
  });

  it('whose first request has all of it is answered as stored', async () => {
    const file = await photo();
    const record = recordOf(file);
    const answer = await farm.ask('/api/uploads', {
      as: 'recorder',
      headers: {
        ...TUS,
        'upload-length': String(file.length),
        'upload-metadata': `record ${Buffer.from(JSON.stringify(record)).toString('base64')}`,
        'content-type': 'application/offset+octet-stream',
      },
      raw: file as BodyInit,
    });
    expect([answer.status, answer.headers.get('upload-offset')]).toEqual([201, String(file.length)]);
    expect((await stored(record.id)).status).toBe(200);
  });

  it('that is to be put together of others is refused in plain words', async () => {
    const file = await photo();
    const answer = await farm.ask('/api/uploads', {
      method: 'POST',
      as: 'recorder',
      headers: {
        ...TUS,
        'upload-concat': 'partial',
        'upload-length': String(file.length),
        'upload-metadata': `record ${Buffer.from(JSON.stringify(recordOf(file))).toString('base64')}`,
      },
    });
    expect(answer.status).toBe(400);
    expect((await answer.json()).error.message).toMatch(/Concatenation/i);
  });

  it('whose content is not what was announced is refused and gone', async () => {
    const file = await photo();
    const record = recordOf(await photo());
    const answer = await upload(farm, record, file);
    expect(answer.status).toBe(460);
    expect((await answer.json()).error.message).toMatch(/another SHA-256/);
    expect((await head(record.id)).status).toBe(404);
    expect(readdirSync(join(data, 'uploads')).filter((name) => name.startsWith(record.id))).toEqual([]);
  });

  it.each([
    ['a page', '<html><script>alert(1)</script></html>'],
    [
      'an SVG',
      '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>',
    ],
    ['a film', '\0\0\0\x18ftypmp42\0\0\0\0mp42isom'],
  ])('of %s is refused', async (_, text) => {
    const file = Buffer.from(text, 'latin1');
    const record = recordOf(file);
    const answer = await upload(farm, record, file);
    expect(answer.status).toBe(422);
    expect((await answer.json()).error.message).toMatch(/is no photo; send a JPEG/);
    expect((await stored(record.id)).status).toBe(404);
  });

  it('of a photo that was cut short before it was sent is refused', async () => {
    const whole = await sharp({ create: { width: 800, height: 600, channels: 3, background: '#486' } })
      .jpeg()
      .toBuffer();
    const file = whole.subarray(0, whole.length / 2);
    const answer = await upload(farm, recordOf(file), file);
    expect(answer.status).toBe(422);
    // Neither what it is called on the server nor which library said so is anybody's affair.
    expect((await answer.json()).error.message).toMatch(/^the photo cannot be decoded \((?!Vips)/);
  });

  it('is not begun with names that lead elsewhere, without a record, or too large', async () => {
    const file = await photo();
    for (const id of ['../../etc/passwd', '..%2f..%2fx', 'a/b', '']) {
      expect((await beginUpload(farm, { ...recordOf(file), id }, file.length)).status).toBe(400);
    }
    expect((await farm.ask('/api/uploads/..%2f..%2fsward.db', { method: 'HEAD', headers: TUS })).status).toBe(
      404,
    );
    expect((await beginUpload(farm, 'no record', file.length)).status).toBe(400);
    const large = await beginUpload(farm, recordOf(file), 41 * 2 ** 20);
    expect(large.status).toBe(413);
    expect((await large.json()).error.message).toMatch(/^photos may have 40 MiB/);
    const empty = await beginUpload(farm, recordOf(file), 0);
    expect((await empty.json()).error.message).toMatch(/^the photo is empty/);
    expect((await beginUpload(farm, recordOf(file, { visitId: randomUUID() }), file.length)).status).toBe(
      409,
    );
    expect(readdirSync(data).sort()).toEqual(
      [
        'cache',
        'jobs',
        'photos',
        'runs',
        'scratch',
        'server.lock',
        'sward.db',
        'sward.db-shm',
        'sward.db-wal',
        'uploads',
      ].sort(),
    );
  });

  it('takes a position from the device alone, and what the file says of one as a hint', async () => {
    const plain = await photo();
    const file = await sharp(plain)
      .withExif({
        IFD0: { Make: 'test' },
        IFD3: {
          GPSLatitudeRef: 'S',
          GPSLatitude: '36/1 30/1 0/1',
          GPSLongitudeRef: 'E',
          GPSLongitude: '148/1 15/1 0/1',
        },
      })
      .toBuffer();
    const record = recordOf(file);
    expect((await upload(farm, record, file)).status).toBe(204);
    const found = await (await stored(record.id)).json();
    expect(found.position).toBeNull();
    expect(found.file.cameraPosition).toEqual({ latitude: -36.5, longitude: 148.25 });
    const position = { longitude: 148.26, latitude: -36.51, accuracyMetres: 12 };
    const put = await farm.ask(`/api/photos/${record.id}`, {
      method: 'PUT',
      as: 'recorder',
      body: { ...record, position },
    });
    expect(await put.json()).toMatchObject({ position });
    for (const secret of ['148.2', '36.5']) expect(farm.log.join('')).not.toContain(secret);
  });

  it('is finished by the next start where the server was stopped before it was', async () => {
    const file = await photo();
    const record = recordOf(file);
    const other = await startTestServer(join(root, 'stopped'));
    const begun = await beginUpload(other, record, file.length);
    expect(begun.status).toBe(201);
    await other.close();
    // All of it has arrived, and the process died before it was stored.
    writeFileSync(join(root, 'stopped', 'uploads', record.id), file);
    const next = await startTestServer(join(root, 'stopped'));
    try {
      const answer = await next.ask(`/api/uploads/${record.id}`, {
        method: 'HEAD',
        as: 'recorder',
        headers: TUS,
      });
      expect(answer.headers.get('upload-offset')).toBe(String(file.length));
      expect((await next.ask(`/api/photos/${record.id}`)).status).toBe(200);
    } finally {
      await next.close();
    }
  });

  it('that is whole and was not stored is stored when its last part is sent again', async () => {
    const file = await photo();
    const record = recordOf(file);
    expect((await beginUpload(farm, record, file.length)).status).toBe(201);
    writeFileSync(join(data, 'uploads', record.id), file);
    const answer = await sendPart(farm, record.id, 0, file);
    expect([answer.status, answer.headers.get('upload-offset')]).toEqual([204, String(file.length)]);
    expect((await stored(record.id)).status).toBe(200);
  });

  it('is refused in plain words where the disk has no room, and nothing of it stays', async () => {
    const file = await photo();
    const record = recordOf(file);
    const full = await startTestServer(join(root, 'full'), { reserveBytes: Number.MAX_SAFE_INTEGER });
    try {
      const answer = await beginUpload(full, record, file.length);
      expect(answer.status).toBe(507);
      expect((await answer.json()).error.message).toMatch(/disk is full: nothing was stored/);
      expect(readdirSync(join(root, 'full', 'uploads'))).toEqual([]);
      const paddock = { id: randomUUID(), name: 'Hill', boundary: null, hectares: 4 };
      const put = await full.ask(`/api/paddocks/${paddock.id}`, { method: 'PUT', body: paddock });
      expect(put.status).toBe(507);
      expect((await full.ask('/api/estimate', { raw: photoForm(file) })).status).toBe(507);
      expect((await sendPart(full, record.id, 0, file)).status).toBe(507);
      expect((await full.ask('/api/paddocks')).status).toBe(200);
      expect((await full.ask(`/api/paddocks/${paddock.id}`, { method: 'DELETE' })).status).toBe(204);
      expect((await full.ask('/readyz', { as: null })).status).toBe(503);
    } finally {
      await full.close();
    }
  });
});
