import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { InferenceSession } from 'onnxruntime-node';
import { describe, expect, it, vi } from 'vitest';
import { writeNpyFloat32 } from '../../src/formats/npy/npy.ts';
import { randomStream } from '../../src/ground/random.ts';
import type { Estimator, FitContext, FittedModel } from '../../src/learning/estimator.ts';
import { network } from '../../src/networks/network.ts';
import { weightedR2 } from '../../src/pasture/metric.ts';
import { isPhysical } from '../../src/pasture/physics.ts';
import { plainSamples, type TrainingSamples } from '../../src/samples/samples.ts';
import { openSafetensors } from '../../src/tensor/index.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { contextOf, settingsOf, smallSet, withFacts } from './small-sets.ts';

const root = temporaryFolder('network');
const set = smallSet();

const MLP = {
  architecture: { kind: 'mlp', hidden: [16], dropout: 0.1 },
  standardise: true,
  unit: 'mean',
  loss: { huber: 1 },
  optimizer: { rate: 0.02 },
  epochs: 8,
};
const FILM = {
  ...MLP,
  architecture: { kind: 'film-dual', hidden: 8 },
  layout: { halves: 2 },
};
const TILED = {
  ...MLP,
  architecture: { kind: 'tiled-dual' },
  layout: { halves: 2 },
  loss: { smoothL1: 1, weights: 'nested' },
  mixup: { probability: 0.5 },
};
const DENSITY = {
  ...MLP,
  architecture: { kind: 'density' },
  layout: { halves: 2, parts: 4 },
};

/** Trains without a fold held out. */
const fit = (
  settings: ReturnType<typeof settingsOf>,
  context: FitContext,
  train: TrainingSamples = set,
): Promise<FittedModel> => network(settings).fit({ train, validation: null }, context);

function folder(name: string): string {
  const path = join(root, name);
  mkdirSync(path);
  return path;
}

async function writtenAndRead(estimator: Estimator, model: FittedModel, name: string): Promise<FittedModel> {
  const path = folder(name);
  await model.write(path);
  return estimator.read(path);
}

