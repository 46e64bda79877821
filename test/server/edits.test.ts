import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { writePhoto } from '../support/small-data-folder.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { cutEvents } from './cut-events.ts';
import { recordOf, startTestServer, type TestServer, upload } from './farm-server.ts';

const root = temporaryFolder('server-edits');
let farm: TestServer;
let file: Uint8Array;

beforeAll(async () => {
  farm = await startTestServer(join(root, 'farm'));
  const path = join(root, 'photo.jpg');
  await writePhoto(path, 20, 1);
  file = readFileSync(path);
});
afterAll(() => farm.close());

const put = (kind: string, record: { id: string }, as: 'owner' | 'recorder' = 'recorder') =>
  farm.ask(`/api/${kind}/${record.id}`, { method: 'PUT', as, body: record });
const patch = (kind: string, id: string, body: unknown) =>
  farm.json(`/api/${kind}/${id}`, { method: 'PATCH', as: 'recorder', body });
const paddockOf = (name: string) => ({ id: randomUUID(), name, boundary: null, hectares: 12.15 });
const visitOf = (paddockId: string, startedAt: string) => ({
  id: randomUUID(),
  paddockId,
  startedAt,
  note: '',
});
const at = (minute: number): string => `2026-11-03T09:${String(minute).padStart(2, '0')}:00+11:00`;

describe('changes of two devices', () => {
  const creek = paddockOf('Creek flat');
  beforeEach(async () => {
    creek.id = randomUUID();
    await put('paddocks', creek);
  });

  it('of different fields are both kept', async () => {
    await patch('paddocks', creek.id, { hectares: { from: 12.15, to: 11.5, at: at(10) } });
    const answer = await patch('paddocks', creek.id, {
      name: { from: 'Creek flat', to: 'Creek', at: at(5) },
    });
    expect(answer).toEqual({ record: { ...creek, name: 'Creek', hectares: 11.5 }, contested: [] });
    expect(await farm.json(`/api/paddocks/${creek.id}`)).toEqual(answer.record);
  });

  it('of one field go by which was later, whichever comes first, and are said to be two', async () => {
    const desk = { hectares: { from: 12.15, to: 11.5, at: at(10) } };
    const phone = { hectares: { from: 12.15, to: 12, at: at(20) } };
    await patch('paddocks', creek.id, desk);
    expect(await patch('paddocks', creek.id, phone)).toEqual({
      record: { ...creek, hectares: 12 },
      contested: [{ field: 'hectares', lost: 11.5 }],
    });
    const other = { ...creek, id: randomUUID() };
    await put('paddocks', other);
    await patch('paddocks', other.id, phone);
    expect(await patch('paddocks', other.id, desk)).toEqual({
      record: { ...other, hectares: 12 },
      contested: [{ field: 'hectares', lost: 11.5 }],
    });
    // Sent again, what was taken is not contested.
    expect((await patch('paddocks', other.id, phone)).contested).toEqual([]);
  });

  it('made by a clock that is ahead do not win for ever', async () => {
    const ahead = new Date(Date.now() + 86_400_000).toISOString();
    await patch('paddocks', creek.id, { name: { from: 'Creek flat', to: 'Ahead', at: ahead } });
    const later = new Date(Date.now() + 60_000).toISOString();
    const { record } = await patch('paddocks', creek.id, {
      name: { from: 'Creek flat', to: 'Later', at: later },
    });
    expect(record.name).toBe('Later');
  });

  it('lose nothing to a whole record that was sent before them', async () => {
    await put('paddocks', { ...creek, name: 'Whole' } as never);
    const { record, contested } = await patch('paddocks', creek.id, {
      name: { from: 'Creek flat', to: 'Before', at: at(1) },
    });
    expect(record.name).toBe('Whole');
    expect(contested).toEqual([{ field: 'name', lost: 'Before' }]);
  });

  it('are of the record’s fields alone', async () => {
    const answer = await farm.ask(`/api/paddocks/${creek.id}`, {
      method: 'PATCH',
      body: { id: { from: creek.id, to: randomUUID(), at: at(1) } },
    });
    expect(answer.status).toBe(400);
  });

  it('of a photo’s height and paddock are both kept', async () => {
    const [one, other] = [visitOf(creek.id, at(0)), visitOf(creek.id, '2026-11-09T09:00:00+11:00')];
    for (const visit of [one, other]) await put('visits', visit);
    const record = recordOf(file, { visitId: one.id });
    expect((await upload(farm, record, file)).status).toBe(204);
    const height = { centimetres: 12, method: 'ruler' };
    await patch('photos', record.id, { height: { from: null, to: height, at: at(10) } });
    const answer = await patch('photos', record.id, {
      visitId: { from: one.id, to: other.id, at: at(5) },
    });
    expect(answer.record).toMatchObject({ visitId: other.id, height });
    expect(await farm.json(`/api/photos/${record.id}`)).toEqual(answer.record);
  });
});

