import { kernelRidge } from '../estimators/kernel/kernel-ridge.ts';
import { ridge } from '../estimators/kernel/ridge.ts';
import { viewAverage } from '../estimators/kernel/view-average.ts';
import { reduced } from '../estimators/reduction/reduced.ts';
import { stack } from '../estimators/stack/stack.ts';
import { transformed } from '../estimators/target-transform/transformed.ts';
import { leafwiseBoost } from '../estimators/trees/leafwise-boost.ts';
import { obliviousBoost } from '../estimators/trees/oblivious-boost.ts';
import { UsageError } from '../ground/errors.ts';
import type { Estimator } from '../learning/estimator.ts';
import { network } from '../networks/network.ts';
import { photoNetwork } from '../networks/photo-network.ts';
import { trainedWeights, type UsedWeights } from '../samples/photo-reader.ts';
import { featurePlan } from '../vision/features/index.ts';
import { type EstimatorSettings, type Recipe, trainsOnPhotos } from './recipe.ts';

/** The estimator that learns from rows of features, by its settings. */
export function rowEstimatorOf(settings: EstimatorSettings): Estimator {
  switch (settings.kind) {
    case 'ridge':
      return ridge(settings);
    case 'kernel-ridge':
      return kernelRidge(settings);
    case 'view-average':
      return viewAverage(settings);
    case 'leafwise-boost':
      return leafwiseBoost(settings);
    case 'oblivious-boost':
      return obliviousBoost(settings);
    case 'network':
      return network(settings);
    case 'stack':
      return stack(settings, behindTransforms);
  }
}

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
 * The estimator of a recipe.
 *
 * @throws UsageError when the recipe trains on photos and has parts that need features
 */
export function recipeEstimator(recipe: Recipe, { trainedWith }: RecipeEstimatorOptions = {}): Estimator {
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
