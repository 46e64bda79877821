import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { FittedModel, TrainingSet } from '../../../src/models/estimator.ts';
import { fineTunedNetwork } from '../../../src/models/fine-tune/fine-tune.ts';
import type { PhotoSet } from '../../../src/models/fine-tune/photo-set.ts';
import { loadTensors } from '../../../src/tensor/index.ts';
import type { ResolvedWeights } from '../../../src/vision/weights/index.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { contextOf, HALVES, tinySettings, writeTinyBackbone, writeTinyPhotos } from './tiny-photos.ts';

const root = temporaryFolder('fine-tune');
process.env.SWARD_CACHE = join(root, 'cache');
let weights: ResolvedWeights;
let photos: TrainingSet<PhotoSet>;

beforeAll(async () => {
  weights = await writeTinyBackbone(join(root, 'tiny.safetensors'));
  photos = await writeTinyPhotos(join(root, 'photos'), 10);
});

const hashOf = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex');

/** Trains, writes into a new folder, and gives back what is there. */
async function trained(name: string, draft: object) {
  const estimator = fineTunedNetwork(tinySettings(draft), { weights, plan: HALVES });
  const context = contextOf();
  const model = await estimator.fit(photos, context);
  const folder = join(root, name);
  mkdirSync(folder);
  await model.write(folder);
  return { estimator, model, folder, lines: context.lines };
}

async function predictionsOf(model: FittedModel<PhotoSet>, inputs = photos.inputs): Promise<number[]> {
  const predicted = await model.predict(inputs);
  await model.close?.();
  return predicted.map(({ total }) => total);
}

const MODES = [
  [
    'lora',
    { fineTune: { mode: 'lora', lora: { rank: 2 } } },
    /^blocks\.[012]\.attn\.(qkv|proj)\.lora_[ab]$/,
    12,
  ],
  ['last', { fineTune: { mode: 'last', lastBlocks: 1 } }, /^(blocks\.2\.|norm\.)/, 16],
  ['full', { fineTune: { mode: 'full' } }, /./, 48],
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
    const now = await predictionsOf(model);
    const again = await predictionsOf(await estimator.read(folder));
    expect(new Set(now.map((value) => value.toFixed(4))).size).toBeGreaterThan(3);
    again.forEach((value, index) => {
      expect(value).toBeCloseTo(now[index] as number, 3);
    });
  });
});