describe('what was removed', () => {
  it('is told to all, and not brought back by a device that was away', async () => {
    const creek = paddockOf('Creek');
    const visit = visitOf(creek.id, at(0));
    const record = recordOf(file, { visitId: visit.id });
    const cut = { id: randomUUID(), visitId: visit.id, photoId: null, events: [] };
    await put('paddocks', creek);
    await put('visits', visit);
    await upload(farm, record, file);
    await put('cuts', cut);
    for (const [kind, id] of [
      ['photos', record.id],
      ['cuts', cut.id],
      ['visits', visit.id],
      ['paddocks', creek.id],
    ]) {
      expect((await farm.ask(`/api/${kind}/${id}`, { method: 'DELETE' })).status).toBe(204);
    }
    const { items } = await farm.json('/api/removals?limit=500', { as: 'viewer' });
    expect(items).toEqual(
      expect.arrayContaining(
        [
          ['photo', record.id],
          ['cut', cut.id],
          ['visit', visit.id],
          ['paddock', creek.id],
        ].map(([kind, id]) => ({ kind, id, at: expect.any(String), into: null })),
      ),
    );
    for (const answer of [
      await put('photos', record),
      await put('cuts', cut),
      await put('visits', visit),
      await put('paddocks', creek),
      await upload(farm, record, file),
    ]) {
      expect([answer.status, (await answer.json()).error.code]).toEqual([410, 'removed']);
    }
  });

  it('that others still name is neither removed nor told', async () => {
    const creek = paddockOf('Creek');
    const visit = visitOf(creek.id, at(0));
    await put('paddocks', creek);
    await put('visits', visit);
    expect((await farm.ask(`/api/paddocks/${creek.id}`, { method: 'DELETE' })).status).toBe(409);
    const { items } = await farm.json('/api/removals?limit=500');
    expect(items.map(({ id }: { id: string }) => id)).not.toContain(creek.id);
  });

  it('leaves photos and cuts that come for it from a device that was away', async () => {
    const creek = paddockOf('Creek');
    const visit = visitOf(creek.id, at(0));
    const [gone, late] = [recordOf(file, { visitId: null }), recordOf(file, { visitId: visit.id })];
    const kept = visitOf(creek.id, '2026-11-09T09:00:00+11:00');
    await put('paddocks', creek);
    for (const one of [visit, kept]) await put('visits', one);
    await upload(farm, gone, file);
    await farm.ask(`/api/visits/${visit.id}`, { method: 'DELETE' });
    await farm.ask(`/api/photos/${gone.id}`, { method: 'DELETE' });
    expect((await upload(farm, late, file)).status).toBe(204);
    expect((await farm.json(`/api/photos/${late.id}`)).visitId).toBeNull();
    const cut = { id: randomUUID(), visitId: kept.id, photoId: gone.id, events: cutEvents({ dry: 30 }) };
    expect((await put('cuts', cut)).status).toBe(200);
    expect((await farm.json(`/api/cuts/${cut.id}`)).photoId).toBeNull();
  });
});

describe('visits of one paddock that begin within 12 hours', () => {
  const hours = (count: number): string => new Date(Date.UTC(2026, 10, 3, count)).toISOString();

  /** Sends visits with a photo and a cut each, in an order. */
  async function sent(order: readonly number[], starts: readonly number[]) {
    const creek = paddockOf('Creek');
    await put('paddocks', creek);
    const visits = starts.map((start, index) => ({
      ...visitOf(creek.id, hours(start)),
      note: `note ${index}`,
    }));
    const photos = visits.map(({ id }) => recordOf(file, { visitId: id }));
    for (const index of order) {
      const visit = visits[index] as (typeof visits)[number];
      const photo = photos[index] as (typeof photos)[number];
      expect((await put('visits', visit)).status).toBe(200);
      expect((await upload(farm, photo, file)).status).toBe(204);
      await put('cuts', {
        id: randomUUID(),
        visitId: visit.id,
        photoId: photo.id,
        events: cutEvents({ dry: 30 }),
      } as never);
    }
    const { items } = await farm.json(`/api/visits?paddockId=${creek.id}`);
    return { visits, kept: items as (typeof visits)[number][] };
  }

  it.each([[[0, 1, 2, 3]], [[3, 2, 1, 0]], [[0, 2, 1, 3]], [[2, 3, 0, 1]]])(
    'are one, sent in the order %j, with the photos and cuts of all',
    async (order) => {
      // 0, 10 and 20 h hang together; 33 h is another day.
      const { visits, kept } = await sent(order, [0, 10, 20, 33]);
      expect(kept.map(({ id }) => id).sort()).toEqual([visits[0]?.id, visits[3]?.id].sort());
      const first = visits[0]?.id;
      const summary = await farm.json(`/api/visits/${first}/summary`);
      expect(summary.photos).toBe(3);
      expect((await farm.json(`/api/cuts?visitId=${first}`)).items).toHaveLength(3);
      for (const note of ['note 0', 'note 1', 'note 2']) expect(summary.visit.note).toContain(note);
      // By the name that its device gave it each is found still.
      for (const visit of visits.slice(0, 3)) {
        expect((await farm.json(`/api/photos?visitId=${visit.id}`)).items).toHaveLength(3);
        expect((await farm.json(`/api/visits/${visit.id}`)).id).toBe(first);
      }
      const { items } = await farm.json('/api/removals?limit=500');
      for (const visit of visits.slice(1, 3)) {
        expect(items).toContainEqual({ kind: 'visit', id: visit.id, at: expect.any(String), into: first });
      }
    },
  );

  it('are one however often they are sent, and take what comes later', async () => {
    const { visits, kept } = await sent([0, 1], [0, 1]);
    expect(kept).toHaveLength(1);
    const [first, second] = visits;
    if (!first || !second) throw new Error('two were sent');
    expect(await (await put('visits', second)).json()).toMatchObject({ id: first.id });
    const late = recordOf(file, { visitId: second.id });
    await upload(farm, late, file);
    expect((await farm.json(`/api/photos/${late.id}`)).visitId).toBe(first.id);
    const own = recordOf(file);
    await upload(farm, own, file);
    const { record, contested } = await patch('photos', own.id, {
      visitId: { from: null, to: second.id, at: hours(3) },
    });
    expect([record.visitId, contested]).toEqual([first.id, []]);
  });
});
