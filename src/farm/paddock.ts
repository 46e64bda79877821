import { z } from 'zod';
import { Boundary } from './boundary.ts';
import { FeedPlan } from './feed-plan.ts';
import { Uuid } from './identity.ts';

/** A piece of land that is grazed as one. */
export const Paddock = z.strictObject({
  id: Uuid,
  name: z.string().trim().min(1).max(200),
  boundary: Boundary.nullable().describe('where it lies; null: not drawn'),
  hectares: z
    .number()
    .min(0.0001)
    .max(10_000_000)
    .nullable()
    .describe('as the owner says, which goes before the boundary’s; null: from the boundary'),
  ...FeedPlan.shape,
});
export type Paddock = z.output<typeof Paddock>;
