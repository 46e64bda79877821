import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ridge } from '../../../src/estimators/kernel/ridge.ts';
import { placeMembers } from '../../../src/estimators/member-columns.ts';
import { memberMean, shrunkWeights } from '../../../src/estimators/stack/member-mean.ts';
import { fitSpread } from '../../../src/estimators/stack/spread.ts';
import { stack } from '../../../src/estimators/stack/stack.ts';
import type { Matrix } from '../../../src/ground/matrix.ts';
import { joinFeatureSets } from '../../../src/ground/matrix.ts';
import { randomStream } from '../../../src/ground/random.ts';
import {
  type Estimator,
  type FitContext,
  fittedModel,
  type MetricLine,
  rowEstimator,
} from '../../../src/learning/estimator.ts';
import { weightedR2 } from '../../../src/pasture/metric.ts';
import { isPhysical, targetsFromComponents } from '../../../src/pasture/physics.ts';
import type { Targets } from '../../../src/pasture/targets.ts';
import { recipeEstimator } from '../../../src/recipes/registry.ts';
import { featureRows, TrainingSamples } from '../../../src/samples/samples.ts';
import { DESCRIPTOR_NAMES, viewColumns } from '../../../src/vision/descriptors/index.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { fitRows, predictRows, type TaughtRows, trainingSamples } from '../../support/training-rows.ts';
import { resolveRecipe } from '../../support/written-settings.ts';
import { graphError } from '../graph/graphs.ts';

const folder = temporaryFolder('stack');
const context = (lines: MetricLine[] = []): FitContext => ({
  random: randomStream(1),
  record: (line) => lines.push(line),
});
const SETTINGS = { combine: 'fitted', penalty: 0, spreadPenalty: null, innerFolds: 4 } as const;

function noise(rows: number, columns: number, seed: number): Matrix {
  const random = randomStream(seed);
  return { rows, columns, data: Float64Array.from({ length: rows * columns }, () => random.normal()) };
}

/** Set `telling` holds the green mass in its first column, set `other` holds noise. */
function task(rows: number, seed: number): TaughtRows {
  const telling = noise(rows, 4, seed);
  return {
    inputs: joinFeatureSets([
      { name: 'telling', matrix: telling },
      { name: 'other', matrix: noise(rows, 3, seed + 100) },
    ]),
    targets: Array.from({ length: rows }, (_, row) =>
      targetsFromComponents({
        green: 60 + 12 * (telling.data[row * 4] ?? 0),
        dead: 5 + (row % 3),
        clover: row % 4,
      }),
    ),
    groups: Array.from({ length: rows }, (_, row) => `session ${row % 8}`),
  };
}

const linear = ridge({ kind: 'ridge', penalties: [0.01], sessionWeight: 0, clip: 4 });

/** Knows the masses of every photo it was trained on, and says the mean of other photos. */
const memoriser = rowEstimator({
  async fit({ train }) {
    const { inputs, targets } = await train.rows();
    const known = new Map(targets.map((masses, row) => [keyOf(inputs, row), masses]));
    const mean = targetsFromComponents({
      green: targets.reduce((sum, { green }) => sum + green, 0) / targets.length,
      dead: targets.reduce((sum, { dead }) => sum + dead, 0) / targets.length,
      clover: targets.reduce((sum, { clover }) => sum + clover, 0) / targets.length,
    });
    return fittedModel({
      async predict(samples) {
        const asked = await samples.features();
        return Array.from({ length: asked.rows }, (_, row) => known.get(keyOf(asked, row)) ?? mean);
      },
      write: async () => {},
    });
  },
  read: async () => {
    throw new Error('not stored');
  },
});
const keyOf = ({ data, columns }: Matrix, row: number): string =>
  data.subarray(row * columns, (row + 1) * columns).join();

