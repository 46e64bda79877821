import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Setting, settingsOf } from '../../src/ground/setting-list.ts';
import { pretrainSettings } from '../../src/networks/settings/pretrain.ts';
import { RECIPE_NAMES } from '../../src/recipes/known-recipes.ts';
import { makeRecipe, parseStoredRecipe } from '../../src/recipes/recipe.ts';
import { recipeSchema } from '../../src/recipes/recipe-schema.ts';
import { listRecipes } from '../../src/workflows/recipes/list-recipes.ts';
import { describeRecipe } from '../../src/workflows/recipes/recipes.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { resolvePretrainSettings, resolveRecipe } from '../support/written-settings.ts';

const folder = temporaryFolder('settings');
const NETWORK = 'film-dual';
const MEMBERS = (member: object): string[] => [`estimator.members=${JSON.stringify([member])}`];
const RIDGE = { kind: 'ridge', penalties: [1] };

describe('every setting', () => {
  const all: Setting[] = [...settingsOf(recipeSchema), ...settingsOf(pretrainSettings)];

  it('says what it means and what it may be', () => {
    expect(all.length).toBeGreaterThan(400);
    expect(all.filter(({ meaning }) => meaning.trim() === '').map(({ path }) => path)).toEqual([]);
    expect(all.filter(({ values }) => values === '').map(({ path }) => path)).toEqual([]);
  });

  it.each(RECIPE_NAMES)('of %s is listed with a default where the recipe has a value', async (name) => {
    const { settings } = await describeRecipe(name);
    const listed = new Set(settings.map(({ setting }) => setting));
    const { estimator } = await makeRecipe(name);
    const own = Object.keys(estimator).map((key) => `estimator.${key}`);
    for (const path of own)
      expect(
        [...listed].some((known) => known.startsWith(path)),
        path,
      ).toBe(true);
    const scaling = settings.find(({ setting }) => setting === 'estimator.clip');
    if (scaling) expect(scaling.default).toBe(4);
  });

  it('is found by what it needs', async () => {
    const { settings } = await describeRecipe('feature-ridge');
    const of = (path: string) => settings.filter(({ setting }) => setting === path);
    expect(of('reduction.whiten')).toMatchObject([{ default: false, needs: 'reduction.kind=pca' }]);
    expect(of('estimator.penalties')).toMatchObject([
      { needs: null, values: /^a list, each a number above 0$/ },
    ]);
    expect(of('input.windows.side')).toMatchObject([{ default: 2 / 3, needs: 'backbone=NAME' }]);
    expect(listRecipes().map(({ name }) => name)).toEqual(RECIPE_NAMES);
  });
});

describe('a setting that is not there', () => {
  it.each([
    ['descriptor-ridge', 'penalties=3', /its members have: estimator\.members/],
    [
      'descriptor-ridge',
      'estimator.penalties=3',
      /view-average has no penalties; its members have: estimator\.members/,
    ],
    ['feature-ridge', 'penalties=3', /penalties is no setting; did you mean estimator\.penalties\?/],
    ['feature-ridge', 'estimator.penaltys=3', /did you mean estimator\.penalties\?/],
    [
      'feature-ridge',
      'estimator.epochs=3',
      /kernel-ridge has no epochs; network has it \(estimator\.kind=network\)/,
    ],
    ['feature-ridge', 'estimator.optimizer.rate=3', /kernel-ridge has no optimizer; network has it/],
    ['feature-ridge', 'backbon=x', /did you mean backbone\?/],
    [
      'feature-average',
      'estimator.members.0.covariates=false',
      /give the list whole, as .*estimator\.members=/,
    ],
    [NETWORK, 'estimator.rate=1', /did you mean estimator\.optimizer\.rate\?/],
    [NETWORK, 'estimator.architecture.tiles=mean', /film-dual has no tiles; tiled-dual has it/],
    [NETWORK, 'estimator.fineTune.lora.rang=4', /did you mean estimator\.fineTune\.lora\.rank\?/],
  ])('of %s, %s, is answered with what may have been meant', async (name, change, message) => {
    await expect(resolveRecipe(name, [change])).rejects.toThrow(message);
  });

  it.each([
    ['feature-ridge', 'estimator.kind=forest', /estimator\.kind: give one of ridge, kernel-ridge/],
    ['feature-ridge', 'estimator.scaling=rows', /estimator\.scaling: .*"columns"\|"together"/],
    ['feature-ridge', 'reduction.kind=svd', /reduction\.kind: give one of none, pca, pls/],
    [NETWORK, 'estimator.loss.weights=mine', /estimator\.loss\.weights: give one of metric, alike/],
  ])('a value that does not fit names those that do: %s %s', async (name, change, message) => {
    await expect(resolveRecipe(name, [change])).rejects.toThrow(message);
  });

  it('of pretraining is answered likewise', () => {
    expect(() => resolvePretrainSettings(['estimator.epoch=3'])).toThrow(/did you mean estimator\.epochs\?/);
  });
});

