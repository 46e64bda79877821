import { setTimeout as pause } from 'node:timers/promises';
import { Queue, type Worker } from 'bullmq';
import { messageOf, SwardError } from '../../ground/errors.ts';
import { packageVersion } from '../../ground/version.ts';
import { type QueueName, requireRedis } from './queues.ts';

/** What waits in a queue: which unit of which job, not what it is about. */
export interface QueuedUnit {
  readonly store: string;
  readonly job: string;
  readonly key: string;
}

/** Whoever asks is answered within so long, or asks again. */
const ANSWER_MS = 4_000;

/** How long a Redis is waited for that is not there at first: as long as one takes that has just been started again. */
const PATIENCE_SECONDS = 30;

/** How often one is asked that is waited for. */
const ASKED_EVERY_MS = 500;

/** How long a connection is given to close: a Redis that is away closes none. */
const CLOSE_MS = 1_500;

/** The longest pause before Redis is tried again, when it has gone away. */
const MOST_RETRY_MS = 5_000;

/** How Redis is reached; it is tried again for ever, since work must outlive its restart. */
export const connectionTo = (url: string) => ({
  url,
  maxRetriesPerRequest: null,
  retryStrategy: (times: number) => Math.min(100 * 2 ** times, MOST_RETRY_MS),
});

/**
 * The name of a queue in Redis. Each version of sward has queues of its own, so that no worker takes what only another version
 * may compute.
 */
export const nameOf = (queue: QueueName): string => `sward-${queue}-${packageVersion()}`;

/** Work by its unit's key, so that the same is queued once. Numbers alone are no name there. */
export const idOf = (key: string): string => `unit-${key}`;
export const keyOf = (id: string): string => id.slice('unit-'.length);

/** What a worker answers that finds no spec: the job was taken away, or it does not see where it lies. */
export const goneFrom = (host: string): string => `gone from ${host}`;

/** The host of {@link goneFrom}; null of other answers. */
export const goneOn = (answer: string): string | null => /^gone from (.*)$/.exec(answer)?.[1] ?? null;

/** What a worker tells of a unit that it does not reach, in place of how much of it is done. */
export interface HandedBack {
  readonly host: string;
  readonly why: string;
}

/** What holds a connection: a queue, its events, a worker. */
interface Connected {
  close(): Promise<void>;
  disconnect(): Promise<void>;
}

/** Closes connections, and breaks off those that do not close: whoever ends waits for no Redis. */
export async function closeSoon(...connected: readonly Connected[]): Promise<void> {
  const closed = Promise.allSettled(connected.map((one) => one.close()));
  if (await isSettledWithin(closed, CLOSE_MS)) return;
  for (const one of connected) void one.disconnect().catch(() => {});
}

/** Whether something settles within a time. */
export async function isSettledWithin(settled: Promise<unknown>, milliseconds: number): Promise<boolean> {
  const waiting = new AbortController();
  try {
    const { signal } = waiting;
    return await Promise.race([settled.then(() => true), pause(milliseconds, false, { signal })]);
  } finally {
    waiting.abort();
  }
}

/** What BullMQ says of a unit at work that Redis does not hold for this worker any more. */
const LET_GO = /could not renew lock for|Missing (lock|key) for job|Lock mismatch|is not in the active state/;

/** Says once that Redis is gone, or has let go of units at work, and that it is back. */
export function tellOfFaults(worker: Worker<QueuedUnit, string>, tell: (line: string) => void): void {
  let isAway = false;
  let hasLetGo = false;
  worker.on('error', (error) => {
    const text = messageOf(error);
    if (/ECONNREFUSED|ECONNRESET|ENOTFOUND|ETIMEDOUT|Connection is closed|LOADING/.test(text)) {
      if (!isAway) tell(`Redis is away (${text}); waiting for it`);
      isAway = true;
    } else if (LET_GO.test(text)) {
      if (!hasLetGo) tell(LET_GO_LINE);
      hasLetGo = true;
    } else if (text !== '') tell(messageOf(queueRefusal(error)));
  });
  worker.on('ready', () => {
    if (isAway) tell('Redis is back');
    isAway = false;
  });
  worker.on('completed', () => {
    hasLetGo = false;
  });
}

const LET_GO_LINE =
  'Redis does not know any more what is computed here: it came back without its queue (start it with --appendonly yes), or ' +
  'has given it to others while this machine stood still; it is computed all the same, and what is done counts once';

/** How a queue is opened. */
export interface QueueOpening {
  /** How long its Redis is waited for where it is not there, seconds; default {@link PATIENCE_SECONDS}. */
  readonly patienceSeconds?: number;
  /** Hears that it is waited for; default who hears of its settings. */
  readonly tellOfWait?: (line: string) => void;
}

