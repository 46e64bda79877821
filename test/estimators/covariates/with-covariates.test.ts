import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { UsageError } from '../../../src/ground/errors.ts';
import { randomStream } from '../../../src/ground/random.ts';
import type { Estimator, FittedModel } from '../../../src/learning/estimator.ts';
import { scoreTargets } from '../../../src/pasture/metric.ts';
import { targetsFromComponents } from '../../../src/pasture/physics.ts';
import { type Targets, targetsToArray } from '../../../src/pasture/targets.ts';
import { recipeEstimator } from '../../../src/recipes/registry.ts';
import { featureRows, TrainingSamples, unknownSample } from '../../../src/samples/samples.ts';
import { compile, input } from '../../../src/tensor/index.ts';
import { DESCRIPTOR_NAMES } from '../../../src/vision/descriptors/index.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { resolveRecipe } from '../../support/written-settings.ts';

const folder = temporaryFolder('covariates');
const SESSIONS = 6;

/** Features that tell nothing, and masses that only the height tells; of every third sample nobody measured it. */
function tallSward(photos: number, columns: number, seed: number, missing = 3): TrainingSamples {
  const random = randomStream(seed);
  const data = Float64Array.from({ length: photos * columns }, () => Math.fround(random.normal()));
  const heights = Array.from({ length: photos }, () => 2 + 38 * random.uniform());
  const targets = heights.map((cm) =>
    targetsFromComponents({ green: 1.5 * cm, dead: 3 + 0.2 * cm, clover: Math.max(0, 12 - 0.3 * cm) }),
  );
  const facts = heights.map((height, photo) => {
    const session = `session ${photo % SESSIONS}`;
    const isKnown = missing === 0 || photo % missing > 0;
    const readings = isKnown ? { height } : {};
    return { ...unknownSample(String(photo)), session, group: session, measured: true, readings };
  });
  return new TrainingSamples(facts, featureRows({ rows: photos, columns, data }), targets);
}

const estimatorOf = async (
  recipe: string,
  changes: readonly string[],
  covariates: readonly string[] = ['height'],
): Promise<Estimator> =>
  recipeEstimator(
    await resolveRecipe(recipe, [
      ...changes,
      ...(covariates.length > 0 ? [`covariates=${JSON.stringify(covariates)}`] : []),
    ]),
  );

const fit = (estimator: Estimator, train: TrainingSamples): Promise<FittedModel> =>
  estimator.fit({ train, validation: null }, { random: randomStream(5), record: () => {} });

/** R² of the total: what height tells of it. */
const score = ({ targets }: TrainingSamples, said: readonly Targets[]): number =>
  scoreTargets(targets, said).perTarget.Dry_Total_g.r2;

const TREES = ['estimator.members=1', 'estimator.minDataInLeaf=5'];
const NET = ['estimator.members=1', 'estimator.epochs=60', 'estimator.sessionWeight=0'];
const HALVES = [...NET, 'estimator.layout.halves=2', 'estimator.optimizer.rate=0.01'];
const AVERAGE = ['estimator.kind=kernel-average', 'estimator.members=[{"input":"all"}]'];

/** Recipe, changes, width of the features. */
type Kind = [name: string, recipe: string, changes: readonly string[], columns?: number];

const KINDS: readonly Kind[] = [
  ['ridge', 'feature-ridge', ['estimator.kind=ridge']],
  ['kernel ridge', 'feature-ridge', []],
  ['a mean of kernels', 'feature-ridge', AVERAGE],
  ['a mean of views', 'descriptor-ridge', [], DESCRIPTOR_NAMES.length],
  [
    'leaf-wise trees',
    'feature-boost',
    [...TREES, 'estimator.numIterations=60', 'estimator.learningRate=0.2'],
  ],
  [
    'symmetric trees',
    'feature-boost',
    [
      'estimator.kind=oblivious-boost',
      'estimator.members=1',
      'estimator.iterations=120',
      'estimator.learningRate=0.2',
    ],
  ],
  ['an mlp', 'feature-mlp', NET],
  ['tiled-dual', 'tiled-dual', [...HALVES, 'estimator.standardise=true']],
  ['film-dual', 'film-dual', HALVES],
  ['a density network', 'density', [...HALVES, 'estimator.layout.parts=2', 'estimator.epochs=200']],
  ['a stack', 'feature-stack', []],
  ['a stack of other members beside a height', 'feature-average', []],
  ['principal components', 'feature-ridge', ['reduction.kind=pca', 'reduction.components=3']],
  ['masses on a curve', 'feature-ridge', ['transform.kind=sqrt']],
  ['total and shares', 'feature-ridge', ['transform.kind=composition']],
];

