import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { kernelRidge } from '../../../src/estimators/kernel/kernel-ridge.ts';
import { kernelAverage } from '../../../src/estimators/kernel-average/kernel-average.ts';
import {
  type KernelAverageSettings,
  kernelAverageSettings,
} from '../../../src/estimators/kernel-average/settings.ts';
import { openSafetensors } from '../../../src/formats/safetensors/index.ts';
import type { Matrix } from '../../../src/ground/matrix.ts';
import { randomStream } from '../../../src/ground/random.ts';
import type { FitContext, MetricLine } from '../../../src/learning/estimator.ts';
import { weightedR2 } from '../../../src/pasture/metric.ts';
import { isPhysical } from '../../../src/pasture/physics.ts';
import { targetsToArray } from '../../../src/pasture/targets.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { fitRows, predictRows, trainingSamples } from '../../support/training-rows.ts';
import { graphError, linearSward } from '../graph/graphs.ts';

const folder = temporaryFolder('kernel-average');
const training = linearSward(60, 20);
const fresh = linearSward(30, 20, 2);
const quiet: FitContext = { random: randomStream(1), record: () => {} };

type Written = Omit<Partial<KernelAverageSettings>, 'members'> & { readonly members: readonly object[] };

const settingsOf = (written: Written): KernelAverageSettings =>
  kernelAverageSettings.parse({
    kind: 'kernel-average',
    kernels: ['rbf'],
    gammas: [0.2],
    penalties: [0.01, 0.1],
    sessionWeight: 0.5,
    clip: 4,
    ...written,
  });

/** Rows whose columns are told apart as two sets. */
const inTwoSets = (inputs: Matrix): Matrix => ({
  ...inputs,
  sets: [
    { name: 'left', columns: 8 },
    { name: 'right', columns: 12 },
  ],
});

const values = (masses: readonly Parameters<typeof targetsToArray>[0][]): number[] =>
  masses.flatMap((mass) => [...targetsToArray(mass)]);

