import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import type { Estimate, Paddock } from '../../src/farm/index.ts';
import { FarmStore, type Pulled } from '../../web/src/store/farm-store.ts';
import { openKeeping } from '../../web/src/store/keeping.ts';
import type { KeptPhoto } from '../../web/src/store/records.ts';
import { askFor, refusalOf, Unreachable } from '../../web/src/sync/farm-server.ts';
import { mendTimes, tellOfClock } from '../../web/src/sync/mend-times.ts';
import { clockSkew, hearClock } from '../../web/src/sync/server-clock.ts';
import { Sync } from '../../web/src/sync/sync.ts';
import { hour, paddockOf, rectangle, uuid } from '../farm/records.ts';

/** Without a browser's database everything is kept in memory. */
const opened = async (): Promise<FarmStore> => FarmStore.open(await openKeeping(() => {}));

const DEVICE = { id: 'one', name: 'phone', role: 'recorder' } as const;
const OTHER = { ...DEVICE, id: 'two' };

/** A server that has nothing. */
const NOTHING: Pulled = {
  ...{ paddocks: [], visits: [], photos: [], estimates: [], problems: new Map() },
  ...{ cuts: [], calibrations: [], removals: [], answering: null },
};

/** A photo that the server has. */
const id = uuid(7);
const photo: KeptPhoto = {
  id,
  record: {
    id,
    visitId: null,
    sha256: 'a'.repeat(64),
    capturedAt: hour(1),
    position: null,
    frameAreaSquareMetres: 0.21,
    height: null,
  },
  fileName: 'photo.jpg',
  mediaType: 'image/jpeg',
  bytes: 1,
  origin: 'camera',
  advice: [],
  filePosition: null,
  storedAt: hour(2),
  problem: null,
};
const estimate = (number: number): Estimate =>
  ({ id: uuid(number), photoId: id, run: { hash: 'b' } }) as never;

