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
        /** Weighted R² of the member alone on States held out; absent where the ensemble has no such score. */
        unseen_states: score.optional(),
      }),
    )
    .min(1),
  /** Correlation of the members' out-of-fold errors, metric-weighted. */
  correlation: z.array(z.array(z.number())),
  /** Members without predictions of States held out, for want of which the ensemble has no such score. */
  lacking_states: z.array(z.string()).default([]),
});

/** How an ensemble came about and what its parts are worth. */
export type EnsembleFacts = z.output<typeof ensembleFactsSchema>;

/** Why an ensemble has no score of States held out, in a few words. */
export function lackingStates(runs: EnsembleFacts['lacking_states']): string {
  const [verb, object] = runs.length === 1 ? ['holds', 'it'] : ['hold', 'them'];
  return (
    `${runs.join(', ')} ${verb} no such predictions; train ${object} again with ` +
    '--set evaluation.leaveOneStateOut=true --overwrite'
  );
}