describe('a fitted stack', () => {
  it('is not taken in by a member that memorises its training photos', async () => {
    const training = task(64, 1);
    const lines: MetricLine[] = [];
    const members = [
      { input: 'telling', weight: 1 },
      { input: 'telling', weight: 1 },
    ];
    const honest = stack({ ...SETTINGS, members }, (member) => (member === members[0] ? memoriser : linear));
    const model = await fitRows(honest, training, context(lines));
    expect(lines.find((line) => 'weight 0 telling' in line)?.['weight 0 telling']).toBeLessThan(0.1);
    const fresh = task(40, 2);
    expect(weightedR2(fresh.targets, await predictRows(model, fresh.inputs))).toBeGreaterThan(0.9);
  });

  it('tells how far it is: member by member, and within one fold by fold of those that weigh it', async () => {
    const members = [
      { input: 'telling', weight: 1 },
      { input: 'telling', weight: 1 },
    ];
    const told: Estimator = {
      ...memoriser,
      async fit(split, given) {
        given.onProgress?.(0.5);
        given.onProgress?.(1);
        return memoriser.fit(split, given);
      },
    };
    const sharesOf = async (combination: 'fitted' | 'mean'): Promise<number[]> => {
      const shares: number[] = [];
      const settings = { ...SETTINGS, combine: combination, members };
      const listening = { ...context(), onProgress: (share: number) => shares.push(share) };
      await fitRows(
        stack(settings, (member) => (member === members[0] ? told : linear)),
        task(48, 3),
        listening,
      );
      return shares;
    };
    // Trained on everything and on four inner folds; the linear member has a closed form.
    const steps = [0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5, 5].map((step) => step / 10);
    expect(await sharesOf('fitted')).toEqual([...steps, 1].map((share) => expect.closeTo(share, 10)));
    expect(await sharesOf('mean')).toEqual([0.25, 0.5, 0.5, 1]);
  });

  it('shows no member a session whose photos it then predicts to be weighed by', async () => {
    const training = task(48, 3);
    const seen: { trained: Set<string>; asked: Set<string> }[] = [];
    const sessionOf = new Map(training.groups.map((group, row) => [keyOf(training.inputs, row), group]));
    const spy: Estimator = {
      ...memoriser,
      async fit(given, fitContext) {
        const model = await memoriser.fit(given, fitContext);
        return {
          ...model,
          async predict(asked) {
            const inputs = await asked.features();
            const rows = Array.from(
              { length: inputs.rows },
              (_, row) => sessionOf.get(keyOf(inputs, row)) ?? '',
            );
            seen.push({ trained: new Set(given.train.groups), asked: new Set(rows) });
            return model.predict(asked);
          },
        };
      },
    };
    await fitRows(
      stack({ ...SETTINGS, members: [{ input: 'all', weight: 1 }] }, () => spy),
      training,
      context(),
    );
    expect(seen).toHaveLength(4);
    for (const { trained, asked } of seen)
      for (const session of asked) expect(trained.has(session)).toBe(false);
    expect(new Set(seen.flatMap(({ asked }) => [...asked])).size).toBe(8);
  });

  it('takes the closed form of members that have one instead of training them again', async () => {
    const training = task(48, 30);
    let fits = 0;
    const counted: Estimator = {
      ...linear,
      async fit(given, fitContext) {
        fits++;
        return linear.fit(given, fitContext);
      },
    };
    const members = [{ input: 'each', weight: 1 }];
    const lines: MetricLine[] = [];
    await fitRows(
      stack({ ...SETTINGS, members }, () => counted),
      training,
      context(lines),
    );
    expect(fits).toBe(2);
    const weights = lines.find((line) => 'weight 0 telling' in line);
    expect(weights?.['weight 0 telling']).toBeGreaterThan(0.9);
  });

  it('does not listen to the photos held out of the outer fold', async () => {
    const training = task(48, 4);
    const held = task(12, 5);
    const estimator = stack({ ...SETTINGS, members: [{ input: 'each', weight: 1 }] }, () => linear);
    const fresh = task(9, 6).inputs;
    const strange = { ...held, targets: held.targets.map(() => held.targets[0] as Targets) };
    const predict = async (validation: TaughtRows) =>
      predictRows(await fitRows(estimator, training, context(), validation), fresh);
    expect(await predict(strange)).toEqual(await predict(held));
  });

  it('does not weigh by photos that were not measured, though members learn from them', async () => {
    const training = task(40, 7);
    const pseudo = {
      ...training,
      weights: training.groups.map((_, row) => (row < 24 ? 1 : 0.5)),
      measured: training.groups.map((_, row) => row < 24),
      groups: training.groups.map((group, row) => (row < 24 ? group : `pseudo ${row}`)),
    };
    const rowOf = new Map(training.groups.map((_, row) => [keyOf(training.inputs, row), row]));
    const asked: (number | undefined)[] = [];
    const learnt: number[] = [];
    const spy: Estimator = {
      ...memoriser,
      async fit(given, fitContext) {
        const model = await memoriser.fit(given, fitContext);
        learnt.push(given.train.groups.filter((group) => group.startsWith('pseudo')).length);
        return {
          ...model,
          async predict(samples) {
            const inputs = await samples.features();
            for (let row = 0; row < inputs.rows; row++) asked.push(rowOf.get(keyOf(inputs, row)));
            return model.predict(samples);
          },
        };
      },
    };
    await fitRows(
      stack({ ...SETTINGS, members: [{ input: 'all', weight: 1 }] }, () => spy),
      pseudo,
      context(),
    );
    expect(asked.sort((a = 0, b = 0) => a - b)).toEqual(Array.from({ length: 24 }, (_, row) => row));
    expect(new Set(learnt)).toEqual(new Set([16]));
  });

  it('takes the plain mean where there is a single session', async () => {
    const training = { ...task(20, 8), groups: new Array<string>(20).fill('only') };
    const members = [
      { input: 'telling', weight: 1 },
      { input: 'other', weight: 1 },
    ];
    const fresh = task(5, 9).inputs;
    const predict = async (combineBy: 'mean' | 'fitted') =>
      predictRows(
        await fitRows(
          stack({ ...SETTINGS, combine: combineBy, members }, () => linear),
          training,
          context(),
        ),
        fresh,
      );
    expect(await predict('fitted')).toEqual(await predict('mean'));
  });
});

