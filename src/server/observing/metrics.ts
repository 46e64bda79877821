import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { InferencePool } from '../inference/pool.ts';
import type { Database } from '../storage/database.ts';

/** Figures of the server for Prometheus. */
export interface Metrics {
  /** A request that was answered. @param route its pattern, `/api/photos/{id}` */
  answered(method: string, route: string, status: number, seconds: number): void;
  /** All figures as text, and what kind of text. */
  text(): Promise<{ readonly body: string; readonly contentType: string }>;
  close(): void;
}

/** Figures of a pool, a database and requests. */
export function openMetrics(pool: InferencePool, db: Database): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const seconds = new Histogram({
    name: 'sward_request_seconds',
    help: 'time to answer a request',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.005, 0.02, 0.1, 0.5, 1, 2, 5, 10, 30, 60],
    registers: [registry],
  });
  const refused = new Counter({
    name: 'sward_refused_busy_total',
    help: 'requests answered 429',
    registers: [registry],
  });
  const delay = monitorEventLoopDelay({ resolution: 5 });
  delay.enable();
  const gauge = (name: string, help: string, value: () => number | Promise<number>): void => {
    new Gauge({
      name,
      help,
      registers: [registry],
      async collect() {
        this.set(await value());
      },
    });
  };
  gauge('sward_pool_busy', 'processes that infer now', () => pool.load.busy);
  gauge('sward_pool_waiting', 'requests that wait for a process', () => pool.load.waiting);
  gauge('sward_pool_restarts', 'processes that were ended at their limits or died', () => pool.load.restarts);
  gauge('sward_held_up_seconds', 'longest time that the one thread was held up since the last look', () => {
    const longest = delay.max / 1e9;
    delay.reset();
    return longest;
  });
  const count = async (table: 'photos' | 'estimates' | 'cuts'): Promise<number> => {
    const { rows } = await db
      .selectFrom(table)
      .select(({ fn }) => fn.countAll<number>().as('rows'))
      .executeTakeFirstOrThrow();
    return rows;
  };
  gauge('sward_photos', 'photos stored', () => count('photos'));
  gauge('sward_estimates', 'estimates stored', () => count('estimates'));
  gauge('sward_cuts', 'cuts stored', () => count('cuts'));
  return {
    answered(method, route, status, time) {
      seconds.observe({ method, route, status: String(status) }, time);
      if (status === 429) refused.inc();
    },
    text: async () => ({ body: await registry.metrics(), contentType: registry.contentType }),
    close: () => delay.disable(),
  };
}
