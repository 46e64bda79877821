import { z } from 'zod';
import { DESCRIPTOR_VIEWS, type DescriptorView } from '../../vision/descriptors/index.ts';
import { SCALINGS } from '../standardise.ts';
import { KERNELS } from './kernels.ts';

const positive = z.number().positive();

/** A list of at least one item; a single item may be written without brackets. */
function listOf<Item extends z.ZodType>(item: Item) {
  return z.preprocess((value) => (Array.isArray(value) ? value : [value]), z.array(item).min(1));
}

/** How photos are weighed and features bounded. */
const shared = {
  /** How far large sessions are weighed down: 0 not at all, 1 all sessions alike. */
  sessionWeight: z.number().min(0).max(1),
  /** Standardised features are clipped to ± this many deviations; those scaled together are not. */
  clip: positive,
  /** Whether each column is brought to deviation 1, or all together keep their proportions. */
  scaling: z.enum(SCALINGS).optional(),
};

/** Penalties λ tried, in units of the mean squared standardised feature. */
const penalties = listOf(positive);

/** Kernels tried, each with every γ (inverse width, in units of a standardised feature) and every λ. */
const kernelChoice = { kernels: listOf(z.enum(KERNELS)), gammas: listOf(positive), penalties };

/** Linear ridge regression. */
export const ridgeSettings = z.strictObject({ kind: z.literal('ridge'), penalties, ...shared });

/** Kernel ridge regression. */
export const kernelRidgeSettings = z.strictObject({
  kind: z.literal('kernel-ridge'),
  ...kernelChoice,
  ...shared,
});

const views = Object.keys(DESCRIPTOR_VIEWS) as [DescriptorView, ...DescriptorView[]];

/** The mean of one kernel regression a view of the descriptors. */
export const viewAverageSettings = z.strictObject({
  kind: z.literal('view-average'),
  members: z
    .array(z.strictObject({ view: z.enum(views), weight: positive, ...kernelChoice }))
    .min(1)
    .refine(
      (members) => new Set(members.map(({ view }) => view)).size === members.length,
      'a view comes twice',
    ),
  ...shared,
});

export type RidgeSettings = z.output<typeof ridgeSettings>;
export type KernelRidgeSettings = z.output<typeof kernelRidgeSettings>;
export type ViewAverageSettings = z.output<typeof viewAverageSettings>;