describe('the weights of members', () => {
  const observed = [10, 40, 20, 60].map((green) => targetsFromComponents({ green, dead: 5, clover: 1 }));
  const off = (by: readonly number[]): Targets[] =>
    observed.map((masses, row) =>
      targetsFromComponents({ green: masses.green + (by[row] ?? 0), dead: 5, clover: 1 }),
    );

  it('are those of least squared error, and never negative', () => {
    // Errors 1 and −1: half each cancels them.
    expect(shrunkWeights([off([1, 1, 1, 1]), off([-1, -1, -1, -1])], observed, 0)[0]).toBeCloseTo(0.5, 6);
    expect(shrunkWeights([off([1, -1, 1, -1]), off([3, -3, 3, -3])], observed, 0)).toEqual([1, 0]);
  });

  it('draw level as the penalty grows', () => {
    const members = [off([1, -1, 1, -1]), off([3, -3, 3, -3])];
    const [weak, strong] = [0.5, 50].map((penalty) => shrunkWeights(members, observed, penalty)[0] ?? 0);
    expect(weak).toBeLessThan(1);
    expect(strong).toBeLessThan(weak ?? 0);
    expect(shrunkWeights(members, observed, 1e6)[0]).toBeCloseTo(0.5, 4);
  });
});

describe('the spread of a mean', () => {
  const random = randomStream(12);
  const truth = Array.from({ length: 200 }, () =>
    targetsFromComponents({
      green: 60 + 10 * random.normal(),
      dead: 20 + 3 * random.normal(),
      clover: 12 + random.normal(),
    }),
  );
  /** Half as far from the middle. */
  const flat = truth.map(({ green, dead, clover }) =>
    targetsFromComponents({ green: 60 + (green - 60) / 2, dead, clover: 12 + (clover - 12) / 2 }),
  );

  it('is found component by component', () => {
    const { factors } = fitSpread(flat, truth, 0);
    [2, 1, 2].forEach((factor, at) => {
      expect(factors[at]).toBeCloseTo(factor, 1);
    });
  });

  it('is left alone by a strong penalty', () => {
    for (const factor of fitSpread(flat, truth, 1e6).factors) expect(factor).toBeCloseTo(1, 4);
  });

  it('keeps predictions physical', () => {
    const spread = { centre: [60, 20, 12], factors: [9, 9, 9] };
    for (const targets of memberMean([truth], { weights: [1], spread }))
      expect(isPhysical(targets, 1e-9)).toBe(true);
  });

  it('is not made of a component that never varies', () => {
    const alike = truth.map(() => targetsFromComponents({ green: 50, dead: 5, clover: 0 }));
    for (const factor of fitSpread(alike, truth, 0).factors) expect(factor).toBeCloseTo(1, 6);
  });
});

