import { z } from 'zod';

const clip = z
  .number()
  .positive()
  .default(4)
  .describe('standardised features are clipped to ± this many deviations before they are projected');

/** What features are reduced to before the estimator sees them. */
export const reductionSettings = z
  .discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('none') }),
    z.strictObject({
      kind: z.literal('pca'),
      components: z
        .number()
        .positive()
        .refine((count) => count < 1 || Number.isInteger(count), 'a whole number, or a share below 1')
        .default(64)
        .describe('how many, or below 1 the share of variance they are to explain'),
      whiten: z.boolean().default(false).describe('whether every component is scaled to variance 1'),
      clip,
    }),
    z.strictObject({
      kind: z.literal('pls'),
      components: z.int().min(1).default(8).describe('how many'),
      clip,
    }),
  ])
  .describe(
    'what features are reduced to inside every fold: principal components (pca), or directions of largest ' +
      'covariance with the masses (pls)',
  );

export type ReductionSettings = z.output<typeof reductionSettings>;
export type PcaSettings = Extract<ReductionSettings, { kind: 'pca' }>;
export type PlsSettings = Extract<ReductionSettings, { kind: 'pls' }>;