describe('sending and looking', () => {
  /** Paths and what the server answers to them; anything else is a list of nothing. */
  let answers: Record<string, () => Promise<Response> | Response>;
  let looks: number;
  beforeEach(() => {
    vi.useFakeTimers({ now: Date.UTC(2026, 10, 3) });
    answers = {};
    looks = 0;
    vi.stubGlobal('addEventListener', () => {});
    vi.stubGlobal('document', { visibilityState: 'visible', addEventListener: () => {} });
    vi.stubGlobal('fetch', async (path: string) => {
      const [place = ''] = path.split('?');
      const answer = answers[place]?.() ?? Response.json({ items: [], next: null });
      // The last of what is asked for in a look.
      if (place === '/api/calibrations') looks++;
      return answer;
    });
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });
  const paired = async (): Promise<{ store: FarmStore; sync: Sync }> => {
    const store = await opened();
    await store.setValue('device', DEVICE);
    const sync = new Sync(store);
    await sync.now();
    expect(sync.state.value.kind).toBe('idle');
    return { store, sync };
  };
  const hill: Paddock = paddockOf(rectangle(0, 0, 0.01, 0.01));

  it('looks once a minute while the app is looked at', async () => {
    await paired();
    await vi.advanceTimersByTimeAsync(10 * 60_000 + 59_000);
    expect(looks).toBeGreaterThanOrEqual(10);
    expect(looks).toBeLessThanOrEqual(11);
  });

  it('sends by itself what was refused, once it is paired as who may send it', async () => {
    const { store, sync } = await paired();
    const path = `/api/paddocks/${hill.id}`;
    const refusal = { error: { code: 'not-allowed', message: 'this device is paired as viewer' } };
    answers[path] = () => Response.json(refusal, { status: 403 });
    await store.save('paddock', hill);
    await sync.now();
    expect([...store.outbox.value.values()]).toMatchObject([{ refused: refusal.error.message }]);
    delete answers[path];
    answers['/api/devices/pair'] = () => Response.json({ device: OTHER });
    await sync.pair('code');
    expect(store.outbox.value.size).toBe(0);
  });

  it('sends nothing more of what was removed here', async () => {
    const { store, sync } = await paired();
    await store.save('paddock', hill);
    await store.remove('paddock', hill.id);
    let asked = 0;
    answers[`/api/paddocks/${hill.id}`] = () => {
      asked++;
      return Response.json(hill);
    };
    await sync.now();
    expect([asked, store.paddocks.value.size, store.outbox.value.size]).toEqual([0, 0, 0]);
  });

  it('says when it last took in what others sent, not when it last sent', async () => {
    const { store, sync } = await paired();
    const begun = sync.state.value;
    await vi.advanceTimersByTimeAsync(5_000);
    await store.save('paddock', hill);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(store.outbox.value.size).toBe(0);
    expect(sync.state.value).toEqual(begun);
  });

  it('keeps nothing of the farm but what was not sent once an owner has ended its access', async () => {
    const { store, sync } = await paired();
    const flat: Paddock = { ...paddockOf(rectangle(1, 0, 0.01, 0.01)), id: uuid(7) };
    await store.takeIn({ ...NOTHING, paddocks: [hill] });
    await store.setValue('feed/x', { head: '80' });
    await store.changeSettings({ theme: 'dark' });
    await store.save('paddock', flat);
    const ended = { error: { code: 'revoked', message: 'an owner has ended this device’s access' } };
    answers[`/api/paddocks/${flat.id}`] = () => Response.json(ended, { status: 401 });
    await sync.now();
    expect([...store.paddocks.value.keys()]).toEqual([flat.id]);
    expect([...store.outbox.value.values()]).toMatchObject([{ kind: 'paddock', id: flat.id }]);
    expect(sync.device.value).toBeNull();
    expect(store.value('device')).toBeUndefined();
    expect(store.value('feed/x')).toBeUndefined();
    expect(store.settings.value.theme).toBe('dark');
    // Read once, and no more after it is paired again.
    expect(new Sync(store).ended.value).toBe(sync.ended.value);
    expect(sync.ended.value).not.toBeNull();
    answers['/api/devices/pair'] = () => Response.json({ device: OTHER });
    delete answers[`/api/paddocks/${flat.id}`];
    await sync.pair('code');
    expect(sync.ended.value).toBeNull();
    expect(store.outbox.value.size).toBe(0);
  });

  it('goes on as it is where the server does not know the device, as after a restored backup', async () => {
    const { store, sync } = await paired();
    await store.takeIn({ ...NOTHING, paddocks: [hill] });
    answers['/api/paddocks'] = () => new Response('', { status: 401 });
    await sync.now();
    expect(sync.device.value).toBeNull();
    expect(sync.ended.value).toBeNull();
    expect(store.paddocks.value.size).toBe(1);
  });

  it('looks again for what was asked for and failed', async () => {
    const { sync } = await paired();
    answers['/api/cuts'] = () => new Response('', { status: 500 });
    await sync.now();
    expect(sync.state.value.kind).toBe('failed');
    answers = {};
    await vi.advanceTimersByTimeAsync(2_500);
    expect([sync.state.value.kind, looks]).toEqual(['idle', 2]);
  });

  it('makes up for the look that sending has left out', async () => {
    const { store } = await paired();
    await vi.advanceTimersByTimeAsync(3_000);
    await store.save('paddock', hill);
    await vi.advanceTimersByTimeAsync(1_000);
    expect([store.outbox.value.size, looks]).toEqual([0, 1]);
    await vi.advanceTimersByTimeAsync(12_000);
    expect(looks).toBe(2);
  });

  it('looks soon while the server has said nothing of a photo, and ever less often, until it has', async () => {
    const { store } = await paired();
    await store.takeIn({ ...NOTHING, photos: [photo] });
    await vi.advanceTimersByTimeAsync(4_000);
    expect(looks).toBe(2);
    await vi.advanceTimersByTimeAsync(56_000);
    expect(looks).toBeGreaterThanOrEqual(6);
    expect(looks).toBeLessThanOrEqual(7);
    await store.addEstimate(estimate(1));
    const before = looks;
    await vi.advanceTimersByTimeAsync(40_000);
    expect(looks).toBe(before);
  });

  it('looks though the server has no room for what is sent', async () => {
    const { store, sync } = await paired();
    answers[`/api/paddocks/${hill.id}`] = () => new Response('', { status: 507 });
    await store.save('paddock', hill);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(looks).toBe(2);
    expect(sync.state.value.kind).toBe('failed');
    expect(store.outbox.value.size).toBe(1);
  });

  it('tries again soon where a line that was gone for long is back, and is cut again', async () => {
    const { store } = await paired();
    const ridge = { ...hill, id: uuid(12) };
    const gone = () => Promise.reject(new TypeError('no network'));
    for (const { id } of [hill, ridge]) answers[`/api/paddocks/${id}`] = gone;
    await store.saveAll([hill, ridge].map((record) => ({ kind: 'paddock', record })));
    await vi.advanceTimersByTimeAsync(100_000);
    expect(store.outbox.value.size).toBe(2);
    delete answers[`/api/paddocks/${hill.id}`];
    while (store.outbox.value.size === 2) await vi.advanceTimersByTimeAsync(500);
    delete answers[`/api/paddocks/${ridge.id}`];
    await vi.advanceTimersByTimeAsync(2_500);
    expect(store.outbox.value.size).toBe(0);
  });

  it('leaves a device that was paired while the server did not know the one before', async () => {
    const store = await opened();
    await store.setValue('device', DEVICE);
    const sync = new Sync(store);
    let answer: (response: Response) => void = () => {};
    answers['/api/devices/me'] = () =>
      new Promise((settle) => {
        answer = settle;
      });
    answers['/api/devices/pair'] = () => Response.json({ device: OTHER });
    const beginning = sync.begin();
    await sync.pair('a code');
    answer(new Response('', { status: 401 }));
    await beginning;
    expect(sync.device.value).toEqual(OTHER);
    expect(store.value('device')).toEqual(OTHER);
  });

  it('takes an answer that breaks off for none', async () => {
    const broken = new ReadableStream({ pull: (parts) => parts.error(new TypeError('network error')) });
    answers['/api/farm'] = () => new Response(broken);
    await expect(askFor(z.object({}), '/api/farm')).rejects.toThrow(Unreachable);
  });

  it('says that the server cannot be reached in words, not in a browser’s', async () => {
    answers['/api/runs'] = () => Promise.reject(new TypeError('Failed to fetch'));
    await expect(askFor(z.object({}), '/api/runs')).rejects.toThrow(/^The server cannot be reached now\./);
  });
});