describe('kernel ridge on a mean of kernels', () => {
  it('is plain kernel ridge where one member keeps all its components as they are', async () => {
    const members = [{ input: 'all', components: 20, whitening: 0 }];
    const settings = settingsOf({ members, scale: 'grams', penalties: [0.05] });
    const { kernels, gammas, penalties, sessionWeight, clip } = settings;
    const average = await fitRows(kernelAverage(settings), training, quiet);
    const plain = kernelRidge({ kind: 'kernel-ridge', kernels, gammas, penalties, sessionWeight, clip });
    const expected = await predictRows(await fitRows(plain, training, quiet), fresh.inputs);
    const said = values(await predictRows(average, fresh.inputs));
    // Clipped columns have a deviation a little below 1, by which scores are brought to size.
    for (const [at, mass] of values(expected).entries()) expect(said[at]).toBeCloseTo(mass, 0);
  });

  it('learns, on grams and on roots, and says nothing unphysical', async () => {
    for (const scale of ['grams', 'root'] as const) {
      const settings = settingsOf({ members: [{ input: 'all', components: 20, whitening: 0 }], scale });
      const masses = await predictRows(await fitRows(kernelAverage(settings), training, quiet), fresh.inputs);
      expect(weightedR2(fresh.targets, masses)).toBeGreaterThan(0.4);
      expect(masses.every((mass) => isPhysical(mass))).toBe(true);
    }
  });

  it('regresses all masses, which then agree, and otherwise with covariates', async () => {
    const written = { members: [{ input: 'all', components: 20 }] };
    const said = async (further: object, covariates: Matrix | null = null) => {
      const estimator = kernelAverage(settingsOf({ ...written, ...further }));
      const samples = trainingSamples(training);
      const rows = { ...(await samples.rows()), covariates };
      const shown = Object.assign(Object.create(samples), { rows: async () => rows }) as typeof samples;
      return (await estimator.fit({ train: shown, validation: null }, quiet)).leaveSessionsOut();
    };
    const masses = await said({ outputs: 'masses' });
    expect(masses.every((mass) => isPhysical(mass, 1e-9))).toBe(true);
    expect(masses).not.toEqual(await said({}));
    expect(weightedR2(training.targets, masses)).toBeGreaterThan(0.4);
    const heights = Float64Array.from(training.targets, ({ total }) => Math.log1p(total));
    const read = { rows: heights.length, columns: 1, data: heights };
    const beside = { outputs: 'masses', withCovariates: { outputs: 'components', power: 0.7 } } as const;
    expect(await said(beside)).toEqual(masses);
    expect(await said(beside, read)).toEqual(await said({ power: 0.7 }, read));
    expect(weightedR2(training.targets, await said(beside, read))).toBeGreaterThan(
      weightedR2(training.targets, masses),
    );
  });

  it('sees of each set what its member reads, and weighs their kernels', async () => {
    const rows = { ...training, inputs: inTwoSets(training.inputs) };
    const fit = (members: readonly object[]) => fitRows(kernelAverage(settingsOf({ members })), rows, quiet);
    const left = await fit([{ input: 'left' }]);
    const muddled = {
      ...inTwoSets(fresh.inputs),
      data: fresh.inputs.data.map((value, at) => (at % 20 < 8 ? value : 99)),
    };
    expect(await predictRows(left, muddled)).toEqual(await predictRows(left, inTwoSets(fresh.inputs)));
    const both = values(
      await predictRows(await fit([{ input: 0, weight: 1e6 }, { input: 1 }]), inTwoSets(fresh.inputs)),
    );
    for (const [at, mass] of values(await predictRows(left, fresh.inputs)).entries()) {
      expect(both[at]).toBeCloseTo(mass, 4);
    }
    await expect(fit([{ input: 'middle' }])).rejects.toThrow(
      /reads middle, but the feature sets are: 0 left/,
    );
  });

  it('chooses by sessions left out in grams, a line of scores a penalty', async () => {
    const lines: MetricLine[] = [];
    const settings = settingsOf({ members: [{ input: 'all', components: 20 }], penalties: [1e-3, 1e3] });
    const context = { ...quiet, record: (line: MetricLine) => lines.push(line) };
    const model = await fitRows(kernelAverage(settings), training, context);
    expect(lines.map(({ penalty }) => penalty)).toEqual([1e-3, 1e3]);
    const [small = 0, large = 0] = lines.map((line) => line['weighted R², rbf γ 0.2'] ?? 0);
    expect(small).toBeGreaterThan(large);
    // Without the correction the recorded score is that of what the model says of sessions left out.
    const plain = kernelAverage({ ...settings, penalties: [1e-3], biasCorrection: false });
    const leftOut = (await fitRows(plain, training, quiet)).leaveSessionsOut();
    expect(weightedR2(training.targets, leftOut)).toBeCloseTo(small, 12);
    expect(model.leaveSessionsOut()).not.toEqual(leftOut);
  });

  it('is right on average of sessions left out where roots are regressed, as plain squares are not', async () => {
    const biasOf = async (biasCorrection: boolean): Promise<number> => {
      const members = [{ input: 'all', components: 20 }];
      const settings = settingsOf({ members, penalties: [0.1], biasCorrection });
      const leftOut = (await fitRows(kernelAverage(settings), training, quiet)).leaveSessionsOut();
      const errors = leftOut.map(({ total }, photo) => total - (training.targets[photo]?.total ?? 0));
      return errors.reduce((sum, error) => sum + error, 0) / errors.length;
    };
    const plain = await biasOf(false);
    expect(plain).toBeLessThan(-1);
    expect(Math.abs(await biasOf(true))).toBeLessThan(0.05);
  });

  it.each([
    ['roots', settingsOf({ members: [{ input: 0 }, { input: 1 }] })],
    ['grams', settingsOf({ members: [{ input: 1, whitening: 1 }, { input: 0 }], scale: 'grams' })],
    ['other kernels', settingsOf({ members: [{ input: 'each' }], kernels: ['laplacian'] })],
    ['a wide network', settingsOf({ members: [{ input: 'each', whitening: 0 }], kernels: ['relu'] })],
    ['all masses', settingsOf({ members: [{ input: 0 }, { input: 1 }], outputs: 'masses', power: 0.8 })],
    ['half precision', settingsOf({ members: [{ input: 0 }, { input: 1 }], stored: 'float16' })],
  ])('predicts the same from its file, and as a graph: %s', async (name, settings) => {
    const rows = { ...training, inputs: inTwoSets(training.inputs) };
    const model = await fitRows(kernelAverage(settings), rows, quiet);
    const path = join(folder, name);
    mkdirSync(path);
    await model.write(path);
    const read = await kernelAverage(settings).read(path);
    expect(await predictRows(read, fresh.inputs)).toEqual(await predictRows(model, fresh.inputs));
    expect(await graphError(model, fresh.inputs)).toBeLessThan(1e-4);
    await expect(predictRows(read, linearSward(3, 19).inputs)).rejects.toThrow(/19.*20|20.*19/);
  });

  it('stores in half precision what it was fitted on, close to what it is in single precision', async () => {
    const saved = async (stored?: 'float16' | 'float32') => {
      const members = [{ input: 'all', components: 20 }];
      const model = await fitRows(
        kernelAverage(settingsOf({ members, ...(stored && { stored }) })),
        training,
        quiet,
      );
      const path = join(folder, `stored-${stored}`);
      mkdirSync(path);
      await model.write(path);
      const file = await openSafetensors(join(path, 'model.safetensors'));
      const again = join(path, 'again');
      mkdirSync(again);
      await (await kernelAverage(settingsOf({ members })).read(path)).write(again);
      return {
        masses: values(await predictRows(model, fresh.inputs)),
        types: ['0.coefficients', '0.support', '0.mean', 'dual'].map((name) => file.tensors.get(name)?.dtype),
        bytes: readFileSync(join(path, 'model.safetensors')),
        again: readFileSync(join(again, 'model.safetensors')),
      };
    };
    const [single, named, half] = [await saved(), await saved('float32'), await saved('float16')];
    expect(named.bytes).toEqual(single.bytes);
    expect(single.types).toEqual(['F32', 'F32', 'F64', 'F64']);
    expect(half.types).toEqual(['F16', 'F16', 'F64', 'F64']);
    // A model that was read is written as it was, whatever the settings of who reads it.
    expect(half.again).toEqual(half.bytes);
    expect(half.masses).not.toEqual(single.masses);
    for (const [at, mass] of single.masses.entries()) {
      expect(Math.abs((half.masses[at] ?? Number.NaN) - mass)).toBeLessThan(0.05);
    }
  });

  it('takes no more components than the photos span, and one session', async () => {
    const few = linearSward(5, 20);
    const model = await fitRows(
      kernelAverage(settingsOf({ members: [{ input: 'all' }] })),
      { ...few, groups: few.groups.map(() => 'one') },
      quiet,
    );
    expect((await predictRows(model, fresh.inputs)).every((mass) => isPhysical(mass))).toBe(true);
  });
});
