import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { UsageError } from '../../src/ground/errors.ts';
import type { Matrix } from '../../src/ground/matrix.ts';
import { randomStream } from '../../src/ground/random.ts';
import type { Capabilities, Estimator, FittedModel } from '../../src/learning/estimator.ts';
import { recipeEstimator } from '../../src/recipes/registry.ts';
import { plainSamples } from '../../src/samples/samples.ts';
import { DESCRIPTOR_NAMES } from '../../src/vision/descriptors/index.ts';
import { graphError, linearSward } from '../estimators/graph/graphs.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { fitRows } from '../support/training-rows.ts';
import { resolveRecipe } from '../support/written-settings.ts';

const folder = temporaryFolder('registry');
const PHOTOS = 24;
const DRAWS = 3;
const FEW_TREES = ['estimator.members=1', 'estimator.minDataInLeaf=3', 'estimator.numIterations=4'];
const FEW_OBLIVIOUS = ['estimator.kind=oblivious-boost', 'estimator.members=1', 'estimator.iterations=4'];
const SHORT = ['estimator.epochs=1', 'estimator.members=1'];
const MLP = [...SHORT, 'estimator.architecture.hidden=4'];
const DENSITY = [...SHORT, 'estimator.layout.halves=2', 'estimator.layout.parts=4'];
const RIDGE = ['estimator.kind=ridge', 'estimator.penalties=0.1'];
const STACKED_RIDGE = '{"estimator":{"kind":"ridge","penalties":[0.1]}}';
const STACKED_MLP =
  '{"estimator":{"kind":"network","architecture":{"kind":"mlp","hidden":4},"loss":{"mse":1},"epochs":1}}';
const VIEWS = { kind: 'view-average', members: [{ view: 'form', weight: 1, kernels: ['linear'] }] };
const STACKED_VIEWS = JSON.stringify({
  estimator: { ...VIEWS, members: [{ ...VIEWS.members[0], gammas: [1], penalties: [1] }] },
});
const stackOf = (...members: string[]): string[] => [`estimator.members=[${members.join()}]`];

/** A kind of model: recipe, changes, what it can do, and how many features it reads. */
type Kind = [
  name: string,
  recipe: string,
  changes: readonly string[],
  can: readonly (keyof Capabilities)[],
  columns?: number,
];

const KINDS: readonly Kind[] = [
  ['ridge', 'feature-ridge', RIDGE, ['sessionsOut', 'graph']],
  ['kernel ridge', 'feature-ridge', [], ['sessionsOut', 'graph']],
  ['a mean of views', 'descriptor-ridge', [], ['graph'], DESCRIPTOR_NAMES.length],
  ['leaf-wise trees', 'feature-boost', FEW_TREES, ['graph']],
  ['symmetric trees', 'feature-boost', FEW_OBLIVIOUS, ['graph']],
  ['a network with dropout', 'feature-mlp', MLP, ['dropout', 'graph']],
  [
    'a network without dropout',
    'feature-mlp',
    [...MLP, 'estimator.architecture.dropout=0', 'estimator.architecture.inputDropout=0'],
    ['graph'],
  ],
  ['a density network', 'density', [...DENSITY, 'estimator.architecture.dropout=0'], ['graph', 'maps']],
  [
    'a density network with dropout',
    'density',
    [...DENSITY, 'estimator.architecture.dropout=0.2'],
    ['dropout', 'graph', 'maps'],
  ],
  [
    'a density network behind a reduction',
    'density',
    [...DENSITY, 'estimator.architecture.dropout=0.2', 'reduction.kind=pca', 'reduction.components=8'],
    ['dropout', 'graph'],
  ],
  [
    'ridge behind principal components',
    'feature-ridge',
    [...RIDGE, 'reduction.kind=pca', 'reduction.components=3'],
    ['sessionsOut', 'graph'],
  ],
  [
    'ridge behind partial least squares',
    'feature-ridge',
    [...RIDGE, 'reduction.kind=pls', 'reduction.components=3'],
    ['graph'],
  ],
  ['ridge of square roots', 'feature-ridge', [...RIDGE, 'transform.kind=sqrt'], ['graph']],
  ['ridge of shares', 'feature-ridge', [...RIDGE, 'transform.kind=composition'], ['graph']],
  ['a network of logarithms', 'feature-mlp', [...MLP, 'transform.kind=log1p'], ['dropout', 'graph']],
  ['a stack', 'feature-stack', stackOf(STACKED_RIDGE, STACKED_MLP), ['graph']],
  [
    'a stack with a mean of views',
    'feature-stack',
    ['estimator.combine=mean', ...stackOf(STACKED_RIDGE, STACKED_VIEWS)],
    ['graph'],
    DESCRIPTOR_NAMES.length,
  ],
];

const random = () => randomStream(5);

/** What becomes of asking, whether it is refused at once or later. */
async function asked<Answer>(ask: () => Answer | Promise<Answer>): Promise<Answer | Error> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof Error) return error;
    throw error;
  }
}

/** Asks a model for all that it may be able to do. */
async function expectToKeepItsWord(model: FittedModel, inputs: Matrix): Promise<void> {
  const samples = plainSamples(inputs);
  const answers = {
    dropout: await asked(() => model.sampleDropout(samples, DRAWS, random())),
    sessionsOut: await asked(() => model.leaveSessionsOut()),
    graph: await asked(() => model.graph().masses),
    maps: await asked(() => model.maps(samples)),
  };
  const { dropout, sessionsOut, graph, maps } = model.capabilities;
  if (dropout) {
    expect(answers.dropout).toHaveLength(DRAWS);
    expect(answers.dropout).toEqual(Array.from({ length: DRAWS }, () => expect.any(Array)));
    for (const draw of [answers.dropout].flat()) expect(draw).toHaveLength(inputs.rows);
  } else expect(answers.dropout).toBeInstanceOf(UsageError);
  if (sessionsOut) expect(answers.sessionsOut).toHaveLength(PHOTOS);
  else expect(answers.sessionsOut).toBeInstanceOf(UsageError);
  if (graph) expect(await graphError(model, inputs)).toBeLessThan(1e-4);
  else expect(answers.graph).toBeInstanceOf(UsageError);
  if (maps) expect(answers.maps).toHaveLength(inputs.rows);
  else expect(answers.maps).toBeInstanceOf(UsageError);
}

async function readBack(estimator: Estimator, model: FittedModel, name: string): Promise<FittedModel> {
  const place = join(folder, name);
  mkdirSync(place);
  await model.write(place);
  return estimator.read(place);
}

describe.each(KINDS)('%s', (name, recipe, changes, can, columns = 16) => {
  it('does what its capabilities say and refuses the rest, also when it was read back', async () => {
    const estimator = recipeEstimator(await resolveRecipe(recipe, changes));
    const training = linearSward(PHOTOS, columns);
    const fresh = linearSward(5, columns, 2).inputs;
    const model = await fitRows(estimator, training, { random: random(), record: () => {} });
    const capabilities = Object.fromEntries(
      (['dropout', 'sessionsOut', 'graph', 'maps'] as const).map((what) => [what, can.includes(what)]),
    );
    expect(model.capabilities).toEqual(capabilities);
    await expectToKeepItsWord(model, fresh);
    const stored = await readBack(estimator, model, name);
    // Only a fit knows the training photos that could be left out.
    expect(stored.capabilities).toEqual({ ...capabilities, sessionsOut: false });
    await expectToKeepItsWord(stored, fresh);
    await model.release();
    expect(await model.predict(plainSamples(fresh))).toEqual(await stored.predict(plainSamples(fresh)));
  });
});
