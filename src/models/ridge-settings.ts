import { z } from 'zod';
import { KERNELS } from './kernels.ts';

const positive = z.number().positive();

/** A list of at least one item; a single item may be written without brackets. */
function listOf<Item extends z.ZodType>(item: Item) {
  return z.preprocess((value) => (Array.isArray(value) ? value : [value]), z.array(item).min(1));
}

/** Settings that both ridges share. */
const shared = {
  /** Penalties λ tried in inner validation, in units of the mean squared standardised feature. */
  penalties: listOf(positive),
  /** How far large sessions are weighed down: 0 not at all, 1 all sessions alike. */
  sessionWeight: z.number().min(0).max(1),
  /** Standardised features are clipped to ± this many deviations. */
  clip: positive,
  innerFolds: z.int().min(2),
  innerRepeats: z.int().min(1),
};

/** Linear ridge regression. */
export const ridgeSettings = z.strictObject({ kind: z.literal('ridge'), ...shared });

/** Kernel ridge regression: every kernel is tried with every γ and every λ. */
export const kernelRidgeSettings = z.strictObject({
  kind: z.literal('kernel-ridge'),
  kernels: listOf(z.enum(KERNELS)),
  /** Inverse squared width γ, in units of the mean squared difference of a standardised feature. */
  gammas: listOf(positive),
  ...shared,
});

export type RidgeSettings = z.output<typeof ridgeSettings>;
export type KernelRidgeSettings = z.output<typeof kernelRidgeSettings>;
