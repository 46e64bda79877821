import type { Matrix } from '../data/features.ts';
import { leafwiseBoost } from './boost/leafwise-boost.ts';
import { obliviousBoost } from './boost/oblivious-boost.ts';
import type { Estimator } from './estimator.ts';
import { kernelRidge } from './kernel-ridge.ts';
import type { EstimatorSettings } from './recipe.ts';
import { ridge } from './ridge.ts';
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
  }
}
