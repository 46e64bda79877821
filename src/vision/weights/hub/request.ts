import { setTimeout as pause } from 'node:timers/promises';
import type { HubSettings } from '../../../ground/environment.ts';
import { HubError, type HubFile, networkError, statusError } from './errors.ts';

const MAX_REDIRECTS = 5;

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
 * @throws HubError when there is no network, or a redirect leads nowhere
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
    const response = await fetch(target, { ...init, headers, redirect: 'manual' }).catch((error) => {
      throw error instanceof HubError ? error : networkError(error, wanted, settings);
    });
    first ??= response.headers;
    const location = response.headers.get('location');
    if (response.status < 300 || response.status >= 400 || location === null) return { response, first };
    await response.body?.cancel();
    target = redirectTarget(location, target, wanted);
  }
  throw new HubError(`${wanted.repository}: more than ${MAX_REDIRECTS} redirects; check HF_ENDPOINT`);
}

/**
 * As {@link request}, for short answers: passing failures (no network, 5xx, 429) are tried again.
 *
 * @throws HubError for every answer but success
 */
export async function answered(
  url: string,
  init: RequestInit,
  wanted: HubFile,
  settings: HubSettings,
): Promise<Answer> {
  const attempt = async (): Promise<Answer> => {
    const signal = AbortSignal.timeout(settings.stallMilliseconds);
    const answer = await request(url, { ...init, signal }, wanted, settings);
    if (answer.response.ok) return answer;
    throw await refusal(answer, wanted, settings);
  };
  for (const milliseconds of settings.retryMilliseconds) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof HubError && error.passing)) throw error;
    }
    await pause(milliseconds);
  }
  return attempt();
}

/** The error for an answer other than success, whose body nobody reads. */
export async function refusal(
  { response }: Answer,
  wanted: HubFile,
  settings: HubSettings,
): Promise<HubError> {
  await response.body?.cancel();
  return statusError(response.status, response.headers.get('x-error-code'), wanted, settings);
}

/** Where a file lies on the hub, at a commit or branch. */
export function fileUrl({ repository, file }: HubFile, revision: string, { endpoint }: HubSettings): string {
  const path = file.split('/').map(encodeURIComponent).join('/');
  return `${endpoint}/${repository}/resolve/${encodeURIComponent(revision)}/${path}`;
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
