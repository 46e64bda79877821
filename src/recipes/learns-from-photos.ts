import type { NetworkSettings } from '../networks/network/settings.ts';
import { changesPictures } from '../vision/augment/index.ts';
import type { Recipe } from './recipe.ts';

/**
 * Whether training has to see photos: the backbone is trained too, or photos are augmented. Otherwise features of
 * the frozen backbone, made once, are all it needs.
 */
export function learnsFromPhotos({ estimator }: Pick<Recipe, 'estimator'>): boolean {
  if (estimator.kind === 'stack') return estimator.members.some(learnsFromPhotos);
  return estimator.kind === 'network' && (estimator.fineTune.mode !== 'none' || augments(estimator));
}

/** Whether models have backbones of their own, so that predicting has to see photos too. */
export function predictsFromPhotos({ estimator }: Pick<Recipe, 'estimator'>): boolean {
  return estimator.kind === 'network' && estimator.fineTune.mode !== 'none';
}

/** Whether such training also needs features of the untouched backbone. */
export function needsFrozenFeatures({ estimator }: Pick<Recipe, 'estimator'>): boolean {
  if (estimator.kind !== 'network') return false;
  const { fineTune, standardise } = estimator;
  return standardise || fineTune.headEpochs > 0 || fineTune.mode === 'none';
}

function augments({ augmentation }: NetworkSettings): boolean {
  return changesPictures(augmentation) || augmentation.batch.probability > 0;
}
