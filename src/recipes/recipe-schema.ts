import { z } from 'zod';
import { reductionSettings } from '../estimators/reduction/reduction-settings.ts';
import { stackSettings } from '../estimators/stack/stack-settings.ts';
import { transformSettings } from '../estimators/target-transform/transform-settings.ts';
import { MOST_COVARIATES } from '../pasture/covariates.ts';
import { inputSettings } from '../samples/input-settings.ts';
import { cropSchema } from '../vision/framing/crop.ts';
import { learnerSettings } from './learners.ts';

/** A recipe with a value for every setting; what each says stands with it. */
export const recipeSchema = z.strictObject({
  name: z.string().min(1).describe('what the recipe is called'),
  input: inputSettings,
  crop: cropSchema
    .optional()
    .describe(
      'what of photos counts: the inside of the frame that is found, or a part given as --crop takes it; default all',
    ),
  reduction: reductionSettings.default({ kind: 'none' }),
  transform: transformSettings.default({ kind: 'none' }),
  estimator: z
    .discriminatedUnion('kind', [...learnerSettings.options, stackSettings(learnerSettings)])
    .describe('what learns from features; another kind starts from its own defaults'),
  covariates: z
    .preprocess(
      (value) => (typeof value === 'string' ? [value] : value),
      z
        .array(z.string().min(1))
        .min(1)
        .max(MOST_COVARIATES)
        .refine((names) => new Set(names).size === names.length, 'a covariate comes twice'),
    )
    .optional()
    .describe(
      'what was measured beside the photo and is read too where it is known: height, ndvi, or a column of numbers',
    ),
  evaluation: z.strictObject({
    leaveOneStateOut: z.boolean().describe('whether a second evaluation holds out one State at a time'),
  }),
});

/** A recipe as resolved: every setting has its value. */
export type Recipe = z.output<typeof recipeSchema>;
export type EstimatorSettings = Recipe['estimator'];