describe('a refusal', () => {
  const passes = (status: number, code: string): boolean =>
    refusalOf(status, JSON.stringify({ error: { code, message: 'no' } })).passes;

  it('passes where a photo that was cut on its way is still being written', () => {
    expect(passes(409, 'upload')).toBe(true);
    expect(passes(423, 'upload')).toBe(true);
    expect(passes(404, 'upload')).toBe(true);
    expect(passes(400, 'upload')).toBe(false);
  });

  it('stays where what is sent does not agree with what is there', () => {
    expect(passes(409, 'conflict')).toBe(false);
    expect(passes(404, 'not-found')).toBe(false);
    expect(passes(413, 'too-large')).toBe(false);
  });

  it('passes where the server has no room or fails', () => {
    for (const status of [408, 429, 500, 507]) expect(passes(status, '')).toBe(true);
  });
});

describe('what the server says of a photo that waits to be sent', () => {
  const said: Pulled = {
    paddocks: [],
    visits: [],
    photos: [photo],
    estimates: [estimate(1)],
    problems: new Map([[id, 'of the frame before']]),
    cuts: [],
    calibrations: [],
    removals: [],
    answering: null,
  };

  it('is void, and does not overwrite what is known here', async () => {
    const store = await opened();
    const record = { ...photo.record, frameAreaSquareMetres: 0.25 };
    await store.save('photo', { ...photo, record });
    await store.addEstimate(estimate(2));
    await store.takeIn(said);
    expect(store.estimates.value.get(id)).toEqual([estimate(2)]);
    expect(store.photos.value.get(id)).toEqual({ ...photo, record });
  });

  it('is sent with another frame, and keeps nothing that was said of the one before, in one step', async () => {
    const store = await opened();
    await store.save('photo', { ...photo, problem: 'of the frame before' });
    await store.addEstimate(estimate(2));
    const write = vi.spyOn(store.keeping, 'write');
    await store.changePhoto(id, { frameAreaSquareMetres: 0.25 });
    expect(write).toHaveBeenCalledTimes(1);
    expect(store.estimates.value.get(id)).toBeUndefined();
    const record = { ...photo.record, frameAreaSquareMetres: 0.25 };
    expect(store.photos.value.get(id)).toEqual({ ...photo, record });
    expect([...store.outbox.value.values()]).toMatchObject([{ id, version: 2 }]);
  });

  it('is taken in once it has arrived', async () => {
    const store = await opened();
    await store.save('photo', photo);
    await store.addEstimate(estimate(2));
    for (const item of store.outbox.value.values()) await store.arrived(item);
    await store.takeIn(said);
    expect(store.estimates.value.get(id)).toEqual([estimate(1)]);
    expect(store.photos.value.get(id)?.problem).toBe('of the frame before');
  });
});

