import { z } from 'zod';
import { instantOf, Moment, Uuid } from './identity.ts';

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

/** A visit with a photo of it: it starts at its first, in whatever order they are placed. */
export function withPhotoAt(visit: Visit, capturedAt: string): Visit {
  const before = instantOf(visit.startedAt) - instantOf(capturedAt);
  return before > 0 && before < SAME_VISIT_MILLISECONDS ? { ...visit, startedAt: capturedAt } : visit;
}
