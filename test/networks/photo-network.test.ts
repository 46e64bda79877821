import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { InferenceSession } from 'onnxruntime-node';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { partlyMeasured } from '../../src/estimators/partly-measured/partly-measured.ts';
import { configure } from '../../src/ground/environment.ts';
import { UsageError } from '../../src/ground/errors.ts';
import { joinFeatureSets, type Matrix } from '../../src/ground/matrix.ts';
import { randomStream } from '../../src/ground/random.ts';
import { network } from '../../src/networks/network.ts';
import { photoNetwork } from '../../src/networks/photo-network.ts';
import { completedTargets } from '../../src/pasture/partial.ts';
import type { MassName } from '../../src/pasture/targets.ts';
import { TrainingSamples } from '../../src/samples/samples.ts';
import { loadTensors } from '../../src/tensor/index.ts';
import { featurePlan } from '../../src/vision/features/index.ts';
import type { ResolvedWeights } from '../../src/vision/weights/index.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import {
  contextOf,
  HALVES,
  sourceOf,
  tinySettings,
  totalsOf,
  writeTinyBackbone,
  writeTinyPhotos,
} from './tiny-photos.ts';

const root = temporaryFolder('fine-tune');
configure({ cacheFolder: join(root, 'cache') });
let weights: ResolvedWeights;
let photos: TrainingSamples;

beforeAll(async () => {
  weights = await writeTinyBackbone(join(root, 'tiny.safetensors'));
  photos = await writeTinyPhotos(join(root, 'photos'), 10, { weights });
});

const hashOf = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex');

/** Trains, writes into a new folder, and gives back what is there. */
async function trained(name: string, draft: object) {
  const estimator = photoNetwork(tinySettings(draft), sourceOf(weights));
  const context = contextOf();
  const model = await estimator.fit({ train: photos, validation: null }, context);
  const folder = join(root, name);
  mkdirSync(folder);
  await model.write(folder);
  return { estimator, model, folder, lines: context.lines };
}

const MODES = [
  [
    'lora',
    { fineTune: { mode: 'lora', lora: { rank: 2 } } },
    /^blocks\.[01]\.attn\.(qkv|proj)\.lora_[ab]$/,
    8,
  ],
  ['last', { fineTune: { mode: 'last', lastBlocks: 1 } }, /^(blocks\.1\.|norm\.)/, 16],
  ['full', { fineTune: { mode: 'full' } }, /./, 34],
] as const;

describe.each(MODES)('fine-tuning in mode %s', (mode, draft, written, count) => {
  it('lowers the loss, writes what it trained and nothing else, and predicts the same when read back', async () => {
    const before = hashOf(weights.path);
    const { estimator, model, folder, lines } = await trained(mode, { ...draft, epochs: 4 });
    expect(lines.at(-1)?.['training loss']).toBeLessThan(lines[0]?.['training loss'] as number);
    const { tensors } = await loadTensors(join(folder, 'backbone.safetensors'));
    const published = (await loadTensors(weights.path)).tensors;
    expect(Object.keys(tensors).filter((name) => !written.test(name))).toEqual([]);
    expect(Object.keys(tensors)).toHaveLength(count);
    for (const [name, { values }] of Object.entries(tensors)) {
      expect(values, name).not.toEqual(published[name]?.values);
    }
    expect(hashOf(weights.path)).toBe(before);
    const now = await totalsOf(model, photos);
    const again = await totalsOf(await estimator.read(folder), photos);
    expect(new Set(now.map((value) => value.toFixed(4))).size).toBeGreaterThan(3);
    again.forEach((value, index) => {
      expect(value).toBeCloseTo(now[index] as number, 3);
    });
  });
});

