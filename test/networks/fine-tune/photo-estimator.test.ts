import { describe, expect, it } from 'vitest';
import { UsageError } from '../../../src/ground/errors.ts';
import {
  learnsFromPhotos,
  needsFrozenFeatures,
  predictsFromPhotos,
} from '../../../src/recipes/learns-from-photos.ts';
import { photoEstimator } from '../../../src/recipes/photo-estimator.ts';
import { resolveRecipe } from '../../../src/recipes/recipe.ts';

const BACKBONE = 'backbone=vit_small_patch14_dinov2.lvd142m';

describe('a recipe', () => {
  it.each([
    ['film-dual', [], [false, false]],
    ['film-dual', ['estimator.augmentation=light'], [true, false]],
    ['film-dual', ['estimator.augmentation.batch.probability=0.5'], [true, false]],
    ['film-dual', ['estimator.fineTune.mode=last'], [true, true]],
    ['seed2', [], [true, true]],
    ['seed2', ['estimator.fineTune.mode=none'], [true, false]],
    ['seed2', ['estimator.fineTune.mode=none', 'estimator.augmentation=none'], [false, false]],
    ['kinosuke', [], [true, true]],
    ['feature-ridge', [], [false, false]],
  ] as const)('%s with %j learns and predicts from photos: %j', async (name, changes, expected) => {
    const recipe = await resolveRecipe(name, [BACKBONE, ...changes]);
    expect([learnsFromPhotos(recipe), predictsFromPhotos(recipe)]).toEqual(expected);
    // Holding States out means training hours more, unless it is asked for.
    expect(recipe.evaluation.leaveOneStateOut).toBe(!learnsFromPhotos(recipe));
  });

  it('needs features of the frozen backbone too where heads begin with them or are scaled by them', async () => {
    const needs = async (name: string, ...changes: string[]): Promise<boolean> =>
      needsFrozenFeatures(await resolveRecipe(name, [BACKBONE, ...changes]));
    expect(await needs('seed2')).toBe(false);
    expect(await needs('seed2', 'estimator.fineTune.headEpochs=2')).toBe(true);
    expect(await needs('seed1-two-stage')).toBe(true);
    expect(await needs('kinosuke')).toBe(true);
  });

  it('holds States out when that is asked for', async () => {
    const recipe = await resolveRecipe('seed2', [BACKBONE, 'evaluation.leaveOneStateOut=true']);
    expect(recipe.evaluation.leaveOneStateOut).toBe(true);
  });

  it.each([
    ['seed2', [], /give a data folder and --set backbone=NAME, or --set estimator\.fineTune\.mode=none/],
    ['seed2', [BACKBONE, 'transform.kind=sqrt'], /reduction and transform need features/],
    [
      'feature-stack',
      [
        BACKBONE,
        'estimator.members=[{"estimator":{"kind":"network","architecture":{"kind":"mlp"},"augmentation":"light"}},{"estimator":{"kind":"ridge"}}]',
      ],
      /members of a stack learn from features/,
    ],
  ])('%s with %j cannot learn from photos', async (name, changes, message) => {
    const recipe = await resolveRecipe(name, changes);
    expect(learnsFromPhotos(recipe)).toBe(true);
    expect(() => photoEstimator(recipe)).toThrow(UsageError);
    expect(() => photoEstimator(recipe)).toThrow(message);
  });
});
