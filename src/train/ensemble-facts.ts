import { z } from 'zod';

/** A score that JSON keeps as null when it is undefined (NaN). */
const score = z
  .number()
  .nullable()
  .transform((value) => value ?? Number.NaN);

/** What `scores.json` of an ensemble keeps beside the nested scores. */
export const ensembleFactsSchema = z.strictObject({
  /** What weights and post-processing were fitted without when a photo was scored; null: nothing was fitted. */
  nested_by: z.enum(['fold', 'session']).nullable(),
  /** Weighted R² of the final weights on the rows they were fitted to: optimistic. */
  in_sample: score,
  /** Nested weighted R² after the combination and after each step of post-processing. */
  stages: z.array(z.strictObject({ step: z.string(), weighted_r2: score })).min(1),
  members: z
    .array(
      z.strictObject({
        run: z.string(),
        recipe: z.string(),
        weighted_r2: score,
        /** Final weight for each target; null for stacking. */
        weights: z.array(z.number()).length(5).nullable(),
        /** Nested weighted R² of the ensemble without this member; null for the only one. */
        without: z.number().nullable(),
      }),
    )
    .min(1),
  /** Correlation of the members' out-of-fold errors, metric-weighted. */
  correlation: z.array(z.array(z.number())),
});

/** How an ensemble came about and what its parts are worth. */
export type EnsembleFacts = z.output<typeof ensembleFactsSchema>;