describe('fine-tuning on photos of which some masses were not measured', () => {
  it.each<[string, (photo: number) => readonly MassName[]]>([
    ['totals alone', () => ['total']],
    ['totals, and green of every other', (photo) => (photo % 2 ? ['total', 'green'] : ['total'])],
  ])('lowers the loss and predicts what it was taught: %s', async (name, measured) => {
    const masses = photos.targets.map((all, photo) =>
      completedTargets(Object.fromEntries(measured(photo).map((mass) => [mass, all[mass]]))),
    );
    const settings = tinySettings({
      ...MODES[0][1],
      epochs: 4,
      mixup: { probability: 1 },
      augmentation: 'light',
      checkpoint: { choice: 'last' },
    });
    const estimator = partlyMeasured(photoNetwork(settings, sourceOf(weights)));
    const context = contextOf();
    const model = await estimator.fit({ train: photos.withTargets(masses), validation: null }, context);
    expect(Number.isFinite(context.lines.at(-1)?.['training loss'])).toBe(true);
    expect(model.predicts).toMatchObject({ total: true, dead: false, green: name.includes('green') });
    const said = await model.predict(photos);
    expect(said.every(({ total, dead }) => Number.isFinite(total) && Number.isNaN(dead))).toBe(true);
    const folder = join(root, name.replaceAll(/\W/g, '-'));
    mkdirSync(folder);
    await model.write(folder);
    const again = await (await estimator.read(folder)).predict(photos);
    expect(again[0]?.total).toBeCloseTo(said[0]?.total ?? 0, 3);
    await model.release();
  });
});

/** Everything a model's folder holds, by file and tensor. */
async function tensorsOf(folder: string): Promise<Record<string, unknown>> {
  const files = ['network-0.safetensors', 'backbone.safetensors'];
  const loaded = await Promise.all(files.map((file) => loadTensors(join(folder, file))));
  return Object.fromEntries(loaded.map(({ tensors }, index) => [files[index], tensors]));
}

describe('gradual unfreezing', () => {
  const draft = {
    fineTune: { mode: 'full', unfreeze: { schedule: 'gradual', blocks: 1, every: 1 } },
    augmentation: 'light',
    averageDecay: 0.5,
    checkpoint: { choice: 'last' },
  };

  it('moves the last blocks first, and what has joined goes on', async () => {
    const movedAfter = async (epochs: number): Promise<string[]> => {
      const { folder } = await trained(`gradual-${epochs}`, { ...draft, epochs });
      const { tensors } = await loadTensors(join(folder, 'backbone.safetensors'));
      return [...new Set(Object.keys(tensors).map((name) => name.split('.', 2).join('.')))].sort();
    };
    expect(await movedAfter(1)).toEqual(['norm.bias', 'norm.weight']);
    expect(await movedAfter(2)).toEqual(['blocks.1', 'norm.bias', 'norm.weight']);
  });

  it('goes on after an interruption as if there had been none', async () => {
    const undisturbed = await trained('undisturbed', { ...draft, epochs: 3 });
    const checkpointFolder = join(root, 'states');
    const estimator = photoNetwork(tinySettings({ ...draft, epochs: 3 }), sourceOf(weights));
    const first = contextOf(checkpointFolder);
    const interrupted = estimator.fit(
      { train: photos, validation: null },
      {
        ...first,
        record(line) {
          if (line.epoch === 3) throw new Error('interrupted');
          first.record(line);
        },
      },
    );
    await expect(interrupted).rejects.toThrow('interrupted');
    const second = contextOf(checkpointFolder);
    const model = await estimator.fit({ train: photos, validation: null }, second);
    expect(second.lines).toEqual(undisturbed.lines);
    const folder = join(root, 'resumed');
    mkdirSync(folder);
    await model.write(folder);
    expect(await tensorsOf(folder)).toEqual(await tensorsOf(undisturbed.folder));
  });
});

describe('heads on a frozen backbone with augmentation', () => {
  it('are written as a network over features, which photos and features are predicted with alike', async () => {
    const draft = { augmentation: 'seed1', epochs: 3 };
    const { model, folder, estimator } = await trained('frozen', draft);
    expect(readdirSync(folder)).toEqual(['network-0.safetensors']);
    const onFeatures = await network(tinySettings(draft)).read(folder);
    const expected = await totalsOf(onFeatures, photos);
    expect(await totalsOf(model, photos)).toEqual(expected);
    expect(await totalsOf(await estimator.read(folder), photos)).toEqual(expected);
  });
});

describe('training in two stages', () => {
  it('lets the heads learn from features first, and goes on from there', async () => {
    const draft = { fineTune: { mode: 'last', lastBlocks: 1, headEpochs: 3 }, epochs: 1 };
    const { lines } = await trained('two-stage', draft);
    expect(lines.map(({ epoch }) => epoch)).toEqual([1, 2, 3, 4]);
    const losses = lines.map((line) => line['training loss'] as number);
    expect(losses[3]).toBeLessThan(losses[0] as number);
    const { lines: heads } = await trained('heads-last', {
      ...draft,
      fineTune: { mode: 'last', lastBlocks: 1 },
    });
    expect(losses[3]).toBeLessThan(heads[0]?.['training loss'] as number);
  });
});

