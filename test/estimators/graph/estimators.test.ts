import { describe, expect, it } from 'vitest';
import { kernelRidge } from '../../../src/estimators/kernel/kernel-ridge.ts';
import { KERNELS } from '../../../src/estimators/kernel/kernels.ts';
import { ridge } from '../../../src/estimators/kernel/ridge.ts';
import {
  leafwiseBoostSettings,
  obliviousBoostSettings,
} from '../../../src/estimators/trees/boost-settings.ts';
import { leafwiseBoost } from '../../../src/estimators/trees/leafwise-boost.ts';
import { obliviousBoost } from '../../../src/estimators/trees/oblivious-boost.ts';
import { writeNpyFloat32 } from '../../../src/formats/npy/npy.ts';
import type { Matrix } from '../../../src/ground/matrix.ts';
import { randomStream } from '../../../src/ground/random.ts';
import type { Estimator, FittedModel } from '../../../src/learning/estimator.ts';
import { network } from '../../../src/networks/network.ts';
import { networkSettings } from '../../../src/networks/settings/network.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { fitRows } from '../../support/training-rows.ts';
import { graphError, linearSward } from './graphs.ts';

const root = temporaryFolder('graph');
const SHARED = { penalties: [0.1, 1], sessionWeight: 0.5, clip: 2 };
const training = linearSward(36, 16);
/** Photos that were not trained on, some of them far out, where clipping and kernels matter. */
const others: Matrix = {
  ...linearSward(9, 16, 2).inputs,
  data: linearSward(9, 16, 2).inputs.data.map((value, at) => (at % 7 === 0 ? Math.fround(4 * value) : value)),
};

const fit = (estimator: Estimator): Promise<FittedModel> =>
  fitRows(estimator, training, { random: randomStream(5), record: () => {} });

describe('a model as a graph predicts what the model predicts', () => {
  it('ridge', async () => {
    const model = await fit(ridge({ kind: 'ridge', ...SHARED }));
    expect(await graphError(model, others)).toBeLessThan(1e-9);
  });

  it.each(KERNELS)('kernel ridge, %s, on new photos and on those trained on', async (kernel) => {
    const model = await fit(
      kernelRidge({ kind: 'kernel-ridge', kernels: [kernel], gammas: [0.3], ...SHARED }),
    );
    expect(await graphError(model, others)).toBeLessThan(1e-5);
    expect(await graphError(model, training.inputs)).toBeLessThan(1e-5);
  });

  it('leaf-wise trees, whose thresholds are doubles', async () => {
    const settings = leafwiseBoostSettings.parse({
      kind: 'leafwise-boost',
      numIterations: 20,
      minDataInLeaf: 3,
      members: 2,
    });
    const model = await fit(leafwiseBoost(settings));
    expect(await graphError(model, others)).toBeLessThan(1e-5);
    expect(await graphError(model, training.inputs)).toBeLessThan(1e-5);
  });

  it('leaf-wise trees with logarithmic scores', async () => {
    const settings = leafwiseBoostSettings.parse({
      kind: 'leafwise-boost',
      numIterations: 10,
      minDataInLeaf: 3,
      members: 1,
      objective: 'tweedie',
      outputs: 'components',
    });
    expect(await graphError(await fit(leafwiseBoost(settings)), others)).toBeLessThan(1e-5);
  });

  it('symmetric trees', async () => {
    const settings = obliviousBoostSettings.parse({ kind: 'oblivious-boost', iterations: 20, members: 2 });
    const model = await fit(obliviousBoost(settings));
    expect(await graphError(model, others)).toBeLessThan(1e-5);
  });

  it.each([
    ['mlp', { architecture: { kind: 'mlp' }, standardise: true, unit: 'mean', members: 2 }],
    ['film-dual', { architecture: { kind: 'film-dual' } }],
    ['tiled-dual', { architecture: { kind: 'tiled-dual', physics: 'order' } }],
    ['tiled-dual, projected', { architecture: { kind: 'tiled-dual', physics: 'project' } }],
    ['density', { architecture: { kind: 'density' }, layout: { halves: 2, parts: 4 } }],
  ])('network: %s', async (_, draft) => {
    const settings = networkSettings.parse({
      kind: 'network',
      epochs: 3,
      loss: { mse: 1 },
      optimizer: { rate: 0.01 },
      ...draft,
    });
    expect(await graphError(await fit(network(settings)), others)).toBeLessThan(1e-5);
  });

  it('network with concept scores in place of a further embedding', async () => {
    const concepts = `${root}/concepts.npy`;
    const random = randomStream(3);
    const data = Float32Array.from({ length: 5 * 4 }, () => random.normal());
    await writeNpyFloat32(concepts, { rows: 5, columns: 4, data });
    const settings = networkSettings.parse({
      ...{ kind: 'network', epochs: 2, loss: { mse: 1 }, concepts, architecture: { kind: 'tiled-dual' } },
      layout: { halves: 2, parts: 1, extra: 4 },
    });
    expect(await graphError(await fit(network(settings)), others)).toBeLessThan(1e-5);
  });
});

describe('trees that ask for categories', () => {
  it('are refused in one line', async () => {
    const columns = {
      ...training.inputs,
      data: training.inputs.data.map((value) => Math.abs(Math.round(value))),
    };
    const settings = leafwiseBoostSettings.parse({
      kind: 'leafwise-boost',
      numIterations: 5,
      minDataInLeaf: 2,
      members: 1,
      ...{ categorical: [0, 1, 2, 3], minDataInBin: 1, catSmooth: 0, maxCatToOnehot: 1 },
    });
    const model = await fitRows(
      leafwiseBoost(settings),
      { ...training, inputs: columns },
      { random: randomStream(1), record: () => {} },
    );
    await expect(graphError(model, columns)).rejects.toThrow(/categorical columns.* cannot be written/);
  });
});
