import { describe, expect, it } from 'vitest';
import { UsageError } from '../../src/ground/errors.ts';
import { trainsOnPhotos } from '../../src/recipes/recipe.ts';
import { recipeEstimator } from '../../src/recipes/registry.ts';
import { resolveRecipe } from '../support/written-settings.ts';

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
  ] as const)('%s with %j trains on photos and predicts from them: %j', async (name, changes, expected) => {
    const recipe = await resolveRecipe(name, [BACKBONE, ...changes]);
    const { predictsFrom } = recipeEstimator(recipe);
    expect([trainsOnPhotos(recipe), predictsFrom === 'photos']).toEqual(expected);
    // Holding States out means training hours more, unless it is asked for.
    expect(recipe.evaluation.leaveOneStateOut).toBe(!trainsOnPhotos(recipe));
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
    expect(trainsOnPhotos(recipe)).toBe(true);
    expect(() => recipeEstimator(recipe)).toThrow(UsageError);
    expect(() => recipeEstimator(recipe)).toThrow(message);
  });
});
