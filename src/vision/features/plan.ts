import { z } from 'zod';
import { UsageError } from '../../ground/errors.ts';
import { VIEW_PLANS } from '../preprocess/views.ts';

/**
 * How a set of tokens becomes one vector: the CLS token, the mean of the patch tokens, both, their generalised
 * mean (p = 3), or the backbone's own pooled output (attention pool, normed CLS, mean …).
 */
export const POOLINGS = ['cls', 'mean', 'cls-mean', 'gem', 'pooled'] as const;
export type Pooling = (typeof POOLINGS)[number];

export const PRECISIONS = ['fp32', 'int8', 'int4'] as const;
export type Precision = (typeof PRECISIONS)[number];

/** What is taken of each photo; `z.input` of it has all but nothing required. */
export const featurePlanSchema = z.strictObject({
  /** Whole photo, left ‖ right half, or 2 × 2 tiles a half, averaged, then left ‖ right. */
  view: z.enum(VIEW_PLANS).default('halves'),
  /** Side of a view in pixels; null: the size the weights were made for. */
  size: z.int().positive().nullable().default(null),
  /** 0-based blocks whose raw output is pooled, in this order; empty: the output of the last, normed. */
  blocks: z
    .preprocess((value) => (Array.isArray(value) ? value : [value]), z.array(z.int().nonnegative()))
    .default([]),
  pooling: z.enum(POOLINGS).default('pooled'),
  precision: z.enum(PRECISIONS).default('fp32'),
});

export type FeaturePlan = z.output<typeof featurePlanSchema>;

/**
 * A plan with its defaults.
 *
 * @throws UsageError listing what does not suit
 */
export function featurePlan(draft: z.input<typeof featurePlanSchema>): FeaturePlan {
  const parsed = featurePlanSchema.safeParse(draft);
  if (!parsed.success) {
    throw new UsageError(
      parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '),
    );
  }
  if (parsed.data.blocks.length > 0 && parsed.data.pooling === 'pooled') {
    throw new UsageError(
      'pooling "pooled" is of the last block; choose cls, mean, cls-mean or gem for blocks',
    );
  }
  return parsed.data;
}
