import type { Matrix } from '../data/features.ts';
import { leafwiseBoost } from './boost/leafwise-boost.ts';
import { obliviousBoost } from './boost/oblivious-boost.ts';
import type { Estimator } from './estimator.ts';
import { kernelRidge } from './kernel-ridge.ts';
import { network } from './network/network.ts';
import type { EstimatorSettings, Recipe } from './recipe.ts';
import { reduced } from './reduction/reduced.ts';
import { ridge } from './ridge.ts';
import { stack } from './stack/stack.ts';
import { transformed } from './target-transform/transformed.ts';
import { viewAverage } from './view-average.ts';

/** The estimator that learns from a feature matrix, by its settings. */
export function matrixEstimator(settings: EstimatorSettings): Estimator<Matrix> {
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
      return stack(settings, recipeEstimator);
  }
}

/** The estimator of a recipe or of a member of a stack, behind its reduction and target transform. */
export function recipeEstimator({
  estimator,
  reduction,
  transform,
}: Pick<Recipe, 'estimator' | 'reduction' | 'transform'>): Estimator<Matrix> {
  return transformed(transform, reduced(reduction, matrixEstimator(estimator)));
}
