import { z } from 'zod';

/** Where parts stay; the service worker looks there, see `app.config.ts`. */
const CACHE = 'sward-parts';

/** The list that the build has made of them. */
const LIST = '/parts.json';

/**
 * Keeps what first screens go without (the engine, maps, the zip of what was not sent) for times without a network, after
 * the shell and behind what is waited for.
 *
 * @param which of the shell that is open, or of the newest one, which the service worker's cache does not have
 * @throws Error where a part cannot be fetched or has no room
 */
export async function keepLaterParts(which: 'own' | 'newest'): Promise<void> {
  const parts = await listed(which === 'own' ? LIST : `${LIST}?newest`);
  const cache = await caches.open(CACHE);
  for (const part of parts) {
    if (!(await cache.match(part))) await cache.add(new Request(part, { priority: 'low' }));
  }
}

/** Forgets parts of earlier shells. */
export async function forgetEarlierParts(): Promise<void> {
  const parts = await listed(LIST);
  const cache = await caches.open(CACHE);
  const wanted = new Set(parts.map((part) => new URL(part, location.href).href));
  for (const { url } of await cache.keys()) if (!wanted.has(url)) await cache.delete(url);
}

async function listed(list: string): Promise<string[]> {
  return z.array(z.string()).parse(await (await fetch(list)).json());
}
