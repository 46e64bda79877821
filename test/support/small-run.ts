import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeBackbone } from '../../src/vision/backbones/index.ts';
import { noisyWeights, writeWeights } from '../vision/backbones/tiny.ts';
import { runSward } from './run-sward.ts';

/** Trains a run in seconds on a data folder of few photos. @throws what the command complained of */
export async function trainSmallRun(
  data: string,
  out: string,
  cache: string,
  recipe = 'descriptor-ridge',
  ...more: string[]
): Promise<string> {
  const { code, stderr } = await runSward(
    ['train', data, '--recipe', recipe, '--folds', '3', '--out', out, ...more],
    { SWARD_CACHE: cache },
  );
  if (code !== 0) throw new Error(stderr);
  return out;
}

/** As {@link trainSmallRun}, a run that says where in a photo the mass is. @param folder for its backbone, and the run */
export async function trainMappingRun(data: string, folder: string, cache: string): Promise<string> {
  const model = join(folder, 'mapping.safetensors');
  const config = { dim: 24, depth: 2, heads: 3, imgSize: [42, 42] };
  await writeWeights(model, noisyWeights(makeBackbone('dinov2', config)));
  writeFileSync(
    join(folder, 'mapping.json'),
    JSON.stringify({ arch: 'dinov2', config, preprocessing: { inputSize: [42, 42] } }),
  );
  const settings = [`backbone=${model}`, 'input.size=42', 'input.grid=3', 'estimator.epochs=3'];
  const set = settings.flatMap((setting) => ['--set', setting]);
  return trainSmallRun(data, join(folder, 'mapping'), cache, 'density', ...set);
}
