import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { readPredictions } from '../../src/data/predictions.ts';
import { makeBackbone } from '../../src/vision/backbones/index.ts';
import { type CommandOutcome, errorLine } from '../support/run-sward.ts';
import { sharedCache } from '../support/shared-cache.ts';
import { writeSmallFolder } from '../support/small-data-folder.ts';
import { hostSward } from '../support/sward-host.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { noisyWeights, writeWeights } from '../vision/backbones/tiny.ts';

const root = temporaryFolder('predict-maps');
const data = join(root, 'data');
const run = join(root, 'run');
const model = join(root, 'model.safetensors');
const sward = hostSward({ SWARD_CACHE: sharedCache() });
const train = (recipe: string, out: string, ...more: string[]): Promise<CommandOutcome> =>
  sward('train', data, '--recipe', recipe, '--folds', '2', '--out', out, ...more);

beforeAll(async () => {
  await writeSmallFolder(data, { photos: 12 });
  const config = { dim: 24, depth: 2, heads: 3, imgSize: [42, 42] };
  await writeWeights(model, noisyWeights(makeBackbone('dinov2', config)));
  writeFileSync(
    join(root, 'model.json'),
    JSON.stringify({ arch: 'dinov2', config, preprocessing: { inputSize: [42, 42] } }),
  );
  const settings = ['input.size=42', 'input.grid=3', 'estimator.epochs=3'].flatMap((set) => ['--set', set]);
  const trained = await train('density', run, '--set', `backbone=${model}`, ...settings);
  expect(trained.stderr).not.toContain('error');
  expect(trained.code).toBe(0);
});

describe('predict --map', () => {
  it('draws every photo and writes patches that sum to its masses', async () => {
    const maps = join(root, 'maps');
    const out = join(root, 'masses.csv');
    const outcome = await sward('predict', run, join(data, 'test'), '--out', out, '--map', maps);
    expect(outcome.code).toBe(0);
    const picture = await sharp(join(maps, 'ID1.png')).metadata();
    expect(picture.width).toBeGreaterThan(700);
    const [head = '', ...rows] = readFileSync(join(maps, 'ID1.csv'), 'utf8').trim().split('\n');
    expect(rows).toHaveLength(2 * 3 * 3);
    const column = head.split(',').indexOf('total_g');
    const sum = rows.reduce((total, row) => total + Number(row.split(',')[column]), 0);
    const [photo] = await readPredictions(out);
    expect(sum).toBeCloseTo(photo?.targets.total ?? Number.NaN, 2);
  });

  it('is refused, before any work, by runs that have none', async () => {
    const other = join(root, 'ridge');
    expect((await train('descriptor-ridge', other)).code).toBe(0);
    const out = join(root, 'refused.csv');
    const outcome = await sward(
      'predict',
      other,
      join(data, 'test'),
      '--out',
      out,
      '--map',
      join(root, 'no'),
    );
    expect(errorLine(outcome)).toMatch(/--map: .* has no maps to draw; train --recipe density/);
    expect(outcome.code).toBe(2);
    expect(existsSync(out)).toBe(false);
  });

  it('is refused likewise by a density network behind a reduction, whose columns are of no place', async () => {
    const behind = join(root, 'reduced');
    const changes = [`backbone=${model}`, 'input.size=42', 'input.grid=1', 'estimator.epochs=1'];
    const reduction = ['reduction.kind=pca', 'reduction.components=4', 'evaluation.leaveOneStateOut=false'];
    const settings = [...changes, ...reduction].flatMap((set) => ['--set', set]);
    const trained = await train('density', behind, ...settings);
    expect(trained.code, trained.stderr).toBe(0);
    const [out, maps] = [join(root, 'behind.csv'), join(root, 'behind-maps')];
    const outcome = await sward('predict', behind, join(data, 'test'), '--out', out, '--map', maps);
    expect(errorLine(outcome)).toMatch(
      /--map: .* has no maps .*; train .*density without reduction or transform/,
    );
    expect(outcome.code).toBe(2);
    expect(existsSync(out) || existsSync(maps)).toBe(false);
    expect((await sward('predict', behind, join(data, 'test'), '--out', out)).code).toBe(0);
  });
});
