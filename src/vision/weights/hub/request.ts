import { setTimeout as pause } from 'node:timers/promises';
import type { HubSettings } from '../../../ground/environment.ts';
import { HubError, type HubFile, networkError, statusError } from './errors.ts';

const MAX_REDIRECTS = 5;

/** What only the hub itself says, not the content network it redirects to. */
const HUB_HEADERS = ['x-repo-commit', 'x-linked-etag', 'x-linked-size'];

/** The answer to a request, with what every hop said. */
export interface Answer {
  readonly response: Response;
  /** Headers of the hub's own answer: of the first hop, where there were redirects. */
  readonly first: Headers;
}

/**
 * One request, redirects followed by hand: the token goes to the hub's own origin only, never to the content
 * network it sends us to, and other headers (Range) go along.
 *
 * @throws HubError when a redirect leads nowhere; whatever `fetch` throws
 */
export async function request(
  url: string,
  init: RequestInit,
  wanted: HubFile,
  settings: HubSettings,
): Promise<Answer> {
  const hub = new URL(settings.endpoint).origin;
  let target = new URL(url);
  let first: Headers | undefined;
  for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
    const headers = new Headers(init.headers);
    headers.delete('authorization');
    if (settings.token !== undefined && target.origin === hub) {
      headers.set('authorization', `Bearer ${settings.token}`);
    }
    const response = await fetch(target, { ...init, headers, redirect: 'manual' });
    first ??= response.headers;
    const location = response.headers.get('location');
    if (response.status < 300 || response.status >= 400 || location === null) return { response, first };
    await response.body?.cancel();
    target = redirectTarget(location, target, wanted);
  }
  throw new HubError(`${wanted.repository}: more than ${MAX_REDIRECTS} redirects; check HF_ENDPOINT`);
}

/**
 * A `fetch` for the hub client, which reads headers only: as {@link request}, with passing failures (no
 * network, 5xx, 429) tried again. What the hub said before it sent us elsewhere (commit, checksum, size) is
 * added to the last answer, and so is the size where the server sends the whole file in place of a range.
 *
 * @throws HubError for every answer but success
 */
export function headersOnlyFetch(wanted: HubFile, settings: HubSettings): typeof fetch {
  return async (url, init) => {
    const { response, first } = await answered(String(url), init, wanted, settings);
    await response.body?.cancel();
    const headers = new Headers(response.headers);
    for (const name of HUB_HEADERS) {
      const value = first.get(name);
      if (value !== null) headers.set(name, value);
    }
    const size = headers.get('x-linked-size') ?? headers.get('content-length');
    if (response.status === 200 && size !== null && !headers.has('content-range')) {
      headers.set('content-range', `bytes 0-0/${size}`);
    }
    return new Response(null, { status: response.status, headers });
  };
}

/** A `fetch` for the hub client's API calls, whose short answers it reads. */
export function clientFetch(wanted: HubFile, settings: HubSettings): typeof fetch {
  return async (url, init) => (await answered(String(url), init, wanted, settings)).response;
}

function answered(
  url: string,
  init: RequestInit | undefined,
  wanted: HubFile,
  settings: HubSettings,
): Promise<Answer> {
  return withRetries(async () => {
    const signal = AbortSignal.timeout(settings.stallMilliseconds);
    const answer = await request(url, { ...init, signal }, wanted, settings).catch((error) => {
      throw error instanceof HubError ? error : networkError(error, wanted, settings);
    });
    const { response } = answer;
    if (response.ok) return answer;
    await response.body?.cancel();
    throw statusError(response.status, response.headers.get('x-error-code'), wanted, settings);
  }, settings);
}

/** Runs `attempt` again after each pause while it fails in a way that may pass. */
export async function withRetries<T>(
  attempt: () => Promise<T>,
  { retryMilliseconds }: HubSettings,
): Promise<T> {
  for (const milliseconds of retryMilliseconds) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof HubError && error.passing)) throw error;
    }
    await pause(milliseconds);
  }
  return attempt();
}

function redirectTarget(location: string, from: URL, { repository }: HubFile): URL {
  if (!URL.canParse(location, from.href)) {
    throw new HubError(`${repository}: a redirect leads to "${location}", no address; check HF_ENDPOINT`);
  }
  const target = new URL(location, from.href);
  const downgrade = from.protocol === 'https:' && target.protocol !== 'https:';
  if (downgrade || !/^https?:$/.test(target.protocol)) {
    throw new HubError(`${repository}: a redirect leads to ${target.protocol}; check HF_ENDPOINT`);
  }
  return target;
}