describe('views turned for prediction', () => {
  it('change what a model of its own backbone says, and back again', async () => {
    const { model } = await trained('turned', { fineTune: { mode: 'last', lastBlocks: 1 } });
    const [straight, mirrored, again] = [
      await model.predict(photos),
      await model.predict(photos.turned(1)),
      await model.predict(photos.turned(0)),
    ];
    await model.release();
    expect(mirrored).not.toEqual(straight);
    expect(again).toEqual(straight);
  });

  it('are drawn with dropout on where samples are asked for', async () => {
    const draft = {
      fineTune: { mode: 'last', lastBlocks: 1 },
      architecture: { kind: 'film-dual', dropout: 0.5 },
    };
    const { model } = await trained('sampled', draft);
    const [one, other] = await model.sampleDropout(photos, 2, randomStream(1));
    expect(one).toHaveLength(10);
    expect(one).not.toEqual(other);
    expect(await model.sampleDropout(photos, 2, randomStream(1))).toEqual([one, other]);
  });
});

describe('a network with its own backbone', () => {
  it('stays compiled after a prediction until it is released', async () => {
    const { model } = await trained('kept', { fineTune: { mode: 'last', lastBlocks: 1 }, epochs: 1 });
    const opened = vi.spyOn(InferenceSession, 'create');
    const first = await model.predict(photos);
    expect(await model.predict(photos)).toEqual(first);
    expect(opened).toHaveBeenCalledTimes(1);
    await model.release();
    expect(await model.predict(photos)).toEqual(first);
    expect(opened).toHaveBeenCalledTimes(2);
    opened.mockRestore();
    await model.release();
  });
});

describe('a density network with its own backbone', () => {
  it('maps masses that sum to what it predicts', async () => {
    const draft = { architecture: { kind: 'density' }, fineTune: { mode: 'last', lastBlocks: 1 } };
    const plan = featurePlan({ view: 'halves', pooling: 'patches', grid: 2 });
    const model = await photoNetwork(tinySettings(draft), sourceOf(weights, plan)).fit(
      { train: photos, validation: null },
      contextOf(),
    );
    const [maps, masses] = [await model.maps(photos), await model.predict(photos)];
    await model.release();
    maps.forEach(({ halves, rows, columns, grams }, photo) => {
      expect([halves, rows, columns, grams.length]).toEqual([2, 2, 2, 2 * 4 * 3]);
      expect(Array.from(grams).reduce((sum, mass) => sum + mass, 0)).toBeCloseTo(
        masses[photo]?.total ?? Number.NaN,
        2,
      );
    });
  });
});

describe('features of the untouched backbone', () => {
  it.each([
    ['are not made where nothing needs them', { mode: 'full' }, false],
    ['are made before the folds where heads begin with them', { mode: 'full', headEpochs: 1 }, true],
    ['are made before the folds where the backbone stays as it is', { mode: 'none' }, true],
  ] as const)('%s', async (_, fineTune, expected) => {
    let asked = false;
    const watched = photos.withSource({
      photos: photos.photos,
      async features() {
        asked = true;
        return photos.features();
      },
    });
    await photoNetwork(tinySettings({ fineTune }), sourceOf(weights)).prepare(watched);
    expect(asked).toBe(expected);
  });
});

