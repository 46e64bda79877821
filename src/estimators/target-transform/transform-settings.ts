import { z } from 'zod';

const correction = {
  /** Whether the mean over held-out residuals is taken back to grams (Duan's smearing) instead of the plain inverse. */
  biasCorrection: z.boolean().default(true),
  /** Folds of whole sessions that the residuals come from. */
  innerFolds: z.int().min(2).default(5),
};

/** What the estimator learns instead of grams of green, dead and clover. */
export const transformSettings = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('none') }),
  z.strictObject({ kind: z.literal('sqrt'), ...correction }),
  z.strictObject({ kind: z.literal('log1p'), ...correction }),
  /** The total in grams, and the shares of its parts. */
  z.strictObject({ kind: z.literal('composition') }),
]);

export type TransformSettings = z.output<typeof transformSettings>;
export type CurveSettings = Extract<TransformSettings, { kind: 'sqrt' | 'log1p' }>;