/**
 * Opens a queue. A Redis that is not there, or ends meanwhile, is waited for.
 *
 * @param tell hears what of Redis's settings could lose work
 * @throws SwardError where nothing has answered in time, or what answers can be no queue
 */
export async function openQueue(
  url: string,
  queue: QueueName,
  tell: (line: string) => void,
  { patienceSeconds = PATIENCE_SECONDS, tellOfWait = tell }: QueueOpening = {},
): Promise<Queue<QueuedUnit>> {
  const where = withoutPassword(requireRedis(url));
  const end = performance.now() + 1000 * patienceSeconds;
  let isTold = false;
  const tellOfFault = (fault: string): void => {
    const most = Number.isFinite(patienceSeconds) ? ` at most ${patienceSeconds} s` : '';
    if (!isTold) tellOfWait(`no Redis answers at ${where} (${fault}); waiting for it${most}`);
    isTold = true;
  };
  for (;;) {
    const left = end - performance.now();
    const opened = await askedOnce(url, queue, Math.max(0, Math.min(ANSWER_MS, left)), tellOfFault);
    if (!('fault' in opened)) {
      if (isTold) tellOfWait('Redis is there');
      for (const advice of adviceOn(opened.info)) tell(advice);
      return opened.queue;
    }
    const { fault } = opened;
    if (isLasting(fault) || performance.now() >= end) {
      throw new SwardError(`${where}: no Redis can be used there (${fault}); ${remedyOf(fault)}`);
    }
    tellOfFault(fault);
    await pause(Math.max(0, Math.min(ASKED_EVERY_MS, end - performance.now())));
  }
}

/** A queue that answers, with what its Redis says of itself; or what is wrong. */
type Asked = { readonly queue: Queue<QueuedUnit>; readonly info: string } | { readonly fault: string };

/** @param onFault hears of what waiting may help against, at once */
async function askedOnce(
  url: string,
  name: QueueName,
  milliseconds: number,
  onFault: (fault: string) => void,
): Promise<Asked> {
  const queue = new Queue<QueuedUnit>(nameOf(name), { connection: connectionTo(url) });
  let fault = 'what is there does not answer';
  const giveUp = new AbortController();
  queue.on('error', (error) => {
    fault = messageOf(error) || fault;
    if (isLasting(fault)) giveUp.abort();
    else if (!giveUp.signal.aborted) onFault(fault);
  });
  const late = pause(milliseconds, null, { signal: giveUp.signal }).catch(() => null);
  try {
    const info = await Promise.race([
      queue.waitUntilReady().then(async () => (await queue.backend.client).info()),
      late,
    ]);
    // A connection whose database is refused tells so, and goes on with the first one.
    if (info !== null && !isLasting(fault)) return { queue, info };
  } catch (error) {
    fault = messageOf(error) || fault;
  } finally {
    giveUp.abort();
  }
  await closeSoon(queue);
  return { fault };
}

/** Whether waiting helps against none of what is wrong. */
const isLasting = (fault: string): boolean => LASTING.some(([sign]) => sign.test(fault));

const OTHER_PROTOCOL = 'rediss:// is for a Redis that speaks TLS, redis:// for one that does not';

/** What a connection fails of for good, and what helps. */
const LASTING: readonly (readonly [RegExp, string])[] = [
  [/NOAUTH|WRONGPASS/, 'give its password: redis://:PASSWORD@host:port'],
  [/NOPERM/, 'give a user that may do everything there: redis://USER:PASSWORD@host:port'],
  [/ENOTFOUND|EAI_AGAIN/, 'check the name of the host'],
  [
    /DB index/,
    'it has no database of that number: give 0 to 15, unless its setting `databases` says otherwise, or none',
  ],
  [/Invalid URL/, 'give redis://host:port, or redis://:PASSWORD@host:port with %-codes for signs as @ and /'],
  [/SSL|wrong version number|EPROTO/, OTHER_PROTOCOL],
  [/Protocol error/, `what answers there is no Redis: check host and port; ${OTHER_PROTOCOL}`],
];

const remedyOf = (fault: string): string =>
  [...LASTING, [/ECONNRESET|does not answer/, OTHER_PROTOCOL] as const].find(([sign]) =>
    sign.test(fault),
  )?.[1] ?? 'start one: redis-server --appendonly yes --maxmemory-policy noeviction';

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
    ...(policy !== undefined && policy !== 'noeviction'
      ? [
          `warning: Redis may drop queued work ${facts.get('maxmemory') === '0' ? 'once it is given a maxmemory' : 'when its memory is full'} (${policy}); ` +
            'set maxmemory-policy noeviction',
        ]
      : []),
  ];
}
