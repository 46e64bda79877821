import { z } from 'zod';

/** How a sward's height is measured. Plates press it down and read lower than a ruler: they are never mixed. */
export const HEIGHT_METHODS = ['falling-plate', 'rising-plate', 'ruler'] as const;

/** Height of the sward in a frame, and what it was measured with. */
export const SwardHeight = z.strictObject({
  centimetres: z.number().min(0).max(500),
  method: z
    .enum(HEIGHT_METHODS)
    .describe(
      'falling-plate and rising-plate press the sward down, ruler does not: never compared unconverted',
    ),
});
export type SwardHeight = z.output<typeof SwardHeight>;

/** Of a rising plate meter's counter. */
const CENTIMETRES_A_CLICK = 0.5;

/** What a rising plate meter counts as height: clicks of half a centimetre. */
export function heightOfClicks(clicks: number): SwardHeight {
  return { centimetres: clicks * CENTIMETRES_A_CLICK, method: 'rising-plate' };
}
