import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { configure } from '../../src/ground/environment.ts';
import { randomStream } from '../../src/ground/random.ts';
import { PhotoViews, photoMemory } from '../../src/networks/inputs/photo-views.ts';
import {
  backboneFeatures,
  backboneScope,
  IMAGES,
  openPhotoBackbone,
  photoShape,
  viewInput,
} from '../../src/networks/inputs/photos.ts';
import { photoNetwork } from '../../src/networks/photo-network.ts';
import type { TrainingSamples } from '../../src/samples/samples.ts';
import { compile } from '../../src/tensor/index.ts';
import { extractFeatures, featurePlan } from '../../src/vision/features/index.ts';
import type { ResolvedWeights } from '../../src/vision/weights/index.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { contextOf, sourceOf, tinySettings, writeTinyBackbone, writeTinyPhotos } from './tiny-photos.ts';

const root = temporaryFolder('fine-tune-windows');
const cacheFolder = join(root, 'cache');
configure({ cacheFolder });
const WINDOWS = { view: 'windows', windows: { across: 3 }, pooling: 'mean' } as const;
const KEPT = featurePlan({ ...WINDOWS, combine: 'keep' });
let weights: ResolvedWeights;
let photos: TrainingSamples;

beforeAll(async () => {
  weights = await writeTinyBackbone(join(root, 'tiny.safetensors'));
  photos = await writeTinyPhotos(join(root, 'photos'), 6);
});

describe('windows in the graph of a backbone', () => {
  it.each([
    ['averaged', featurePlan(WINDOWS), 1],
    ['kept', KEPT, 6],
  ] as const)('are the features of a frozen one: %s', async (_, plan, parts) => {
    const net = await openPhotoBackbone(weights, plan);
    expect(photoShape(net)).toMatchObject({ halves: 1, parts, dim: 16 });
    const scope = backboneScope(net, tinySettings().fineTune, {
      random: randomStream(0),
      part: { trains: () => false, rate: 0 },
    });
    const { parts: features } = backboneFeatures(net, scope.forInference(), viewInput(net, 2));
    const program = await compile({ outputs: { features } });
    const views = new PhotoViews(net, photoMemory(8));
    const paths = photos.photos.slice(0, 2);
    const images = await views.batch(
      paths.map((photo) => ({ photo, turn: 0 })),
      2,
    );
    const result = await program.run({ [IMAGES]: images });
    await views.close();
    await program.dispose();
    const { data } = await extractFeatures(paths, weights, plan, { cacheFolder });
    expect(result.features?.values).toHaveLength(data.length);
    result.features?.values.forEach((value, at) => {
      expect(value).toBeCloseTo(data[at] ?? Number.NaN, 4);
    });
  });
});

describe('training on the windows of photos', () => {
  it.each([
    ['lora', { mode: 'lora', lora: { rank: 2 } }],
    ['last', { mode: 'last', lastBlocks: 1 }],
    ['full', { mode: 'full' }],
  ])('lowers the loss and predicts the same when read back: mode %s', async (mode, fineTune) => {
    const settings = tinySettings({
      architecture: { kind: 'tiled-dual', tiles: 'attention', hiddenRatio: 1, dropout: 0 },
      layout: { halves: 1, parts: 6 },
      augmentation: 'light',
      optimizer: { rate: 1e-2 },
      epochs: 6,
      fineTune,
    });
    const estimator = photoNetwork(settings, sourceOf(weights, KEPT));
    const context = contextOf();
    const model = await estimator.fit({ train: photos, validation: null }, context);
    const losses = context.lines.map((line) => line['training loss'] as number);
    expect(losses.at(-1)).toBeLessThan(losses[0] as number);
    const folder = join(root, mode);
    mkdirSync(folder);
    await model.write(folder);
    const straight = await model.predict(photos);
    expect(await model.predict(photos.turned(1))).not.toEqual(straight);
    await model.release();
    const again = await estimator.read(folder);
    const read = await again.predict(photos);
    await again.release();
    expect(new Set(straight.map(({ total }) => total.toFixed(4))).size).toBeGreaterThan(3);
    read.forEach(({ total }, photo) => {
      expect(total).toBeCloseTo(straight[photo]?.total ?? Number.NaN, 3);
    });
  });
});
