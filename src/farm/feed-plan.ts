import { z } from 'zod';
import { ANIMALS } from './stock-units.ts';

/** What is to graze a paddock, as was last said of it, field by field; absent or null: nobody has said, and none is supposed. */
export const FeedPlan = z.strictObject({
  head: z.number().min(0).max(1_000_000).nullish().describe('animals that are to graze it'),
  animal: z.enum(ANIMALS).optional().describe('which animals'),
  leave: z
    .enum(['residual', 'utilisation'])
    .optional()
    .describe('which of the two says what they leave; default: residual'),
  residual: z.number().min(0).max(1_000_000).nullish().describe('kg DM/ha that are left standing'),
  utilisation: z.number().gt(0).max(1).nullish().describe('share that is eaten'),
  growth: z.number().min(-1000).max(1000).nullish().describe('kg DM/ha a day'),
  supplement: z.number().min(0).max(1_000_000_000).nullish().describe('kg DM a day for all, fed besides'),
});
export type FeedPlan = z.output<typeof FeedPlan>;
