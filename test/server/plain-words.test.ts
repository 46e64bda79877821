import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { withoutOptions } from '../../src/server/answers/without-options.ts';
import { photosCsv } from '../../src/server/exports/tables.ts';
import { openDatabase } from '../../src/server/storage/database.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

it('what a job failed for names no option of the command line', () => {
  expect(
    withoutOptions(
      'train.csv: all photos are of one visit; add photos of another visit, or pass --group none',
    ),
  ).toBe('train.csv: all photos are of one visit; add photos of another visit');
  expect(withoutOptions('run: is unfinished; finish it with --resume')).toBe('run: is unfinished');
  expect(withoutOptions('photo: is no photo; send a JPEG')).toBe('photo: is no photo; send a JPEG');
});

it('exported names begin no formula, whatever separates cells', async () => {
  const db = await openDatabase(`${temporaryFolder('server-plain-words')}/sward.db`);
  const [paddock, visit, photo] = [randomUUID(), randomUUID(), randomUUID()];
  const startedAt = '2026-11-03T08:00:00+11:00';
  const body = (record: object): string => JSON.stringify(record);
  try {
    await db
      .insertInto('paddocks')
      .values({ id: paddock, body: body({ id: paddock, name: 'x;=1+1', boundary: null, hectares: 1 }) })
      .execute();
    await db
      .insertInto('visits')
      .values({ id: visit, paddock_id: paddock, started_at: startedAt, body: body({ id: visit, startedAt }) })
      .execute();
    const record = {
      id: photo,
      visitId: visit,
      sha256: 'a',
      capturedAt: startedAt,
      position: null,
      height: null,
    };
    await db
      .insertInto('photos')
      .values({
        ...{ id: photo, visit_id: visit, sha256: 'a', captured_at: startedAt, stored_at: startedAt },
        body: body({ ...record, frameAreaSquareMetres: 0.25 }),
        file: body({ bytes: 1 }),
      })
      .execute();
    let text = '';
    for await (const lines of photosCsv(db)) text += lines;
    expect(text).toContain("x;'=1+1");
    expect(text).not.toContain('x;=1+1');
  } finally {
    await db.destroy();
  }
});