describe('networks over features', () => {
  it.each([
    ['mlp', MLP],
    ['film-dual', FILM],
    ['tiled-dual', TILED],
    ['density', DENSITY],
    ['mlp in single precision', { ...MLP, storage: 'fp32' }],
    ['film-dual with two members and averages', { ...FILM, members: 2, averageDecay: 0.9 }],
  ])('%s: learn, stay physical, and predict the same when read back', async (name, draft) => {
    const estimator = network(settingsOf({ ...draft, epochs: 30 }));
    const context = contextOf(1);
    const model = await estimator.fit({ train: set, validation: null }, context);
    const masses = await model.predict(set);
    expect(masses.every((targets) => isPhysical(targets, 1e-9))).toBe(true);
    expect(weightedR2(set.targets, masses)).toBeGreaterThan(0.5);
    expect(context.lines[0]).toEqual({
      epoch: 1,
      'training loss': expect.any(Number),
      'learning rate': expect.any(Number),
    });
    const read = await writtenAndRead(estimator, model, `${name} read`);
    expect(await read.predict(set)).toEqual(masses);
    const some = set.take([3, 1]);
    expect(await read.predict(some)).toEqual([masses[3], masses[1]]);
  });

  it('give the same numbers for the same seed, others for another', async () => {
    const estimator = network(settingsOf(TILED));
    const [first, same, other] = await Promise.all(
      [7, 7, 8].map(async (seed) =>
        (await estimator.fit({ train: set, validation: null }, contextOf(seed))).predict(set),
      ),
    );
    expect(same).toEqual(first);
    expect(other).not.toEqual(first);
  });

  it('store matrices in half precision unless told otherwise', async () => {
    const sizes: Record<string, number> = {};
    for (const storage of ['fp16', 'fp32']) {
      const path = folder(`storage ${storage}`);
      const wide = { ...MLP, architecture: { kind: 'mlp', hidden: [512] }, storage, epochs: 1 };
      await (await fit(settingsOf(wide), contextOf(1))).write(path);
      expect(readdirSync(path)).toEqual(['network-0.safetensors']);
      const file = join(path, 'network-0.safetensors');
      sizes[storage] = statSync(file).size;
      const dtype = (await openSafetensors(file)).tensors.get('layers.0.weight')?.dtype;
      expect(dtype).toBe(storage === 'fp16' ? 'F16' : 'F32');
    }
    expect(sizes.fp16).toBeLessThan(0.7 * (sizes.fp32 as number));
  });

  it('tells what share of all members and epochs is done, batch by batch', async () => {
    const shares: number[] = [];
    const context = { ...contextOf(1), onProgress: (share: number) => shares.push(share) };
    await fit(settingsOf({ ...MLP, members: 2, epochs: 3, batch: 8 }), context);
    const batches = Math.ceil(set.targets.length / 8);
    const steps = 2 * 3 * batches;
    expect(shares.length).toBe(steps);
    for (const [step, share] of shares.entries()) expect(share).toBeCloseTo((step + 1) / steps, 10);
  });

  it('scatter when dropout is left on, the same for the same stream', async () => {
    const model = await fit(settingsOf({ ...MLP, members: 2 }), contextOf(1));
    const draw = async (seed: number) => model.sampleDropout(set, 3, randomStream(seed));
    const samples = await draw(1);
    expect(samples).toHaveLength(3);
    expect(samples[0]).toHaveLength(set.targets.length);
    expect(samples[0]).not.toEqual(samples[2]);
    expect(samples.flat().every((targets) => isPhysical(targets, 1e-9))).toBe(true);
    expect(await draw(1)).toEqual(samples);
  });

  it('of density say where the mass is: maps that sum to the prediction', async () => {
    const estimator = network(settingsOf({ ...DENSITY, members: 2 }));
    const fitted = await estimator.fit({ train: set, validation: null }, contextOf(1));
    const model = await writtenAndRead(estimator, fitted, 'maps');
    const [masses, maps] = [await model.predict(set), await model.maps(set)];
    expect(maps[0]).toMatchObject({ halves: 2, rows: 2, columns: 2 });
    maps.forEach(({ grams }, photo) => {
      const sums = [0, 1, 2].map((component) =>
        Array.from(grams).reduce((sum, mass, at) => sum + (at % 3 === component ? mass : 0), 0),
      );
      const { green, dead, clover } = masses[photo] ?? { green: 0, dead: 0, clover: 0 };
      [green, dead, clover].forEach((mass, component) => {
        expect(sums[component]).toBeCloseTo(mass, 3);
      });
    });
    expect((await fit(settingsOf(MLP), contextOf(1))).capabilities.maps).toBe(false);
  });

  it('learn more from photos that count more', async () => {
    const heavy = { green: 500, dead: 0, clover: 0, gdm: 500, total: 500 };
    const doubled = set.withTargets(set.targets.map((targets, photo) => (photo % 2 === 0 ? targets : heavy)));
    const fitWith = async (weight: number): Promise<number> => {
      const weighed = withFacts(doubled, (facts, photo) => ({
        ...facts,
        weight: photo % 2 === 0 ? 1 : weight,
      }));
      const model = await fit(settingsOf(MLP), contextOf(1), weighed);
      const masses = await model.predict(set);
      return masses.reduce((sum, { total }) => sum + total / masses.length, 0);
    };
    expect(await fitWith(0)).toBeLessThan((await fitWith(1)) / 2);
  });

  it('learn State, species, NDVI and height beside the masses, and keep none of it', async () => {
    const auxiliary = { state: 0.1, species: 0.1, ndvi: 0.1, height: 0.1 };
    const loss = { huber: 1, bins: 0.3, nll: 0.1 };
    const path = folder('auxiliary');
    const model = await fit(settingsOf({ ...MLP, auxiliary, loss }), contextOf(1));
    await model.write(path);
    const { tensors } = await openSafetensors(join(path, 'network-0.safetensors'));
    expect([...tensors.keys()].filter((name) => name.startsWith('auxiliary'))).toEqual([]);
    const plain = await fit(settingsOf(MLP), contextOf(1));
    expect(await model.predict(set)).not.toEqual(await plain.predict(set));
  });

  it('compare a further embedding with concepts, by its cosines', async () => {
    const path = join(root, 'concepts.npy');
    await writeNpyFloat32(path, { rows: 2, columns: 2, data: Float64Array.of(1, 0, 0, 3) });
    const settings = settingsOf({ ...MLP, layout: { extra: 2 }, concepts: path });
    const model = await fit(settings, contextOf(1));
    // Only the direction of the embedding counts.
    const longer = set.withFeatures((rows) => ({
      ...rows,
      data: rows.data.map((value, at) => (at % 8 >= 6 ? 5 * value : value)),
    }));
    const [a, b] = [await model.predict(set), await model.predict(longer)];
    expect(weightedR2(a, b)).toBeGreaterThan(0.999999);
    const wrong = settingsOf({ ...MLP, layout: { extra: 3 }, concepts: path });
    await expect(fit(wrong, contextOf(1))).rejects.toThrow(/concepts of width 2 do not suit/);
    const read = await writtenAndRead(network(settings), model, 'concepts');
    expect(await read.predict(set)).toEqual(a);
  });

  it('stay compiled after a prediction until they are released', async () => {
    const model = await fit(settingsOf({ ...MLP, members: 2, epochs: 1 }), contextOf(1));
    const opened = vi.spyOn(InferenceSession, 'create');
    const first = await model.predict(set);
    expect(opened).toHaveBeenCalledTimes(2);
    expect(await model.predict(set)).toEqual(first);
    expect(opened).toHaveBeenCalledTimes(2);
    await model.release();
    expect(await model.predict(set)).toEqual(first);
    expect(opened).toHaveBeenCalledTimes(4);
    opened.mockRestore();
    await model.release();
  });

  it('say what does not fit', async () => {
    const rows = settingsOf({ ...MLP, layout: { halves: 2, parts: 3 } });
    await expect(fit(rows, contextOf(1))).rejects.toThrow(/8 columns are not 2 halves × 3 parts/);
    const model = await fit(settingsOf(MLP), contextOf(1));
    await expect(
      model.predict(plainSamples({ rows: 1, columns: 3, data: new Float64Array(3) })),
    ).rejects.toThrow(/have 3 columns, but the model was trained on 8/);
    const best = settingsOf({ ...MLP, checkpoint: { choice: 'best-fold' } });
    await expect(fit(best, contextOf(1))).rejects.toThrow(/needs a fold held out/);
    const oneSession = withFacts(set, (facts) => ({ ...facts, group: 'one' }));
    const inner = settingsOf({ ...MLP, checkpoint: { choice: 'best-inner' } });
    await expect(fit(inner, contextOf(1), oneSession)).rejects.toThrow(/there is only one/);
    const diverging = settingsOf({ ...MLP, optimizer: { kind: 'sgd', rate: 1e30 } });
    await expect(fit(diverging, contextOf(1))).rejects.toThrow(/training diverged in epoch 1/);
    const other = folder('other');
    await model.write(other);
    await expect(network(settingsOf(FILM)).read(other)).rejects.toThrow(/is a mlp model, not film-dual/);
    writeFileSync(
      join(other, 'network-0.safetensors'),
      readFileSync(join(other, 'network-0.safetensors')).subarray(9),
    );
    await expect(network(settingsOf(MLP)).read(other)).rejects.toThrow(/network-0\.safetensors/);
  });
});

