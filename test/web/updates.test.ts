import { afterEach, expect, it, vi } from 'vitest';
import { Updates } from '../../web/src/shell/updates.ts';

afterEach(() => vi.unstubAllGlobals());

it('a newer shell that was found before the page looked for one is offered when it is there', async () => {
  const newer = new EventTarget();
  const registration = Object.assign(new EventTarget(), {
    installing: newer as EventTarget | null,
    waiting: null as EventTarget | null,
  });
  const serviceWorker = Object.assign(new EventTarget(), {
    controller: {},
    ready: Promise.resolve(registration),
    register: async () => registration,
  });
  vi.stubGlobal('navigator', { serviceWorker });
  vi.stubGlobal('addEventListener', () => {});
  vi.stubGlobal('location', { href: 'https://farm.test/' });
  vi.stubGlobal('fetch', async () => new Response('[]'));
  vi.stubGlobal('caches', { open: async () => ({ keys: async () => [] }) });
  const updates = new Updates();
  await updates.begin();
  await vi.waitFor(() => expect(updates.offline.value).toBe('all'));
  expect(updates.waiting.value).toBe(false);
  Object.assign(registration, { installing: null, waiting: newer });
  newer.dispatchEvent(new Event('statechange'));
  await vi.waitFor(() => expect(updates.waiting.value).toBe(true));
});
