import { Queue } from 'bullmq';
import { messageOf, SwardError } from '../../ground/errors.ts';
import { type QueueName, requireRedis } from './queues.ts';

/** What waits in a queue: which unit of which job, not what it is about. */
export interface QueuedUnit {
  readonly store: string;
  readonly job: string;
  readonly key: string;
}

/** Whoever asks at first is answered within so long. */
const ANSWER_MS = 4_000;

/** The longest pause before Redis is tried again, when it has gone away. */
const MOST_RETRY_MS = 5_000;

/** How Redis is reached; it is tried again for ever, since work must outlive its restart. */
export const connectionTo = (url: string) => ({
  url,
  maxRetriesPerRequest: null,
  retryStrategy: (times: number) => Math.min(100 * 2 ** times, MOST_RETRY_MS),
});

/** The name of a queue in Redis. */
export const nameOf = (queue: QueueName): string => `sward-${queue}`;

/** Work by its unit's key, so that the same is queued once. Numbers alone are no name there. */
export const idOf = (key: string): string => `unit-${key}`;
export const keyOf = (id: string): string => id.slice('unit-'.length);

/** What a worker answers that finds no spec: the job was taken away, or it does not see where it lies. */
export const goneFrom = (host: string): string => `gone from ${host}`;

/** The host of {@link goneFrom}; null of other answers. */
export const goneOn = (answer: string): string | null => /^gone from (.*)$/.exec(answer)?.[1] ?? null;

/**
 * Opens a queue.
 *
 * @param tell hears what of Redis's settings could lose work, and when it goes away
 * @throws SwardError where nothing answers
 */
export async function openQueue(
  url: string,
  queue: QueueName,
  tell: (line: string) => void,
): Promise<Queue<QueuedUnit>> {
  const opened = new Queue<QueuedUnit>(nameOf(queue), { connection: connectionTo(requireRedis(url)) });
  let fault = 'it does not answer';
  opened.on('error', (error) => {
    fault = messageOf(error) || fault;
  });
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, fail) => {
    timer = setTimeout(() => fail(new Error(fault)), ANSWER_MS);
  });
  try {
    await Promise.race([opened.waitUntilReady(), late]);
    const client = await opened.backend.client;
    for (const advice of adviceOn(await Promise.race([client.info(), late]))) tell(advice);
    return opened;
  } catch {
    void opened.close().catch(() => {});
    throw new SwardError(
      `${withoutPassword(url)}: no Redis can be used there (${fault}); ${remedyOf(fault)}`,
    );
  } finally {
    clearTimeout(timer);
  }
}

/** What helps, by what a connection failed of. */
const REMEDIES: readonly (readonly [RegExp, string])[] = [
  [/NOAUTH|WRONGPASS/, 'give its password: redis://:PASSWORD@host:port'],
  [/NOPERM/, 'give a user that may do everything there: redis://USER:PASSWORD@host:port'],
  [/ENOTFOUND|EAI_AGAIN/, 'check the name of the host'],
  [/Invalid URL/, 'give redis://host:port, or redis://:PASSWORD@host:port with %-codes for signs as @ and /'],
  [
    /SSL|wrong version number|ECONNRESET|EPROTO/,
    'rediss:// is for a Redis that speaks TLS, redis:// for one that does not',
  ],
];

const remedyOf = (fault: string): string =>
  REMEDIES.find(([sign]) => sign.test(fault))?.[1] ??
  'start one: redis-server --appendonly yes --maxmemory-policy noeviction';

/** What a Redis that answers may refuse work for, and what helps. */
const REFUSALS: readonly (readonly [RegExp, string, string])[] = [
  [/^OOM /, 'its memory is full', 'raise its maxmemory (CONFIG SET maxmemory 0: no limit)'],
  [/^MISCONF /, 'it cannot write to its disk', 'make room there'],
  [/^READONLY /, 'it is a replica', 'name the primary'],
  [/^NOPERM /, 'the user may not queue work', 'give one who may do everything there'],
];

/** What is to be thrown where a Redis takes no work: a SwardError where it says why, else the error itself. */
export function queueRefusal(error: unknown): unknown {
  const text = messageOf(error);
  const [, what, remedy] = REFUSALS.find(([sign]) => sign.test(text)) ?? [];
  return what === undefined
    ? error
    : new SwardError(
        `Redis takes no work: ${what} (${text.split('. ', 1)[0]}); ${remedy}, then run the same command again`,
      );
}

const withoutPassword = (url: string): string => url.replace(/\/\/[^@/]*@/, '//');

/** What of a Redis could lose work, by what it says of itself. */
export function adviceOn(info: string): string[] {
  const facts = new Map(info.split(/\r?\n/).map((line) => line.split(':', 2) as [string, string]));
  const policy = facts.get('maxmemory_policy');
  return [
    ...(facts.get('aof_enabled') === '0'
      ? [
          'warning: Redis keeps no append-only file, so that queued work is lost when it ends; start it with --appendonly yes',
        ]
      : []),
    ...(policy !== undefined && policy !== 'noeviction' && facts.get('maxmemory') !== '0'
      ? [
          `warning: Redis may drop queued work when its memory is full (${policy}); set maxmemory-policy noeviction`,
        ]
      : []),
  ];
}
