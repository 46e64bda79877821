import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { configure } from '../../../src/ground/environment.ts';
import { randomStream } from '../../../src/ground/random.ts';
import { parseChange } from '../../../src/ground/setting-change.ts';
import { ArrayFile } from '../../../src/networks/inputs/array-file.ts';
import { photoNetwork } from '../../../src/networks/photo-network.ts';
import { makeRecipe } from '../../../src/recipes/recipe.ts';
import type { TrainingSamples } from '../../../src/samples/samples.ts';
import { InferenceSession } from '../../../src/tensor/program/runtime.ts';
import { makeBackbone } from '../../../src/vision/backbones/index.ts';
import type { ResolvedWeights } from '../../../src/vision/weights/index.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { livelyWeights } from '../../vision/backbones/hierarchical.ts';
import { writeWeights } from '../../vision/backbones/tiny.ts';
import { contextOf, sourceOf, tinySettings, writeTinyBackbone, writeTinyPhotos } from '../tiny-photos.ts';

const root = temporaryFolder('trunk');
configure({ cacheFolder: join(root, 'cache') });
let weights: ResolvedWeights;
let photos: TrainingSamples;

beforeAll(async () => {
  weights = await writeTinyBackbone(join(root, 'tiny.safetensors'));
  photos = await writeTinyPhotos(join(root, 'photos'), 10, { weights });
});

afterEach(() => {
  vi.restoreAllMocks();
});

/** Counts what is made, and not found again, of all arrays that are kept. */
function countMade(): { made: number; asked: number } {
  const count = { made: 0, asked: 0 };
  const { get } = ArrayFile.prototype;
  vi.spyOn(ArrayFile.prototype, 'get').mockImplementation(function (this: ArrayFile, key, make) {
    count.asked++;
    return get.call(this, key, () => {
      count.made++;
      return make();
    });
  });
  return count;
}

/** Folds of one estimator, one after another: metric lines and predictions of what was held out. */
async function trained(draft: Settings, folds = 1, from: ResolvedWeights = weights): Promise<unknown> {
  const estimator = photoNetwork(tinySettings(draft), sourceOf(from));
  const half = (rest: number): number[] => [...photos.photos.keys()].filter((item) => item % 2 === rest);
  const results = [];
  for (let fold = 0; fold < folds; fold++) {
    const { lines, ...context } = contextOf();
    const split = { train: photos.take(half(fold)), validation: photos.take(half(1 - fold)) };
    const model = await estimator.fit(split, { ...context, random: randomStream(fold) });
    results.push({ lines, said: await model.predict(split.validation) });
    await model.release();
  }
  return results;
}

interface Settings {
  readonly fineTune?: object;
  readonly augmentation?: unknown;
  readonly epochs?: number;
}

async function otherBackbone(arch: string, config: Record<string, unknown>): Promise<ResolvedWeights> {
  const path = join(root, `${arch}.safetensors`);
  await writeWeights(path, livelyWeights(makeBackbone(arch, config)));
  return { ...weights, path, arch, config };
}

const LAST = { mode: 'last', lastBlocks: 1 };
const GRADUAL = { mode: 'full', unfreeze: { schedule: 'gradual', every: 1, blocks: 1 } };

describe('frozen blocks before trained ones', () => {
  it.each<[string, Settings]>([
    ['the last block', { fineTune: { ...LAST, checkpoint: true } }],
    ['block by block', { fineTune: GRADUAL, epochs: 3 }],
    ['heads on augmented photos', { augmentation: 'light' }],
    ['heads on draws', { augmentation: 'light', fineTune: { draws: 2 } }],
  ])('change no number by being kept: %s', async (_, settings) => {
    const without = await trained({ ...settings, fineTune: { ...settings.fineTune, trunkCache: 0 } });
    expect(await trained(settings)).toEqual(without);
  });

  it.each([
    ['convnext', { depths: [1, 1], dims: [8, 16] }],
    ['efficientnet', { variant: 'efficientnet_b0', channelMultiplier: 0.2, depthMultiplier: 0.3 }],
  ])('change no number of a convolutional net either: %s', async (arch, config) => {
    const net = await otherBackbone(arch, config);
    const without = await trained({ fineTune: { ...LAST, trunkCache: 0 } }, 1, net);
    expect(await trained({ fineTune: LAST }, 1, net)).toEqual(without);
  });

  it('are run once a photo, for all epochs, folds and predictions', async () => {
    const count = countMade();
    await trained({ fineTune: LAST }, 2);
    expect(count.made).toBe(10);
    // Two epochs of training and of validation and a prediction, in each of two folds.
    expect(count.asked).toBe(2 * (2 * (5 + 5) + 5));
  });

  it('are run once a draw, which are the same in every fold', async () => {
    const count = countMade();
    await trained({ fineTune: { ...LAST, draws: 2 }, augmentation: 'light', epochs: 12 }, 2);
    expect(count.made).toBe(10 + 10 * 2);
  });

  it('are the features made before where nothing is trained: only draws are run', async () => {
    const count = countMade();
    await trained({ augmentation: 'light', fineTune: { draws: 2 }, epochs: 12 }, 2);
    expect(count.made).toBe(10 * 2);
  });

  it.each(['last', 'lora', 'full'])(
    'and all else that trains and validates are compiled once for all folds: %s',
    async (mode) => {
      const create = vi.spyOn(InferenceSession, 'create');
      await trained({ fineTune: { mode } });
      const once = create.mock.calls.length;
      create.mockClear();
      await trained({ fineTune: { mode } }, 2);
      // But what predicts.
      expect(create.mock.calls.length).toBe(once + 1);
    },
  );

  it('are run again for what does not fit, with the same numbers', async () => {
    const all = await trained({ fineTune: LAST });
    const count = countMade();
    // Two views of five tokens of 16 numbers: three photos fit.
    const few = (3.5 * 2 * 5 * 16 * 4) / 2 ** 20;
    expect(await trained({ fineTune: { ...LAST, trunkCache: few } })).toEqual(all);
    // Of the training photos, which come first; none of those held out.
    expect(count.asked - count.made).toBe(3);
  });

  it('are kept of augmented photos only where those come again', async () => {
    const count = countMade();
    await trained({ fineTune: LAST, augmentation: 'light' });
    const mixed = { preset: 'light', batch: { probability: 1 } };
    await trained({ fineTune: { ...LAST, draws: 2 }, augmentation: mixed });
    // Held-out photos alone are seen as they are.
    expect(count.asked).toBe(2 * (2 * 5 + 5));
  });

  it.each([
    ['estimator.fineTune.draws=2', 'augmentation changes no picture'],
    ['estimator.fineTune.trunkCache=10', 'adapters in all blocks'],
  ])('have no settings without effect: %s', async (change, reason) => {
    const changes = ['estimator.fineTune.mode=lora', change].map(parseChange);
    await expect(makeRecipe('film-dual', changes)).rejects.toThrow(reason);
  });
});
