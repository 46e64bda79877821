import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Role } from '../../src/server/access/roles.ts';
import { FarmStore } from '../../web/src/store/farm-store.ts';
import { openKeeping } from '../../web/src/store/keeping.ts';
import { Sync } from '../../web/src/sync/sync.ts';
import { takeOverEarlierPlans } from '../../web/src/visits/earlier-plans.ts';
import { newPaddock, photosOf, placePhoto, visitAt, visitsOf } from '../../web/src/visits/visits.ts';
import { recordOf, startTestServer, type TestServer, upload } from '../server/farm-server.ts';
import { writePhoto } from '../support/small-data-folder.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** What the build writes into the app. */
vi.mock('../../web/src/estimate/starter.ts', () => ({
  STARTER: { id: 'starter', name: 'starter', hash: 'a'.repeat(64) },
}));

/** The app's store and sending on a device, without its screens. */
interface Device {
  readonly store: FarmStore;
  /** Sends and takes in. */
  sync(): Promise<void>;
}

const root = temporaryFolder('two-devices');
let farm: TestServer;
let file: Uint8Array;
beforeAll(async () => {
  farm = await startTestServer(join(root, 'farm'));
  const path = join(root, 'photo.jpg');
  await writePhoto(path, 20, 1);
  file = readFileSync(path);
});
afterAll(() => farm.close());

const { fetch: asked } = globalThis;
beforeEach(() => {
  // Nothing is sent but where a test says so.
  vi.useFakeTimers({ toFake: ['setTimeout', 'setInterval', 'clearTimeout', 'clearInterval', 'Date'] });
  vi.stubGlobal('addEventListener', () => {});
  vi.stubGlobal('document', { visibilityState: 'visible', addEventListener: () => {} });
});
afterEach(() => {
  vi.useRealTimers();
  vi.stubGlobal('fetch', asked);
});

async function deviceOf(role: Role): Promise<Device> {
  const store = await FarmStore.open(await openKeeping(() => {}));
  await store.setValue('device', { id: role, name: role, role });
  const sync = new Sync(store);
  return {
    store,
    async sync() {
      vi.stubGlobal('fetch', (path: string, options: RequestInit) =>
        asked(farm.server.address + path, {
          ...options,
          headers: { ...options.headers, authorization: `Bearer ${farm.tokens[role]}` },
        }),
      );
      await sync.now();
      vi.stubGlobal('fetch', asked);
      expect(sync.state.value.kind).toBe('idle');
    },
  };
}

const words = ({ store }: Device): string[] => store.notices.value.map((notice) => notice.words);

