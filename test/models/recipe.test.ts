import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { RECIPE_NAMES, resolveRecipe } from '../../src/models/recipe.ts';
import { matrixEstimator } from '../../src/models/registry.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const folder = temporaryFolder('recipe');

describe('recipes', () => {
  it.each(RECIPE_NAMES)('%s resolves with every setting given', async (name) => {
    const recipe = await resolveRecipe(name, []);
    expect(recipe.name).toBe(name);
    expect(matrixEstimator(recipe.estimator)).toMatchObject({
      fit: expect.any(Function),
      read: expect.any(Function),
    });
  });

  it('takes changes as JSON, as comma lists and as single values', async () => {
    const { estimator } = await resolveRecipe('feature-ridge', [
      'estimator.clip=3',
      'estimator.gammas=0.1,0.3',
      'estimator.penalties=0.5',
      'estimator.kernels=["laplacian"]',
    ]);
    expect(estimator).toMatchObject({
      clip: 3,
      gammas: [0.1, 0.3],
      penalties: [0.5],
      kernels: ['laplacian'],
    });
  });

  it('changes the kind of estimator, whatever the order of the changes', async () => {
    const { estimator } = await resolveRecipe('feature-ridge', [
      'estimator.penalties=2',
      'estimator.kind=ridge',
    ]);
    expect(estimator).toMatchObject({ kind: 'ridge', penalties: [2] });
  });

  it.each([
    ['nothing-of-the-kind', [], /no recipe is called nothing-of-the-kind; use descriptor-ridge/],
    ['feature-ridge', ['estimator.clap=3'], /estimator: .*clap/],
    ['feature-ridge', ['estimator.clip=-1'], /estimator.clip/],
    ['feature-ridge', ['estimator.kernels=cubic'], /estimator.kernels/],
    ['descriptor-ridge', ['estimator.members=[]'], /estimator.members/],
    ['feature-ridge', ['estimator.clip'], /write it as a.b=value/],
    ['feature-ridge', ['__proto__.clip=1'], /write it as a.b=value/],
    ['feature-ridge', ['constructor.clip=1'], /write it as a.b=value/],
    ['feature-ridge', ['name.x=1'], /name has no settings/],
  ])('refuses %s with %j', async (name, changes, message) => {
    await expect(resolveRecipe(name, changes)).rejects.toThrow(message);
  });

  it('reads a recipe file and says what is wrong with one', async () => {
    const path = join(folder, 'mine.json');
    writeFileSync(
      path,
      JSON.stringify({ name: 'mine', input: { kind: 'features' }, estimator: { kind: 'ridge' } }),
    );
    expect(await resolveRecipe(path, [])).toMatchObject({ name: 'mine', estimator: { kind: 'ridge' } });
    writeFileSync(path, '{');
    await expect(resolveRecipe(path, [])).rejects.toThrow(/mine.json: cannot be read as a recipe/);
    writeFileSync(path, '[]');
    await expect(resolveRecipe(path, [])).rejects.toThrow(/mine.json: is not a JSON object/);
  });
});