describe.each(KINDS)('%s with a height', (name, recipe, changes, columns = 8) => {
  it('learns what only the height tells, and answers as a model without where there is none', async () => {
    const train = tallSward(120, columns, 1);
    const fresh = tallSward(60, columns, 2, 0);
    const model = await fit(await estimatorOf(recipe, changes), train);
    expect(model.covariateSets).toEqual([['height']]);
    expect(score(fresh, await model.predict(fresh))).toBeGreaterThan(0.75);
    const without = await model.predict(fresh.knownBy([]));
    expect(score(fresh, without)).toBeLessThan(0.1);
    // Bit for bit what is trained where nobody speaks of heights.
    const plain = await fit(await estimatorOf(recipe, changes, []), train);
    expect(without).toEqual(await plain.predict(fresh));
    const place = join(folder, name);
    mkdirSync(place);
    await model.write(place);
    const stored = await (await estimatorOf(recipe, changes)).read(place);
    expect(stored.covariateSets).toEqual([['height']]);
    const mixed = tallSward(9, columns, 3);
    const said = await model.predict(mixed);
    expect(await stored.predict(mixed)).toEqual(said);
    if (model.capabilities.graph) expect(await graphDifference(stored, mixed, said)).toBeLessThan(1e-4);
    if (model.capabilities.sessionsOut) expect(score(train, model.leaveSessionsOut())).toBeGreaterThan(0.2);
    for (const one of [model, stored, plain]) await one.release();
  });
});

/** How far a model's graph is from what it predicts, as a share of 1 g or the mass; NaN stands for no height. */
async function graphDifference(
  model: FittedModel,
  samples: TrainingSamples,
  said: readonly Targets[],
): Promise<number> {
  const inputs = await samples.features();
  const features = input('features', [inputs.rows, inputs.columns], 'float64');
  const readings = input('readings', [inputs.rows, 1], 'float64');
  const program = await compile({ outputs: { masses: model.graph().masses(features, readings) } });
  const heights = samples.facts.map((facts) => facts.readings.height ?? Number.NaN);
  const { masses } = await program.run({
    features: Float64Array.from(inputs.data),
    readings: Float64Array.from(heights),
  });
  await program.dispose();
  const computed = Array.from(masses?.values as Float64Array, Number);
  const differences = said
    .flatMap(targetsToArray)
    .map((mass, at) => Math.abs(mass - (computed[at] ?? Number.NaN)) / Math.max(1, mass));
  return Math.max(...differences);
}

describe('several covariates', () => {
  const both = (photos: number, seed: number): TrainingSamples => {
    const samples = tallSward(photos, 4, seed, 0);
    const facts = samples.facts.map((own, photo) => ({
      ...own,
      readings: {
        ...own.readings,
        ...(photo % 2 === 0 && { moisture: (samples.targets[photo] as Targets).dead }),
      },
    }));
    const source = { photos: null, features: () => samples.features() };
    return new TrainingSamples(facts, source, samples.targets);
  };

  it('have a model for every set of them, of which a sample takes the largest it has', async () => {
    const train = both(80, 1);
    const model = await fit(await estimatorOf('feature-ridge', [], ['height', 'moisture']), train);
    expect(model.covariateSets).toEqual([['height', 'moisture'], ['height'], ['moisture']]);
    const fresh = both(40, 2);
    const said = await model.predict(fresh);
    const alone = await model.predict(fresh.knownBy([['height']]));
    const differs = said.map(({ total }, photo) => total !== alone[photo]?.total);
    expect(differs).toEqual(differs.map((_, photo) => photo % 2 === 0));
    // Of those that have it, dead matter is told.
    const known = fresh.targets.flatMap((_, photo) => (photo % 2 === 0 ? [photo] : []));
    const missed = known.map((photo) =>
      Math.abs((said[photo]?.dead ?? 0) - (fresh.targets[photo]?.dead ?? 0)),
    );
    expect(Math.max(...missed)).toBeLessThan(2);
  });

  it('that too few visits have are refused before anything is trained', async () => {
    const estimator = await estimatorOf('feature-ridge', []);
    const samples = tallSward(30, 4, 1, 0);
    const facts = samples.facts.map((own, photo) => (photo % SESSIONS < 2 ? own : { ...own, readings: {} }));
    const few = new TrainingSamples(
      facts,
      { photos: null, features: () => samples.features() },
      samples.targets,
    );
    const refusal = estimator.requireData(few, []);
    await expect(refusal).rejects.toThrow(UsageError);
    await expect(refusal).rejects.toThrow(/height is known of 10 photos of 2 visits.*at least 10 of 3/);
    // Where a State is held out that has all the heights, the rest is answered without.
    expect((await fit(estimator, few)).covariateSets).toEqual([]);
  });
});