describe('what a member sees', () => {
  const inputs = joinFeatureSets([
    { name: 'a', matrix: noise(2, 2, 1) },
    { name: 'descriptors', matrix: noise(2, DESCRIPTOR_NAMES.length, 2) },
  ]);
  const columns = (input: string | number | (string | number)[]): (readonly number[])[] =>
    placeMembers([{ input, weight: 1 }], inputs).map((place) => place.columns);

  it('is named by set, place, view, list, each or all', () => {
    expect(columns('a')).toEqual([[0, 1]]);
    expect(columns(0)).toEqual([[0, 1]]);
    expect(columns('descriptors.contrast')).toEqual([viewColumns('contrast').map((column) => column + 2)]);
    expect(columns(['a', 'descriptors.scatter'])[0]).toHaveLength(2 + viewColumns('scatter').length);
    expect(columns('each').map((set) => set.length)).toEqual([2, DESCRIPTOR_NAMES.length]);
    expect(columns('all')[0]).toHaveLength(2 + DESCRIPTOR_NAMES.length);
  });

  it('must be there', () => {
    expect(() => columns('b')).toThrow(/reads b, but the feature sets are: 0 a, 1 descriptors/);
    expect(() => columns(2)).toThrow(/reads 2/);
    expect(() => columns('descriptors.colour')).toThrow(/reads descriptors.colour/);
  });
});