describe('a setting without effect', () => {
  const BACKBONE = 'backbone=net';
  it.each<[string, string[], RegExp]>([
    [NETWORK, ['estimator.checkpoint.patience=3'], /estimator\.checkpoint\.choice is last/],
    [NETWORK, ['estimator.checkpoint.by=loss'], /choice is last/],
    [NETWORK, ['estimator.checkpoint.innerFolds=3'], /set it to best-inner/],
    [NETWORK, ['estimator.fineTune.backboneRate=0.5'], /estimator\.fineTune\.mode is none/],
    [NETWORK, ['estimator.fineTune.unfreeze.schedule=gradual'], /mode is none/],
    [NETWORK, ['estimator.fineTune.provider=cuda'], /mode is none and photos are not augmented/],
    [NETWORK, [BACKBONE, 'estimator.fineTune.mode=full', 'estimator.fineTune.lora.rank=4'], /set it to lora/],
    [
      NETWORK,
      [BACKBONE, 'estimator.fineTune.mode=lora', 'estimator.fineTune.lastBlocks=4'],
      /set it to last/,
    ],
    [
      NETWORK,
      [BACKBONE, 'estimator.fineTune.mode=last', 'estimator.fineTune.unfreeze.every=4'],
      /is at-once/,
    ],
    [
      NETWORK,
      [BACKBONE, 'estimator.fineTune.mode=full', 'estimator.fineTune.headRate=0.1'],
      /headEpochs is 0/,
    ],
    [NETWORK, ['estimator.teacher.sees=ndvi'], /estimator\.teacher\.weight is 0/],
    [
      NETWORK,
      [
        BACKBONE,
        'estimator.fineTune.mode=full',
        'estimator.teacher.weight=0.5',
        'estimator.teacher.features=true',
      ],
      /photos are trained on/,
    ],
    [NETWORK, ['estimator.mixup.alpha=0.2'], /estimator\.mixup\.probability is 0/],
    [NETWORK, ['estimator.schedule.patience=3'], /estimator\.schedule\.kind is cosine; set it to plateau/],
    [NETWORK, ['estimator.schedule.kind=constant', 'estimator.schedule.warmUp=3'], /set it to cosine/],
    [NETWORK, ['estimator.optimizer.momentum=0.5'], /set it to sgd/],
    [NETWORK, ['estimator.loss.delta=3'], /estimator\.loss\.huber is 0/],
    [NETWORK, ['estimator.standardise=false', 'estimator.clip=3'], /estimator\.standardise is false/],
    [NETWORK, [BACKBONE, 'estimator.augmentation.dateStamp.height=0.05'], /dateStamp\.probability is 0/],
    [NETWORK, [BACKBONE, 'input.grid=4'], /input\.pooling keeps no map/],
    [NETWORK, [BACKBONE, 'input.combine=keep'], /input\.view is halves/],
    ['feature-ridge', ['estimator.kernels=linear', 'estimator.gammas=0.3'], /the linear kernel has no width/],
    ['feature-ridge', ['estimator.scaling=together', 'estimator.clip=3'], /estimator\.scaling is together/],
    [
      'feature-ridge',
      ['transform.kind=sqrt', 'transform.biasCorrection=false', 'transform.innerFolds=3'],
      /one of the two/,
    ],
    ['feature-boost', ['estimator.alpha=0.5'], /estimator\.objective is regression/],
    ['feature-average', ['estimator.penalty=0.3'], /combine is stretched, which fits no weights/],
    ['feature-boost', ['estimator.innerFolds=3'], /estimator\.earlyStoppingRound is 0/],
    ['feature-boost', ['estimator.catSmooth=3'], /estimator\.categorical names no column/],
    [
      'feature-boost',
      ['estimator.kind=oblivious-boost', 'estimator.permutationCount=2'],
      /boostingType is Plain/,
    ],
    ['feature-stack', ['estimator.combine=mean', 'estimator.penalty=0.3'], /estimator\.combine is mean/],
    [
      'feature-stack',
      MEMBERS({ weight: 2, estimator: RIDGE }),
      /estimator\.members\.0\.weight .* combine is fitted/,
    ],
    [
      'feature-stack',
      MEMBERS({ estimator: { ...RIDGE, scaling: 'together', clip: 3 } }),
      /estimator\.members\.0\.estimator\.clip has no effect: estimator\.members\.0\.estimator\.scaling is together/,
    ],
  ])('of %s with %j is refused with the remedy', async (name, changes, message) => {
    await expect(resolveRecipe(name, changes)).rejects.toThrow(message);
    await expect(resolveRecipe(name, changes)).rejects.toThrow(/has no effect/);
  });

  it('counts where a file or an object writes it, not where a recipe has it or it is switched off', async () => {
    await expect(makeRecipe(NETWORK, { estimator: { mixup: { alpha: 0.3 } } })).rejects.toThrow(
      /mixup\.alpha/,
    );
    const path = join(folder, 'mine.json');
    const input = { kind: 'features' };
    const written = { name: 'mine', input, estimator: { ...RIDGE, scaling: 'together', clip: 3 } };
    writeFileSync(path, JSON.stringify(written));
    await expect(makeRecipe(path)).rejects.toThrow(/estimator\.clip has no effect/);
    const off = ['estimator.checkpoint.patience=null', 'estimator.fineTune.headEpochs=0'];
    expect(await resolveRecipe(NETWORK, off)).toMatchObject({ name: NETWORK });
    // What a recipe had for training its backbone stays where it is trained no more.
    const kept = ['estimator.fineTune.mode=none', 'estimator.augmentation=none'];
    expect(await resolveRecipe('kinosuke', kept)).toMatchObject({ name: 'kinosuke' });
  });

  it.each(RECIPE_NAMES)('is none of those that %s has, and none of a stored recipe', async (name) => {
    const recipe = await makeRecipe(name);
    const path = join(folder, 'resolved.json');
    writeFileSync(path, JSON.stringify(recipe));
    expect(await makeRecipe(path)).toEqual(recipe);
    const stored = { ...recipe, estimator: { ...recipe.estimator } };
    expect(parseStoredRecipe('run.json', JSON.parse(JSON.stringify(stored)))).toEqual(recipe);
  });

  it('of pretraining is refused too', () => {
    const refused = () => resolvePretrainSettings(['estimator.checkpoint.patience=2']);
    expect(refused).toThrow(
      /estimator\.checkpoint\.patience has no effect: estimator\.checkpoint\.choice is last/,
    );
  });
});

