import { UsageError } from '../../ground/errors.ts';

/** What machines are for, and so where work waits for them. */
export const QUEUES = ['cpu', 'gpu'] as const;
export type QueueName = (typeof QUEUES)[number];

/** @throws UsageError for what is no address of a Redis */
export function requireRedis(url: string): string {
  if (!/^rediss?:\/\/[^/]/.test(url)) throw new UsageError(`--on ${url}: give redis://host:port, or local`);
  const path = pathOf(url);
  if (/^(\/\d*)?$/.test(path)) return url;
  throw new UsageError(`--on …${path}: give redis://host:port, or with the number of its database …:port/3`);
}

/** The number of the database of a Redis that an address names; without one the first. */
export const databaseOf = (url: string): number => Number(pathOf(url).slice(1));

const pathOf = (url: string): string => /^rediss?:\/\/[^/]+?(\/[^?#]*)?(?:[?#].*)?$/.exec(url)?.[1] ?? '';