describe('a stack as a recipe', () => {
  const withMembers = async (combineBy: string, members: readonly object[]) =>
    resolveRecipe('feature-stack', [
      `estimator.combine=${combineBy}`,
      `estimator.members=${JSON.stringify(members)}`,
    ]);
  const ridges = (weights: readonly number[]): object[] =>
    weights.map((weight, at) => ({
      input: at,
      weight,
      estimator: { kind: 'ridge', penalties: [0.1] },
    }));

  it('is the weighted mean of its members', async () => {
    const training = task(40, 20);
    const fresh = task(6, 21).inputs;
    const predict = async (weights: readonly number[]) => {
      const estimator = recipeEstimator(await withMembers('mean', ridges(weights)));
      return predictRows(await fitRows(estimator, training, context()), fresh);
    };
    const [first, second, both] = [
      await predict([1, 1e-12]),
      await predict([1e-12, 1]),
      await predict([3, 1]),
    ];
    both.forEach(({ total }, row) => {
      expect(total).toBeCloseTo(0.75 * (first[row]?.total ?? 0) + 0.25 * (second[row]?.total ?? 0), 6);
    });
  });

  it.each(['mean', 'fitted'])('predicts the same after being written and read (%s)', async (combineBy) => {
    const members = [
      {
        input: 'each',
        reduction: { kind: 'pca', components: 2 },
        estimator: { kind: 'kernel-ridge', penalties: [0.1] },
      },
      { input: 'telling', transform: { kind: 'sqrt' }, estimator: { kind: 'ridge', penalties: [0.1] } },
    ];
    const estimator = recipeEstimator(await withMembers(combineBy, members));
    const model = await fitRows(estimator, task(40, 22), context());
    const place = join(folder, combineBy);
    mkdirSync(place);
    await model.write(place);
    const fresh = task(8, 23).inputs;
    const predicted = await predictRows(model, fresh);
    expect(await predictRows(await estimator.read(place), fresh)).toEqual(predicted);
    for (const targets of predicted) expect(isPhysical(targets, 1e-9)).toBe(true);
    await expect(predictRows(model, noise(2, 6, 1))).rejects.toThrow(
      /have 6 columns, but the model was trained on 7/,
    );
  });

  it('stretches the mean of its weights, whose members draw towards their mean', async () => {
    const members = [100, 300].map((penalty, at) => ({
      weight: 2 - at,
      input: 'telling',
      estimator: { kind: 'ridge', penalties: [penalty] },
    }));
    const [training, fresh] = [task(48, 24), task(40, 25)];
    const said = async (combineBy: string, penalty: number | null) => {
      const recipe = await withMembers(combineBy, members);
      const estimator = { ...recipe.estimator, spreadPenalty: penalty } as typeof recipe.estimator;
      const lines: MetricLine[] = [];
      const model = await fitRows(recipeEstimator({ ...recipe, estimator }), training, context(lines));
      return { masses: await predictRows(model, fresh.inputs), line: lines.at(-1) };
    };
    const mean = await said('mean', null);
    expect((await said('stretched', null)).masses).toEqual(mean.masses);
    const stretched = await said('stretched', 0.1);
    expect(stretched.line).toMatchObject({ 'weight 0 telling': 2, 'weight 1 telling': 1 });
    expect(stretched.line?.['spread green']).toBeGreaterThan(1.5);
    const score = ({ masses }: typeof mean): number => weightedR2(fresh.targets, masses);
    expect(score(stretched)).toBeGreaterThan(score(mean) + 0.05);
  });

  it('combines other members where covariates are read, those that do not read them by the photo alone', async () => {
    const inner = { kind: 'kernel-ridge', penalties: [0.1] };
    const recipe = await withMembers('mean', [{ input: 'telling', estimator: inner }]);
    const beside = (members: readonly object[]) =>
      resolveRecipe('feature-stack', [
        'estimator.combine=mean',
        `estimator.members=${JSON.stringify([{ input: 'other', estimator: inner }])}`,
        `estimator.withCovariates=${JSON.stringify({ members })}`,
        'covariates=["height"]',
      ]);
    const train = trainingSamples(task(48, 26));
    const facts = train.facts.map((fact, row) => ({ ...fact, readings: { height: 2 + (row % 7) } }));
    const known = new TrainingSamples(facts, featureRows(task(48, 26).inputs), train.targets);
    const said = async (members: readonly object[]) => {
      const estimator = recipeEstimator(await beside(members));
      const model = await estimator.fit({ train: known, validation: null }, context());
      return model.predict(known);
    };
    const alone = await fitRows(recipeEstimator(recipe), task(48, 26), context());
    const expected = await predictRows(alone, task(48, 26).inputs);
    expect(await said([{ input: 'telling', covariates: false, estimator: inner }])).toEqual(expected);
    expect(await said([{ input: 'telling', estimator: inner }])).not.toEqual(expected);
  });

  it('refuses a member that reads one feature set twice, by whatever names', async () => {
    const inner = { kind: 'kernel-ridge', penalties: [0.1] };
    for (const [input, said] of [
      [['telling', 'telling'], /reads telling twice; name it once/],
      [[0, 'telling', 'other'], /reads (0 and telling|0 and other), which are the same feature set/],
    ] as const) {
      const recipe = await withMembers('mean', [{ input, estimator: inner }]);
      await expect(fitRows(recipeEstimator(recipe), task(24, 26), context())).rejects.toThrow(said);
    }
  });

  describe('of kernel averages', () => {
    const average = (inputs: readonly string[]): object => ({
      kind: 'kernel-average',
      members: inputs.map((input) => ({ input, components: 3 })),
      penalties: [0.03],
    });
    const named = average(['other', 'telling']);
    const [training, fresh] = [task(40, 27), task(8, 28).inputs];
    const stacked = async (...members: readonly object[]): Promise<Estimator> =>
      recipeEstimator(await withMembers('mean', members));
    const said = async (estimator: Estimator): Promise<Targets[]> =>
      predictRows(await fitRows(estimator, training, context()), fresh);

    it('tells them the feature sets that they name', async () => {
      const alone = await resolveRecipe('feature-ridge', [`estimator=${JSON.stringify(named)}`]);
      const expected = await said(recipeEstimator(alone));
      const place = join(folder, 'averages');
      mkdirSync(place);
      const estimator = await stacked({ input: ['telling', 'other'], estimator: named });
      const model = await fitRows(estimator, training, context());
      await model.write(place);
      expect(await predictRows(model, fresh)).toEqual(expected);
      expect(await predictRows(await estimator.read(place), fresh)).toEqual(expected);
      expect(await graphError(model, fresh)).toBeLessThan(1e-4);
    });

    it('shows all columns as one set to those that name none', async () => {
      const one = await said(await stacked({ estimator: average(['all']) }));
      expect(await said(await stacked({ estimator: average(['each']) }))).toEqual(one);
    });

    it('refuses one that names a set its member does not see', async () => {
      const estimator = await stacked({ input: 'telling', estimator: named });
      await expect(said(estimator)).rejects.toThrow(/reads other, but the feature sets are: 0 telling/);
    });
  });

  it('gives members the defaults of their kind', async () => {
    const { estimator } = await withMembers('mean', [{ estimator: { kind: 'leafwise-boost' } }]);
    expect(estimator).toMatchObject({
      members: [{ input: 'all', weight: 1, reduction: { kind: 'none' }, estimator: { numIterations: 800 } }],
    });
  });

  it.each([
    [['estimator.members=[]'], /estimator.members/],
    [['estimator.members=[{"estimator":{"kind":"stack","members":[]}}]'], /estimator/],
    [['estimator.members=[{"input":-1,"estimator":{"kind":"ridge"}}]'], /input/],
    [['reduction.kind=pca'], /stack picks columns of its own/],
    [['reduction.kind=svd'], /reduction/],
    [['transform.kind=cube'], /transform/],
  ])('refuses %j', async (changes, message) => {
    await expect(resolveRecipe('feature-stack', changes)).rejects.toThrow(message);
  });

  it('reads several backbones, or descriptors beside one, from photos', async () => {
    const { input } = await resolveRecipe('feature-stack', [
      'backbone=vit_small_patch14_dinov2.lvd142m,descriptors',
    ]);
    expect(input).toMatchObject({
      kind: 'several',
      sets: [{ kind: 'backbone', backbone: 'vit_small_patch14_dinov2.lvd142m' }, { kind: 'descriptors' }],
    });
  });

  it('reduces inside any estimator of features', async () => {
    const recipe = await resolveRecipe('feature-ridge', ['reduction.kind=pls', 'reduction.components=3']);
    expect(recipe.reduction).toEqual({ kind: 'pls', components: 3, clip: 4 });
    expect((await resolveRecipe('feature-ridge', [])).reduction).toEqual({ kind: 'none' });
  });
});
