import { describe, expect, it } from 'vitest';
import { randomStream } from '../../../src/ground/random.ts';
import type { FittedModel } from '../../../src/learning/estimator.ts';
import { recipeEstimator } from '../../../src/recipes/registry.ts';
import { fitRows } from '../../support/training-rows.ts';
import { resolveRecipe } from '../../support/written-settings.ts';
import { graphError, linearSward } from '../graph/graphs.ts';

const training = linearSward(36, 16);
const others = linearSward(9, 16, 2).inputs;

async function fitted(recipe: string, ...changes: string[]): Promise<FittedModel> {
  const estimator = recipeEstimator(await resolveRecipe(recipe, changes));
  return fitRows(estimator, training, { random: randomStream(5), record: () => {} });
}

describe('a graph predicts what the model predicts', () => {
  it.each([
    ['pca', ['reduction.kind=pca', 'reduction.components=5', 'estimator.scaling=together']],
    ['pls', ['reduction.kind=pls', 'reduction.components=3']],
    ['sqrt', ['transform.kind=sqrt']],
    ['log1p', ['transform.kind=log1p']],
    ['composition', ['transform.kind=composition']],
  ])('behind %s', async (_, changes) => {
    const model = await fitted('feature-ridge', 'estimator.kind=ridge', ...changes);
    expect(await graphError(model, others)).toBeLessThan(1e-5);
  });

  it.each(['mean', 'fitted'])('in a stack (%s)', async (combine) => {
    const model = await fitted('feature-stack', `estimator.combine=${combine}`);
    expect(await graphError(model, others)).toBeLessThan(1e-4);
  });
});
