import { setTimeout as pause } from 'node:timers/promises';
import { environment, type ObjectStoreSettings } from '../ground/environment.ts';
import { messageOf } from '../ground/errors.ts';
import { StoreUnreachable } from './store.ts';

/** How long an endpoint is asked at first where nothing listens, and how often. */
const PATIENCE_MS = 2_000;
const ASKED_EVERY_MS = 400;

/** Where a store of objects is, without a slash at the end. */
export const endpointOf = ({ endpoint, region }: ObjectStoreSettings): string =>
  endpoint ?? `https://s3.${region}.amazonaws.com`;

/** What a request failed of, of whatever host: a name with several addresses fails once for each. */
export function requestFault(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  return cause instanceof AggregateError ? cause.errors.map(messageOf).join(', ') : messageOf(cause);
}

/**
 * Makes sure that something listens where objects are stored, before work begins that would wait for it much longer. One
 * that is slow to answer is left to that.
 *
 * @param tell hears of one that has not answered yet
 * @throws StoreUnreachable
 */
export async function requireEndpoint(tell: (line: string) => void): Promise<void> {
  const { objectStore } = environment();
  if (!objectStore) return;
  const endpoint = endpointOf(objectStore);
  const end = AbortSignal.timeout(PATIENCE_MS);
  let fault: string | null = null;
  while (!end.aborted) {
    try {
      await fetch(endpoint, { method: 'HEAD', redirect: 'manual', signal: end });
      return;
    } catch (error) {
      if (!end.aborted) fault = requestFault(error);
    }
    await pause(ASKED_EVERY_MS);
  }
  if (fault === null) return tell(`the store at ${endpoint} has not answered yet; waiting for it`);
  throw new StoreUnreachable(
    endpoint,
    `no store answers there (${fault})`,
    'check AWS_ENDPOINT_URL, or start the store',
  );
}
