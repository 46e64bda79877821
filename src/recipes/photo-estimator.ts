import { UsageError } from '../ground/errors.ts';
import type { Estimator } from '../learning/estimator.ts';
import { fineTunedNetwork, requireSuited } from '../networks/fine-tune/fine-tune.ts';
import { openPhotoBackbone, photoShape } from '../networks/fine-tune/photo-backbone.ts';
import { columnsOf } from '../networks/network/shape.ts';
import type { PhotoSet } from '../samples/photo-set.ts';
import { featurePlan } from '../vision/features/index.ts';
import { resolveTrainedWeights } from '../vision/weights/index.ts';
import type { Recipe } from './recipe.ts';

export interface PhotoEstimatorOptions {
  /** SHA-256 of the weights a run was trained with, which must be the same now. */
  readonly trainedWith?: string;
}

/**
 * The estimator of a recipe that learns from photos.
 *
 * @throws UsageError when the recipe has parts that need features
 */
export function photoEstimator(recipe: Recipe, options: PhotoEstimatorOptions = {}): Estimator<PhotoSet> {
  const { settings, backbone, plan } = photoRecipe(recipe);
  let made: Promise<Estimator<PhotoSet>> | undefined;
  const opened = (): Promise<Estimator<PhotoSet>> => {
    made ??= resolveTrainedWeights(backbone, options.trainedWith).then((weights) =>
      fineTunedNetwork(settings, { weights, plan }),
    );
    return made;
  };
  return {
    fit: async (training, context) => (await opened()).fit(training, context),
    read: async (folder) => (await opened()).read(folder),
  };
}

/**
 * What such an estimator looks at photos with, as a run remembers it; whatever does not suit is found now.
 *
 * @throws as `photoEstimator`, and as resolving and opening weights does
 */
export async function photoEstimatorInputs(recipe: Recipe): Promise<{
  readonly name: string;
  readonly columns: number;
  readonly weights: { readonly source: string; readonly sha256: string };
}> {
  const { settings, backbone, plan } = photoRecipe(recipe);
  const { source, sha256, ...weights } = await resolveTrainedWeights(backbone, undefined);
  const net = await openPhotoBackbone({ ...weights, source, sha256 }, plan);
  requireSuited(net, settings);
  return { name: backbone, columns: columnsOf(photoShape(net)), weights: { source, sha256 } };
}

function photoRecipe({ name, input, estimator, reduction, transform }: Recipe) {
  if (estimator.kind !== 'network') {
    throw new UsageError(
      `recipe ${name}: members of a stack learn from features; leave fineTune.mode=none and no augmentation`,
    );
  }
  if (input.kind !== 'backbone') {
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
  const { kind: _, backbone, ...plan } = input;
  return { settings: estimator, backbone, plan: featurePlan(plan) };
}