describe('a desk and a phone that is away', () => {
  let desk: Device;
  let phone: Device;
  const creek = { ...newPaddock('Creek flat'), hectares: 12.15 };
  beforeEach(async () => {
    creek.id = randomUUID();
    [desk, phone] = [await deviceOf('owner'), await deviceOf('recorder')];
    await desk.store.save('paddock', creek);
    await desk.sync();
    await phone.sync();
  });
  const both = (): unknown[] => [desk, phone].map(({ store }) => store.paddocks.value.get(creek.id));

  it('change different fields, and both are kept', async () => {
    await phone.store.changePaddock(creek.id, { name: 'Creek' });
    await desk.store.changePaddock(creek.id, { hectares: 11.5 });
    await desk.sync();
    await phone.sync();
    await desk.sync();
    const merged = { ...creek, name: 'Creek', hectares: 11.5 };
    expect(both()).toEqual([merged, merged]);
    expect([...words(desk), ...words(phone)]).toEqual([]);
    expect(phone.store.outbox.value.size).toBe(0);
  });

  it('have what was planned on one before plans were shared, once, where nobody has planned since', async () => {
    const typed = { head: '80', animal: 'wether, 50 kg', leave: 'utilisation', residual: '', growth: 'some' };
    const earlier = { ...typed, utilisationPercent: '35', supplement: '' };
    const kept = ({ store }: Device) => store.setValue(`feed/${creek.id}`, earlier);
    await Promise.all([kept(desk), kept(phone)]);
    await takeOverEarlierPlans(phone.store);
    const planned = { ...creek, head: 80, animal: 'wether, 50 kg', leave: 'utilisation', utilisation: 0.35 };
    expect(phone.store.paddocks.value.get(creek.id)).toEqual(planned);
    await phone.store.changePaddock(creek.id, { head: null });
    await phone.sync();
    await desk.sync();
    await Promise.all([desk, phone].map(({ store }) => takeOverEarlierPlans(store)));
    expect(both()).toEqual([
      { ...planned, head: null },
      { ...planned, head: null },
    ]);
    expect([desk, phone].map(({ store }) => store.value(`feed/${creek.id}`))).toEqual([undefined, undefined]);
    expect(desk.store.outbox.value.size).toBe(0);
  });

  it('plan the grazing of one paddock, each a part of it, and a number that both gave is told', async () => {
    await phone.store.changePaddock(creek.id, { head: 80, animal: 'wether, 50 kg' });
    vi.setSystemTime(Date.now() + 1000);
    await desk.store.changePaddock(creek.id, { head: 95, growth: 12, residual: 900 });
    await desk.sync();
    await phone.sync();
    await desk.sync();
    const merged = { ...creek, head: 95, growth: 12, residual: 900, animal: 'wether, 50 kg' };
    expect(both()).toEqual([merged, merged]);
    expect(words(phone)).toEqual([
      'Creek flat: two devices changed its number of animals. The later change stays, the earlier (80) is gone.',
    ]);
    expect(words(desk)).toEqual([]);
    const saying = { id: randomUUID(), name: 'Hill', boundary: null, hectares: 3, head: -1 };
    const { status } = await farm.ask(`/api/paddocks/${saying.id}`, { method: 'PUT', body: saying });
    expect(status).toBe(400);
  });

  it('change the same field: the later stays, and one device says so, once', async () => {
    await phone.store.changePaddock(creek.id, { hectares: 12 });
    vi.setSystemTime(Date.now() + 1000);
    await desk.store.changePaddock(creek.id, { hectares: 11.5 });
    await desk.sync();
    await phone.sync();
    await phone.sync();
    await desk.sync();
    expect(both()).toEqual([
      { ...creek, hectares: 11.5 },
      { ...creek, hectares: 11.5 },
    ]);
    expect(words(desk)).toEqual([]);
    expect(words(phone)).toEqual([
      'Creek flat: two devices changed its size. The later change stays, the earlier (12) is gone.',
    ]);
    await phone.store.understood(phone.store.notices.value[0]?.id ?? '');
    expect(words(phone)).toEqual([]);
  });

  it('keep what the phone changed while its change was under way', async () => {
    await phone.store.changePaddock(creek.id, { name: 'Creek' });
    const [item] = [...phone.store.outbox.value.values()];
    const sent = phone.store.paddocks.value.get(creek.id);
    if (!item || !sent) throw new Error('it waits');
    await phone.store.changePaddock(creek.id, { name: 'Creek one', hectares: 12 });
    await phone.store.arrived(item, { sent, record: { ...sent, boundary: null, hectares: 11 } });
    expect(phone.store.paddocks.value.get(creek.id)).toMatchObject({ name: 'Creek one', hectares: 12 });
    await farm.ask(`/api/paddocks/${creek.id}`, { method: 'PUT', body: { ...creek, name: 'Creek' } });
    await phone.sync();
    expect(words(phone)).toEqual([]);
    expect(await farm.json(`/api/paddocks/${creek.id}`)).toMatchObject({ name: 'Creek one', hectares: 12 });
  });

  it('send as a whole what an earlier version of the app left in the outbox', async () => {
    const { store } = phone;
    await store.changePaddock(creek.id, { name: 'Of before' });
    for (const { edits: _, ...item } of store.outbox.value.values()) {
      store.outbox.value = new Map([[item.key, item]]);
    }
    await phone.sync();
    expect(await farm.json(`/api/paddocks/${creek.id}`)).toEqual({ ...creek, name: 'Of before' });
    expect(store.outbox.value.size).toBe(0);
  });

  it('lose a photo that the desk removes on both, and what the phone changed of it ends with a line', async () => {
    const record = recordOf(file);
    await upload(farm, record, file);
    await desk.sync();
    await phone.sync();
    const photo = phone.store.photos.value.get(record.id);
    if (!photo) throw new Error('the phone has it');
    await placePhoto(phone.store, photo, creek.id);
    const [visit] = visitsOf(phone.store, creek.id);
    expect(photosOf(phone.store, visit?.id ?? '')).toHaveLength(1);
    await farm.ask(`/api/photos/${record.id}`, { method: 'DELETE' });
    await phone.sync();
    expect(phone.store.photos.value.size).toBe(0);
    expect(photosOf(phone.store, visit?.id ?? '')).toEqual([]);
    expect(phone.store.outbox.value.size).toBe(0);
    expect(words(phone)).toEqual([expect.stringMatching(/^The photo of .* was removed on another device/)]);
    await desk.sync();
    expect(desk.store.photos.value.size).toBe(0);
    expect(words(desk)).toEqual([]);
  });

  it('make one visit of two that they began within the hour, on both', async () => {
    const [one, two] = [recordOf(file), recordOf(file, { capturedAt: '2026-11-03T09:50:00+11:00' })];
    for (const record of [one, two]) await upload(farm, record, file);
    await desk.sync();
    await phone.sync();
    for (const [device, record] of [
      [desk, one],
      [phone, two],
    ] as const) {
      const photo = device.store.photos.value.get(record.id);
      if (photo) await placePhoto(device.store, photo, creek.id);
      const { visit } = visitAt(device.store, creek.id, record.capturedAt);
      await device.store.save('cut', {
        id: randomUUID(),
        visitId: visit.id,
        photoId: record.id,
        events: [],
      });
    }
    const [begun] = visitsOf(phone.store, creek.id);
    await phone.sync();
    await desk.sync();
    await phone.sync();
    await phone.sync();
    // A screen that shows it goes on with the one that it is part of.
    expect(phone.store.visit(begun?.id ?? '')).toEqual(visitsOf(phone.store, creek.id)[0]);
    const seen = [desk, phone].map(({ store }) => {
      const visits = visitsOf(store, creek.id);
      const [visit] = visits;
      const cuts = [...store.cuts.value.values()].filter(({ visitId }) => visitId === visit?.id);
      return [visits.length, photosOf(store, visit?.id ?? '').length, cuts.length];
    });
    expect(seen).toEqual([
      [1, 2, 2],
      [1, 2, 2],
    ]);
  });

  it('keep photos that were taken in a paddock that the desk has removed', async () => {
    const record = recordOf(file);
    await upload(farm, record, file);
    await phone.sync();
    const photo = phone.store.photos.value.get(record.id);
    if (!photo) throw new Error('the phone has it');
    await placePhoto(phone.store, photo, creek.id);
    await farm.ask(`/api/paddocks/${creek.id}`, { method: 'DELETE' });
    await phone.sync();
    await phone.sync();
    expect(phone.store.paddocks.value.has(creek.id)).toBe(false);
    expect(phone.store.photos.value.get(record.id)?.record.visitId).toBeNull();
    expect(words(phone).join(' ')).toMatch(/say again which paddock/);
    await farm.ask(`/api/photos/${record.id}`, { method: 'DELETE' });
  });
});
