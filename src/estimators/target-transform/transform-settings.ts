import { z } from 'zod';

const correction = {
  biasCorrection: z
    .boolean()
    .default(true)
    .describe('whether the mean over held-out residuals is taken back to grams (Duan’s smearing)'),
  innerFolds: z.int().min(2).default(5).describe('folds of whole sessions that the residuals come from'),
};

/** What the estimator learns instead of grams of green, dead and clover. */
export const transformSettings = z
  .discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('none') }),
    z.strictObject({ kind: z.literal('sqrt'), ...correction }),
    z.strictObject({ kind: z.literal('log1p'), ...correction }),
    z.strictObject({ kind: z.literal('composition') }),
  ])
  .describe(
    'what is learnt instead of grams: roots, logarithms, or the total and the shares of its parts (composition)',
  );

export type TransformSettings = z.output<typeof transformSettings>;
export type CurveSettings = Extract<TransformSettings, { kind: 'sqrt' | 'log1p' }>;
