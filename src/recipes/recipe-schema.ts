import { z } from 'zod';
import { reductionSettings } from '../estimators/reduction/reduction-settings.ts';
import { stackSettings } from '../estimators/stack/stack-settings.ts';
import { transformSettings } from '../estimators/target-transform/transform-settings.ts';
import { caseFolder, covariateName, MOST_COVARIATES } from '../pasture/covariates.ts';
import { inputSettings } from '../samples/input-settings.ts';
import { cropSchema } from '../vision/framing/crop.ts';
import { learnerSettings } from './learners.ts';

const COVARIATE_COUNT = `name 1 to ${MOST_COVARIATES} covariates, as height or height,ndvi`;

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
        .array(
          z
            .string()
            .overwrite(covariateName)
            .min(1)
            // What was read of a photo is written as a sum: height+ndvi.
            .refine(
              (name) => !name.includes('+'),
              'a name with + cannot be told from two covariates; call the column otherwise',
            ),
        )
        .min(1, COVARIATE_COUNT)
        .max(MOST_COVARIATES, COVARIATE_COUNT)
        .refine(
          (names) => new Set(names.map((name) => caseFolder([name]).toLowerCase())).size === names.length,
          'a covariate comes twice, or two differ in case, spaces or signs alone; rename a column',
        ),
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