describe('further features beside the backbone', () => {
  /** Photos with the features of the backbone, and one that tells the green mass. */
  const withGreen = (): TrainingSamples => {
    const asked = { photos: photos.photos, features: furtherFeatures };
    return new TrainingSamples(photos.facts, asked, photos.targets);
  };
  async function furtherFeatures(turn: number, firstSet = 0): Promise<Matrix> {
    const green = {
      rows: photos.count,
      columns: 1,
      data: Float64Array.from(photos.targets, ({ green }) => green / 30),
    };
    const further = { name: 'green', matrix: green };
    if (firstSet === 1) return joinFeatureSets([further]);
    return joinFeatureSets([{ name: 'tiny', matrix: await photos.turned(turn).features() }, further]);
  }
  const estimatorOf = (draft: object) =>
    photoNetwork(tinySettings(draft), { ...sourceOf(weights), hasFurther: true });
  const MODE = { mode: 'last', lastBlocks: 1 };

  it.each([
    ['a trained backbone', { fineTune: MODE }],
    ['heads that begin with features', { fineTune: { ...MODE, headEpochs: 2 }, standardise: true }],
    [
      'a frozen backbone whose photos are augmented',
      { augmentation: { preset: 'light', batch: { probability: 1 } } },
    ],
  ])('are read by the heads of %s, in prediction and when read back', async (name, draft) => {
    const samples = withGreen();
    const settings = { epochs: 6, architecture: { kind: 'film-dual', hidden: 8, dropout: 0.2 }, ...draft };
    const estimator = estimatorOf(settings);
    const model = await estimator.fit({ train: samples, validation: samples }, contextOf());
    const folder = join(root, name);
    mkdirSync(folder);
    await model.write(folder);
    const { metadata } = await loadTensors(join(folder, 'network-0.safetensors'));
    expect(metadata).toMatchObject({ extra: '1' });
    const now = await totalsOf(model, samples);
    const read = await estimator.read(folder);
    (await totalsOf(read, samples)).forEach((total, photo) => {
      expect(total).toBeCloseTo(now[photo] as number, 3);
    });
    const draws = await read.sampleDropout(samples, 2, randomStream(1));
    expect(draws[0]).not.toEqual(draws[1]);
    // The same photos beside other features are predicted otherwise.
    const shuffled = samples.withSource({
      photos: photos.photos,
      features: async (turn, firstSet) => {
        const matrix = await furtherFeatures(turn, firstSet);
        const last = matrix.columns - 1;
        const data = matrix.data.map((value, at) => (at % matrix.columns === last ? 2 - value : value));
        return { ...matrix, data };
      },
    });
    const other = await read.predict(shuffled);
    expect(other.map(({ total }) => total)).not.toEqual(now);
    await read.release();
  });
});

describe('settings that cannot be', () => {
  it.each([
    [{ fineTune: { mode: 'full', precision: 'bfloat16' } }, /bfloat16: provider cpu has no kernels for it/],
    [
      { fineTune: { mode: 'full', precision: 'int8', provider: 'cuda' } },
      /int8: provider cuda has no kernels for it; .*provider cpu$/,
    ],
    [{ fineTune: { mode: 'last', lastBlocks: 3 } }, /lastBlocks 3: dinov2 has 2 blocks/],
    [
      { fineTune: { mode: 'lora', lora: { targets: ['nothing'] } } },
      /targets nothing: dinov2 has no such .*; it has attn\.qkv, attn\.proj, mlp\.fc1, mlp\.fc2$/,
    ],
    [
      { fineTune: { mode: 'lora', lora: { rank: 100_000 } } },
      /rank 100000: the narrowest layer of dinov2 .* wide/,
    ],
    [{ fineTune: { mode: 'full' }, members: 2 }, /one network a fold; set estimator\.members=1/],
    [{ fineTune: { mode: 'full' }, layout: { extra: 5 } }, /takes further features from further backbones/],
  ])('%j are refused in one line', async (draft, message) => {
    const estimator = photoNetwork(tinySettings(draft), sourceOf(weights));
    await expect(estimator.fit({ train: photos, validation: null }, contextOf())).rejects.toThrow(UsageError);
    await expect(estimator.fit({ train: photos, validation: null }, contextOf())).rejects.toThrow(message);
  });

  it('include a quantised backbone that is to be trained', async () => {
    const plan = featurePlan({ ...HALVES, precision: 'int8' });
    const estimator = photoNetwork(tinySettings({ fineTune: { mode: 'lora' } }), sourceOf(weights, plan));
    await expect(estimator.fit({ train: photos, validation: null }, contextOf())).rejects.toThrow(
      /a backbone in int8 cannot be trained/,
    );
  });

  it('include a model of another mode, when it is read', async () => {
    const { folder } = await trained('other-mode', { fineTune: { mode: 'last', lastBlocks: 1 } });
    const estimator = photoNetwork(tinySettings({ fineTune: { mode: 'full' } }), sourceOf(weights));
    await expect(estimator.read(folder)).rejects.toThrow(/backbone\.safetensors: was trained in mode last/);
  });
});
