import { z } from 'zod';

/** Standardised features are clipped to ± this many deviations before they are projected. */
const clip = z.number().positive().default(4);

/** What features are reduced to before the estimator sees them. */
export const reductionSettings = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('none') }),
  /** Principal components. */
  z.strictObject({
    kind: z.literal('pca'),
    /** How many (1 or more), or the share of variance they are to explain (below 1). */
    components: z
      .number()
      .positive()
      .refine((count) => count < 1 || Number.isInteger(count), 'a whole number, or a share below 1')
      .default(64),
    /** Whether every component is scaled to variance 1. */
    whiten: z.boolean().default(false),
    clip,
  }),
  /** Partial least squares: directions of largest covariance with the masses. */
  z.strictObject({
    kind: z.literal('pls'),
    components: z.int().min(1).default(8),
    clip,
  }),
]);

export type ReductionSettings = z.output<typeof reductionSettings>;
export type PcaSettings = Extract<ReductionSettings, { kind: 'pca' }>;
export type PlsSettings = Extract<ReductionSettings, { kind: 'pls' }>;