describe('what the server has forgotten of a photo', () => {
  const ofRun = (end: number, hash: string): Estimate =>
    ({ ...estimate(end), run: { id: hash, name: hash, hash } }) as never;
  const said = (record: KeptPhoto, estimates: Estimate[]): Pulled => ({
    paddocks: [],
    visits: [],
    photos: [record],
    estimates,
    problems: new Map(),
    cuts: [],
    calibrations: [],
    removals: [],
    answering: null,
  });

  it('goes here too, of whichever run, as what another frame or height has made void', async () => {
    const store = await opened();
    await store.takeIn(said(photo, [ofRun(1, 'a'), ofRun(2, 'b')]));
    expect(store.estimates.value.get(id)).toHaveLength(2);
    const other = { ...photo, record: { ...photo.record, frameAreaSquareMetres: 0.25 } };
    await store.takeIn(said(other, []));
    expect(store.estimates.value.get(id)).toBeUndefined();
    await store.takeIn(said(other, [ofRun(3, 'a'), ofRun(4, 'b')]));
    await store.takeIn(said(other, [ofRun(3, 'a')]));
    expect(store.estimates.value.get(id)).toEqual([ofRun(3, 'a')]);
  });

  it('is no answer of this device that the server has yet to give', async () => {
    const store = await opened();
    await store.takeIn(said(photo, []));
    await store.addEstimate(ofRun(1, 'a'));
    await store.takeIn(said(photo, []));
    expect(store.estimates.value.get(id)).toHaveLength(1);
  });
});

describe('a clock that is not the server’s', () => {
  const DAY_MS = 24 * 3_600_000;

  it('dates what the app’s camera took and nobody has sent by the server’s, once, with the visit it began', async () => {
    const store = await opened();
    const now = new Date().toISOString();
    const visit = { id: uuid(8), paddockId: uuid(9), startedAt: now, note: '' };
    const shot = {
      ...photo,
      storedAt: null,
      record: { ...photo.record, capturedAt: now, visitId: visit.id },
    };
    const chosen = {
      ...{ ...shot, id: uuid(10), origin: 'chosen' as const },
      record: { ...shot.record, id: uuid(10), visitId: null },
    };
    await store.saveAll([
      { kind: 'visit', record: visit },
      { kind: 'photo', record: shot },
      { kind: 'photo', record: chosen },
    ]);
    for (const skew of [-DAY_MS, -DAY_MS, 0]) await mendTimes(store, skew);
    const moved = Date.parse(now) - DAY_MS;
    expect(Date.parse(store.photos.value.get(id)?.record.capturedAt ?? '')).toBe(moved);
    expect(Date.parse(store.visits.value.get(visit.id)?.startedAt ?? '')).toBe(moved);
    expect(store.photos.value.get(chosen.id)?.record.capturedAt).toBe(now);
  });

  it('is told of once, and beyond a few minutes alone', async () => {
    const store = await opened();
    const heard = (apart: number): void =>
      hearClock({ headers: new Headers({ date: new Date(Date.now() + apart).toUTCString() }) });
    heard(60_000);
    expect(clockSkew()).toBe(0);
    heard(-DAY_MS);
    for (let look = 0; look < 2; look++) await tellOfClock(store);
    expect(store.notices.value.map(({ words }) => words)).toEqual([
      expect.stringMatching(/^This device's clock is 24 hours ahead of the farm's server\./),
    ]);
    heard(0);
    await tellOfClock(store);
    await tellOfClock(store, DAY_MS);
    expect(store.notices.value).toHaveLength(2);
  });
});
