import { z } from 'zod';
import { HEIGHT_METHODS, HEIGHT_UNITS, TALLEST_SWARD } from '../pasture/covariates.ts';

/** Height of the sward in a frame, and what it was measured with. */
export const SwardHeight = z.strictObject({
  centimetres: z.number().min(0).max(TALLEST_SWARD),
  method: z
    .enum(HEIGHT_METHODS)
    .describe(
      'falling-plate and rising-plate press the sward down, ruler does not: never compared unconverted',
    ),
});
export type SwardHeight = z.output<typeof SwardHeight>;

/** What a rising plate meter counts as height: clicks of half a centimetre. */
export function heightOfClicks(clicks: number): SwardHeight {
  return { centimetres: clicks * HEIGHT_UNITS.clicks, method: 'rising-plate' };
}
