import { UsageError } from '../../ground/errors.ts';

/** What machines are for, and so where work waits for them. */
export const QUEUES = ['cpu', 'gpu'] as const;
export type QueueName = (typeof QUEUES)[number];

/** @throws UsageError for what is no address of a Redis */
export function requireRedis(url: string): string {
  if (/^rediss?:\/\/[^/]/.test(url)) return url;
  throw new UsageError(`--on ${url}: give redis://host:port, or local`);
}
