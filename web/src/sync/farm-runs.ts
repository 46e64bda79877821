import { z } from 'zod';
import { MASS_NAMES } from '../../../src/pasture/targets.ts';

/** A run that the farm may choose. */
export const Run = z.object({
  id: z.string(),
  name: z.string(),
  hash: z.string(),
  origin: z.string(),
  addedAt: z.string(),
  chosen: z.boolean(),
  report: z.boolean().default(false),
});
export type Run = z.output<typeof Run>;
export const Runs = z.object({ items: z.array(Run) });
/** Work that the server does. */
export const Job = z.object({
  id: z.string(),
  request: z.object({ kind: z.string(), name: z.string().optional(), runId: z.string().optional() }),
  state: z.enum(['queued', 'running', 'done', 'failed', 'cancelled']),
  progress: z.object({
    stage: z.string(),
    done: z.number(),
    of: z.number(),
    remark: z.string(),
    message: z.string().nullable(),
    runId: z.string().nullish(),
    score: z
      .object({
        r2: z.number().nullable(),
        rmse: z.number().nullable(),
        cuts: z.number(),
        visits: z.number(),
        days: z.number().optional(),
        sorted: z.number().optional(),
        learnt: z.array(z.enum(MASS_NAMES)).optional(),
      })
      .nullish(),
  }),
  createdAt: z.string(),
});
export type Job = z.output<typeof Job>;
export const Jobs = z.object({ items: z.array(Job) });
