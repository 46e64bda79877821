import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { RECIPE_NAMES } from '../../src/recipes/known-recipes.ts';
import { parseStoredRecipe } from '../../src/recipes/recipe.ts';
import { rowEstimatorOf } from '../../src/recipes/registry.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { resolveRecipe } from '../support/written-settings.ts';

const folder = temporaryFolder('recipe');

describe('recipes', () => {
  it.each(RECIPE_NAMES)('%s resolves with every setting given', async (name) => {
    const recipe = await resolveRecipe(name, []);
    expect(recipe.name).toBe(name);
    expect(rowEstimatorOf(recipe.estimator)).toMatchObject({
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
    ['nothing-of-the-kind', [], /no recipe is called nothing-of-the-kind; use photo-ridge/],
    ['feature-ridge', ['estimator.clap=3'], /estimator\.clap is no setting; did you mean estimator\.clip\?/],
    ['feature-ridge', ['estimator.clip=-1'], /estimator.clip/],
    ['feature-ridge', ['estimator.kernels=cubic'], /estimator.kernels/],
    ['descriptor-ridge', ['estimator.members=[]'], /estimator.members/],
    ['feature-ridge', ['estimator.clip'], /write it as a.b=value/],
    ['feature-ridge', ['__proto__.clip=1'], /write it as a.b=value/],
    ['feature-ridge', ['constructor.clip=1'], /write it as a.b=value/],
    ['feature-ridge', ['name.x=1'], /name has no settings/],
    [
      'feature-ridge',
      ['backbone=net', 'input.windows.across=3'],
      /input\.windows: view halves has none; choose view windows/,
    ],
    [
      'feature-ridge',
      ['backbone=net', 'input.view=windows', 'input.windows.side=0.3'],
      /input\.windows: side × across and side × down must be 1 or more/,
    ],
    [
      'density',
      ['backbone=net', 'input.view=windows', 'input.pooling=mean', 'input.combine=keep'],
      /density sums the masses of parts, but windows overlap/,
    ],
    [
      'film-dual',
      ['backbone=net', 'input.view=windows', 'input.pooling=patches'],
      /choose view whole or halves/,
    ],
  ])('refuses %s with %j', async (name, changes, message) => {
    await expect(resolveRecipe(name, changes)).rejects.toThrow(message);
  });

  it('takes photos by the plan of the recipe when a backbone is named, and changes of it', async () => {
    const { input, estimator } = await resolveRecipe('tiled-dual', ['input.size=28', 'backbone=net']);
    expect(input).toMatchObject({
      kind: 'backbone',
      backbone: 'net',
      view: 'tiles',
      blocks: ['17/23', '23/23'],
      pooling: 'cls-mean',
      size: 28,
    });
    expect(estimator).toMatchObject({ layout: { halves: 2, parts: 1, extra: 0 } });
    const kept = await resolveRecipe('tiled-dual', ['backbone=net', 'input.combine=keep']);
    expect(kept.estimator).toMatchObject({ layout: { halves: 2, parts: 4 } });
    const density = await resolveRecipe('density', ['backbone=net', 'input.grid=5']);
    expect(density.estimator).toMatchObject({ layout: { halves: 2, parts: 25 } });
    const own = await resolveRecipe('density', ['backbone=net', 'estimator.layout.parts=7']);
    expect(own.estimator).toMatchObject({ layout: { halves: 2, parts: 7 } });
  });

  it('takes windows as parts of a photo that is not halved, and keeps their settings', async () => {
    const changes = ['backbone=net', 'input.windows.down=3', 'input.windows.side=1/2', 'input.view=windows'];
    const averaged = await resolveRecipe('film-dual', changes);
    expect(averaged.input).toMatchObject({ view: 'windows', windows: { side: 0.5, across: 5, down: 3 } });
    expect(averaged.estimator).toMatchObject({ layout: { halves: 1, parts: 1 } });
    const kept = await resolveRecipe('tiled-dual', [...changes, 'input.combine=keep']);
    expect(kept.estimator).toMatchObject({ layout: { halves: 1, parts: 15 } });
    const several = await resolveRecipe('feature-ridge', ['backbone=net,descriptors']);
    const given = { ...several, input: { kind: 'several', sets: [averaged.input, { kind: 'descriptors' }] } };
    for (const recipe of [averaged, kept, given]) {
      expect(JSON.stringify(parseStoredRecipe('run.json', JSON.parse(JSON.stringify(recipe))))).toBe(
        JSON.stringify(recipe),
      );
    }
  });

  it('of views that have no windows is stored without settings of them, as before there were any', async () => {
    const { input } = await resolveRecipe('tiled-dual', ['backbone=net']);
    expect(JSON.stringify(input)).toBe(
      JSON.stringify({
        view: 'tiles',
        combine: 'mean',
        size: null,
        blocks: ['17/23', '23/23'],
        pooling: 'cls-mean',
        grid: 8,
        precision: 'fp32',
        kind: 'backbone',
        backbone: 'net',
      }),
    );
  });

  it('puts the features of a second backbone beside those of the first, whatever the order', async () => {
    const { input, estimator } = await resolveRecipe('film-dual', ['extra=siglip', 'backbone=net']);
    expect(input).toMatchObject({
      kind: 'several',
      sets: [
        { backbone: 'net', size: '~512' },
        { backbone: 'siglip', view: 'halves' },
      ],
    });
    expect(estimator).toMatchObject({ layout: { halves: 2 } });
  });

  it('starts from the defaults of a new architecture', async () => {
    const changes = ['estimator.architecture.hidden=8', 'estimator.architecture.kind=film-dual'];
    const { estimator } = await resolveRecipe('tiled-dual', changes);
    expect(estimator).toMatchObject({ architecture: { kind: 'film-dual', hidden: 8, dropout: 0.1 } });
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