describe('names of covariates', () => {
  const named = async (...names: string[]): Promise<unknown> =>
    (await resolveRecipe('feature-ridge', [`covariates=${JSON.stringify(names)}`])).covariates;

  it('are height and ndvi however they are written, and others as they stand', async () => {
    expect(await named('Height ', 'NDVI', ' Soil moisture')).toEqual(['height', 'ndvi', 'Soil moisture']);
  });

  it('that files and answers could not tell apart are refused', async () => {
    await expect(named('height+ndvi')).rejects.toThrow(/a name with \+ cannot be told from two covariates/);
    await expect(named('soil moisture', 'Soil-Moisture')).rejects.toThrow(/differ in case, spaces or signs/);
    await expect(named('height', 'HEIGHT')).rejects.toThrow(/a covariate comes twice/);
    await expect(named('a', 'b', 'c', 'd')).rejects.toThrow(/name 1 to 3 covariates/);
  });
});

describe('what a kernel of covariates is like', () => {
  it('has no effect, and is refused, where a recipe reads none', async () => {
    const weight = 'estimator.covariateWeight=0.5';
    await expect(resolveRecipe('feature-ridge', [weight])).rejects.toThrow(
      /covariateWeight has no effect: the recipe reads no covariates; add --with height/,
    );
    const recipe = await resolveRecipe('feature-ridge', [weight, 'covariates=height']);
    expect(recipe).toMatchObject({ covariates: ['height'], estimator: { covariateWeight: 0.5 } });
    expect(await resolveRecipe('feature-ridge', [])).not.toHaveProperty('covariates');
  });

  it.each([
    ['a stack', 'feature-stack', MEMBERS({ covariates: true, estimator: RIDGE })[0] ?? ''],
    ['a kernel average', 'photo-ridge', 'estimator.withCovariates.power=0.4'],
  ])('is refused of %s too', async (_, recipe, setting) => {
    await expect(resolveRecipe(recipe, [setting])).rejects.toThrow(/the recipe reads no covariates/);
    expect(await resolveRecipe(recipe, [setting, 'covariates=height'])).toHaveProperty('covariates');
  });

  it('is asked for where no member of a stack reads any', async () => {
    const blind = MEMBERS({ covariates: false, estimator: RIDGE });
    await expect(resolveRecipe('feature-stack', [...blind, 'covariates=height'])).rejects.toThrow(
      /no member of the stack reads height: give one covariates true, or leave --with out/,
    );
  });
});
