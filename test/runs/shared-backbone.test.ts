import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it, vi } from 'vitest';
import { configure } from '../../src/ground/environment.ts';
import { Program } from '../../src/tensor/program/program.ts';
import { makeBackbone } from '../../src/vision/backbones/index.ts';
import { predictRun } from '../../src/workflows/predict/predict.ts';
import { trainRun } from '../../src/workflows/train/train.ts';
import { writeSmallFolder } from '../support/small-data-folder.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { resolveRecipe } from '../support/written-settings.ts';
import { noisyWeights, writeWeights } from '../vision/backbones/tiny.ts';

const root = temporaryFolder('shared-backbone');
const data = join(root, 'data');
beforeAll(async () => {
  configure({ cacheFolder: join(root, 'cache') });
  await writeSmallFolder(data, { photos: 12 });
  const config = { dim: 16, depth: 2, heads: 2, imgSize: [28, 28] };
  await writeWeights(join(root, 'model.safetensors'), noisyWeights(makeBackbone('dinov2', config)));
  const description = { arch: 'dinov2', config, preprocessing: { inputSize: [28, 28] } };
  writeFileSync(join(root, 'model.json'), JSON.stringify(description));
});

it('runs once a view for all folds, where heads were trained on augmented photos before a frozen one', async () => {
  const run = join(root, 'run');
  const recipe = await resolveRecipe('film-dual', [
    `backbone=${join(root, 'model.safetensors')}`,
    ...['input.size=28', 'estimator.epochs=1', 'estimator.augmentation=light'],
  ]);
  await trainRun({ source: { kind: 'folder', folder: data }, recipe, out: run, plan: { folds: 3 } });
  const runs = vi.spyOn(Program.prototype, 'run');
  const source = [join(data, 'test', 'ID1.jpg')];
  const [predicted] = (await predictRun({ run, source, tta: 'd4' })).predictions;
  const inputs = runs.mock.calls.map(([feeds]) => Object.keys(feeds ?? {}).join());
  runs.mockRestore();
  expect(predicted?.folds).toHaveLength(3);
  expect(inputs.filter((name) => name === 'images')).toHaveLength(8);
  // All views of a photo go through the heads of a fold together.
  expect(inputs.filter((name) => name === 'features')).toHaveLength(3);
});