describe('the checkpoint', () => {
  const held = smallSet(12, 8, 2);
  const validated = { train: set, validation: held };

  it('is the best epoch on the fold where that is asked for, and stops when it gets no better', async () => {
    const checkpoint = { choice: 'best-fold', patience: 3 };
    const settings = settingsOf({ ...MLP, checkpoint, epochs: 60 });
    const context = contextOf(1);
    const model = await network(settings).fit(validated, context);
    const scores = context.lines.map((line) => line['validation weighted R²'] as number);
    const best = Math.max(...scores);
    expect(scores.length).toBeLessThan(60);
    expect(scores.indexOf(best)).toBe(scores.length - 4);
    expect(weightedR2(held.targets, await model.predict(held))).toBeCloseTo(best, 2);
  });

  it('of whole sessions held out differs from member to member', async () => {
    const settings = settingsOf({ ...MLP, checkpoint: { choice: 'best-inner', innerFolds: 3 }, members: 2 });
    const context = contextOf(1);
    await fit(settings, context);
    expect(context.lines.map(({ epoch }) => epoch)).toEqual(Array.from({ length: 16 }, (_, at) => at + 1));
    expect(context.lines[0]?.['validation loss']).not.toBe(context.lines[8]?.['validation loss']);
  });

  it('of whole sessions holds out large ones too where photos of small ones count more', async () => {
    const grouped = withFacts(set, (facts, photo) => ({
      ...facts,
      group: photo < 4 ? 'small' : photo < 14 ? 'large' : 'larger',
    }));
    const checkpoint = { choice: 'best-inner', innerFolds: 3 };
    const settings = settingsOf({ ...MLP, checkpoint, members: 3, sessionWeight: 1, epochs: 1 });
    const context = contextOf(1);
    await fit(settings, context, grouped);
    const losses = context.lines.map((line) => line['validation loss']);
    expect(new Set(losses).size).toBe(3);
  });

  it('is the last epoch by default: what is held out is shown but changes nothing', async () => {
    const context = contextOf(1);
    const shown = await network(settingsOf(MLP)).fit(validated, context);
    const alone = await fit(settingsOf(MLP), contextOf(1));
    expect(context.lines[0]).toHaveProperty('validation loss');
    expect(await shown.predict(held)).toEqual(await alone.predict(held));
  });
});
