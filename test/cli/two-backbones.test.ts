import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Tensor } from 'onnxruntime-node';
import { beforeAll, describe, expect, it } from 'vitest';
import { readPredictions } from '../../src/data/predictions.ts';
import { makeBackbone } from '../../src/vision/backbones/index.ts';
import { decodePhoto } from '../../src/vision/photos/index.ts';
import { errorLine } from '../support/run-sward.ts';
import { sharedCache } from '../support/shared-cache.ts';
import { writeSmallFolder } from '../support/small-data-folder.ts';
import { stockSession } from '../support/stock-session.ts';
import { hostSward } from '../support/sward-host.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { noisyWeights, writeWeights } from '../vision/backbones/tiny.ts';

const root = temporaryFolder('two-backbones');
const data = join(root, 'data');
const run = join(root, 'run');
const environment = { SWARD_CACHE: sharedCache(), HF_HOME: join(root, 'hf') };
const sward = hostSward(environment);
let photos: string[] = [];

async function writeBackbone(name: string, dim: number): Promise<string> {
  const config = { dim, depth: 2, heads: 2, imgSize: [28, 28] };
  const path = join(root, `${name}.safetensors`);
  await writeWeights(path, noisyWeights(makeBackbone('dinov2', config)));
  const description = { arch: 'dinov2', config, preprocessing: { inputSize: [28, 28] } };
  writeFileSync(join(root, `${name}.json`), JSON.stringify(description));
  return path;
}

beforeAll(async () => {
  const ids = await writeSmallFolder(data, { photos: 12 });
  photos = ids.slice(0, 2).map((id) => join(data, 'train', `${id}.jpg`));
  const settings = {
    backbone: await writeBackbone('first', 16),
    extra: await writeBackbone('second', 12),
    'input.size': 28,
    'estimator.epochs': 1,
    'estimator.fineTune.headEpochs': 1,
    'estimator.batch': 4,
  };
  const changes = Object.entries(settings).flatMap(([name, value]) => ['--set', `${name}=${value}`]);
  const recipe = ['--recipe', 'seed1-two-stage', '--folds', '2', '--seed', '3'];
  const { code, stderr } = await sward('train', data, ...recipe, ...changes, '--out', run);
  expect(stderr).not.toMatch(/error/);
  expect(code).toBe(0);
});

/** Total masses by what `sward predict` says. */
async function totals(...options: string[]): Promise<number[]> {
  const out = join(root, 'predictions.csv');
  expect((await sward('predict', run, ...photos, '--out', out, ...options)).code).toBe(0);
  return (await readPredictions(out)).map(({ targets }) => targets.total);
}

describe('seed 1 in two stages with a second backbone', () => {
  it('reads it beside the one that it trains', () => {
    const { data: facts } = JSON.parse(readFileSync(join(run, 'run.json'), 'utf8')) as {
      data: { sets: { columns: number }[] };
    };
    // Two blocks of CLS and mean in each half; pooled features of two halves.
    expect(facts.sets.map(({ columns }) => columns)).toEqual([2 * 4 * 16, 2 * 12]);
  });

  it('predicts turned photos by both, and exports what it predicts', async () => {
    const straight = await totals();
    expect(await totals('--tta', 'flips')).not.toEqual(straight);
    const model = join(root, 'model');
    expect((await sward('export', run, '--out', model)).code).toBe(0);
    const session = await stockSession(join(model, 'model.onnx'));
    const decoded = await Promise.all(photos.map((path) => decodePhoto(path)));
    const [{ width, height } = { width: 0, height: 0 }] = decoded;
    const pixels = Uint8Array.from(decoded.flatMap((photo) => [...photo.data]));
    const { masses } = await session.run({
      photos: new Tensor('uint8', pixels, [photos.length, height, width, 3]),
    });
    await session.release();
    const said = [...((masses?.data ?? []) as Float32Array)];
    straight.forEach((total, photo) => {
      expect(said[5 * photo + 4]).toBeCloseTo(total, 2);
    });
  });

  it('answers test.csv, and takes no other second backbone than the one it was trained with', async () => {
    const submission = join(root, 'submission.csv');
    expect((await sward('submit', run, data, '--out', submission)).code).toBe(0);
    expect(readFileSync(submission, 'utf8').trim().split('\n')).toHaveLength(1 + 5);
    const path = join(root, 'second.safetensors');
    const own = readFileSync(path);
    try {
      await writeBackbone('second', 20);
      const refused = await sward('predict', run, ...photos, '--out', join(root, 'refused.csv'));
      expect(refused.code).toBe(1);
      expect(errorLine(refused)).toMatch(/second\.safetensors: is not the file the run was trained with/);
    } finally {
      writeFileSync(path, own);
    }
  });
});
