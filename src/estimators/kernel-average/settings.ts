import { z } from 'zod';
import { covariateWeight, kernelChoice, sessionWeight } from '../kernel/settings.ts';
import { memberInput } from '../member-columns.ts';

const power = z
  .number()
  .positive()
  .max(1)
  .describe('of scale root: the power of masses that is regressed; 0.5: square roots');
const outputs = z
  .enum(['components', 'masses'])
  .describe(
    'what is regressed of a photo: green, dead and clover, or all five masses, which are then made to agree at least ' +
      'cost to the metric',
  );

/** What most of a model can be stored in. */
const STORED_PRECISIONS = ['float32', 'float16'] as const;

export type StoredPrecision = (typeof STORED_PRECISIONS)[number];

/** One kernel regression on the mean of several kernels, one a set of columns. */
export const kernelAverageSettings = z.strictObject({
  kind: z.literal('kernel-average'),
  members: z
    .array(
      z.strictObject({
        input: memberInput,
        weight: z.number().positive().max(1e6).default(1).describe('how much its kernel counts in the mean'),
        components: z
          .int()
          .min(1)
          .default(40)
          .describe('principal components it is reduced to inside the fold, at most'),
        whitening: z
          .number()
          .min(0)
          .max(1)
          .default(0.5)
          .describe(
            'how far components are brought to one variance: 0 they keep theirs, 1 all alike, 0.5 their deviations ' +
              'are square-rooted',
          ),
      }),
    )
    .min(1)
    .describe('sets of columns with a kernel each'),
  ...kernelChoice,
  scale: z
    .enum(['grams', 'root'])
    .default('root')
    .describe('what is regressed: grams of masses, or their roots'),
  power: power.default(0.5),
  outputs: outputs.default('components'),
  withCovariates: z
    .strictObject({ power: power.optional(), outputs: outputs.optional() })
    .default({})
    .describe('what is regressed otherwise of photos whose covariates are read'),
  biasCorrection: z
    .boolean()
    .default(true)
    .describe(
      'of scale root: whether squares are raised to what was measured on average of sessions left out',
    ),
  sessionWeight,
  covariateWeight,
  clip: z
    .number()
    .positive()
    .describe('standardised columns are clipped to ± this many deviations before they are projected'),
  stored: z
    .enum(STORED_PRECISIONS)
    .optional()
    .describe(
      'precision of projections and of components of the training photos, which are rounded to it before anything is ' +
        'fitted on them: float16 takes half the space; default float32',
    ),
});

export type KernelAverageSettings = z.output<typeof kernelAverageSettings>;
