import { z } from 'zod';
import { Moment, Uuid } from './identity.ts';

/** One walk through one paddock: photos and cuts of a visit err together, those of two visits do not. */
export const Visit = z.strictObject({
  id: Uuid,
  paddockId: Uuid,
  startedAt: Moment,
  note: z.string().max(2000).default(''),
});
export type Visit = z.output<typeof Visit>;

/** Photos and cuts of one paddock within so long are of one visit. */
export const SAME_VISIT_MILLISECONDS = 12 * 3_600_000;
