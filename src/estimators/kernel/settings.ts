import { z } from 'zod';
import { DESCRIPTOR_VIEWS, type DescriptorView } from '../../vision/descriptors/index.ts';
import { SCALINGS } from '../standardise.ts';
import { COVARIATE_GAMMA } from './covariate-kernel.ts';
import { KERNELS } from './kernels.ts';

const positive = z.number().positive();

/** A list of at least one item; a single item may be written without brackets. */
function listOf<Item extends z.ZodType>(item: Item) {
  return z.preprocess((value) => (Array.isArray(value) ? value : [value]), z.array(item).min(1));
}

export const sessionWeight = z
  .number()
  .min(0)
  .max(1)
  .describe('how far large sessions are weighed down: 0 not at all, 1 all sessions alike');

export const covariateWeight = positive
  .optional()
  .describe(
    'how much the kernel of covariates, where there are any, counts beside another; default 1, as much',
  );

/** How photos are weighed and features bounded. */
const shared = {
  sessionWeight,
  clip: positive.describe(
    'standardised features are clipped to ± this many deviations; not with scaling together',
  ),
  scaling: z
    .enum(SCALINGS)
    .optional()
    .describe('whether each column is brought to deviation 1, or all together keep their proportions'),
  covariateWeight,
};

const penalties = listOf(positive).describe(
  'penalties λ tried, in units of the mean squared standardised feature; every session is left out in turn',
);

/** Kernels, widths and penalties that are tried. */
export const kernelChoice = {
  kernels: listOf(z.enum(KERNELS)).describe('kernels tried, each with every γ and λ'),
  gammas: listOf(positive).describe('inverse widths γ tried, in units of a standardised feature'),
  covariateGamma: positive
    .optional()
    .describe(`inverse width γ of the kernel of covariates; default ${COVARIATE_GAMMA}`),
  penalties,
};

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
    .array(
      z.strictObject({
        view: z.enum(views).describe('view of the descriptors that the member sees'),
        weight: positive.describe('how much it counts in the mean'),
        ...kernelChoice,
      }),
    )
    .min(1)
    .refine(
      (members) => new Set(members.map(({ view }) => view)).size === members.length,
      'a view comes twice',
    )
    .describe('kernel regressions that are averaged, one a view of the descriptors'),
  ...shared,
});

export type RidgeSettings = z.output<typeof ridgeSettings>;
export type KernelRidgeSettings = z.output<typeof kernelRidgeSettings>;
export type ViewAverageSettings = z.output<typeof viewAverageSettings>;
