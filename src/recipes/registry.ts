import { withCovariates } from '../estimators/covariates/with-covariates.ts';
import { tellSetsApart } from '../estimators/member-columns.ts';
import { partlyMeasured } from '../estimators/partly-measured/partly-measured.ts';
import { reduced } from '../estimators/reduction/reduced.ts';
import { stack } from '../estimators/stack/stack.ts';
import { transformed } from '../estimators/target-transform/transformed.ts';
import { UsageError } from '../ground/errors.ts';
import type { Estimator } from '../learning/estimator.ts';
import { photoNetwork } from '../networks/photo-network.ts';
import { trainedWeights, type UsedWeights } from '../samples/photo-reader.ts';
import { featurePlan } from '../vision/features/index.ts';
import { learnerOf } from './learners.ts';
import { trainsOnPhotos } from './recipe.ts';
import type { EstimatorSettings, Recipe } from './recipe-schema.ts';

/** The estimator that is trained on rows of features, by its settings. */
export function rowEstimatorOf(settings: EstimatorSettings): Estimator {
  return settings.kind === 'stack' ? stack(settings, behindTransforms, namesSets) : learnerOf(settings);
}

/** Whether a member of a stack reads feature sets by name. */
const namesSets = ({ estimator }: Pick<Recipe, 'estimator'>): boolean =>
  estimator.kind === 'kernel-average' && tellSetsApart(estimator.members);

/** The estimator of a recipe or of a member of a stack, behind its reduction and target transform. */
function behindTransforms({
  estimator,
  reduction,
  transform,
}: Pick<Recipe, 'estimator' | 'reduction' | 'transform'>): Estimator {
  return transformed(transform, reduced(reduction, rowEstimatorOf(estimator)));
}

export interface RecipeEstimatorOptions {
  /** The weights a run was trained with, which must be the same now. */
  readonly trainedWith?: UsedWeights | null | undefined;
}

/**
 * The estimator of a recipe, which learns from photos of which some masses were not measured too, and reads its
 * covariates where they are known.
 *
 * @throws UsageError when the recipe trains on photos and has parts that need features
 */
export function recipeEstimator(recipe: Recipe, options: RecipeEstimatorOptions = {}): Estimator {
  return withCovariates(recipe.covariates ?? [], partlyMeasured(ofCompleteMasses(recipe, options)));
}

function ofCompleteMasses(recipe: Recipe, { trainedWith }: RecipeEstimatorOptions): Estimator {
  if (!trainsOnPhotos(recipe)) return behindTransforms(recipe);
  const { name, input, estimator, reduction, transform } = recipe;
  if (estimator.kind !== 'network') {
    throw new UsageError(
      `recipe ${name}: members of a stack learn from features; leave fineTune.mode=none and no augmentation`,
    );
  }
  const [first, ...further] = input.kind === 'several' ? input.sets : [input];
  if (first?.kind !== 'backbone') {
    throw new UsageError(
      `recipe ${name} learns from photos with one backbone; give a data folder and --set backbone=NAME, or ` +
        '--set estimator.fineTune.mode=none --set estimator.augmentation=none',
    );
  }
  if (reduction.kind !== 'none' || transform.kind !== 'none') {
    throw new UsageError(
      `recipe ${name}: reduction and transform need features; leave them none to learn from photos`,
    );
  }
  const { kind: _, backbone, ...plan } = first;
  return photoNetwork(estimator, {
    weights: () => trainedWeights(backbone, trainedWith),
    plan: featurePlan(plan),
    hasFurther: further.length > 0,
  });
}
