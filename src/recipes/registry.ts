import { kernelRidge } from '../estimators/kernel/kernel-ridge.ts';
import { ridge } from '../estimators/kernel/ridge.ts';
import { viewAverage } from '../estimators/kernel/view-average.ts';
import { reduced } from '../estimators/reduction/reduced.ts';
import { stack } from '../estimators/stack/stack.ts';
import { transformed } from '../estimators/target-transform/transformed.ts';
import { leafwiseBoost } from '../estimators/trees/leafwise-boost.ts';
import { obliviousBoost } from '../estimators/trees/oblivious-boost.ts';
import type { Matrix } from '../ground/matrix.ts';
import type { Estimator } from '../learning/estimator.ts';
import { network } from '../networks/network/network.ts';
import type { EstimatorSettings, Recipe } from './recipe.ts';

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
