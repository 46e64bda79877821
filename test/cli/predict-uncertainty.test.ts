import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { makeBackbone } from '../../src/vision/backbones/index.ts';
import { errorLine } from '../support/run-sward.ts';
import { sharedCache } from '../support/shared-cache.ts';
import { writeSmallFolder } from '../support/small-data-folder.ts';
import { hostSward } from '../support/sward-host.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { noisyWeights, writeWeights } from '../vision/backbones/tiny.ts';

const root = temporaryFolder('predict-uncertainty');
const data = join(root, 'data');
const run = join(root, 'run');
const noise = join(root, 'noise.png');
const out = join(root, 'p.csv');
const sward = hostSward({ SWARD_CACHE: sharedCache() });

beforeAll(async () => {
  await writeSmallFolder(data, { photos: 18 });
  const training = await sward('train', data, '--recipe', 'descriptor-ridge', '--folds', '3', '--out', run);
  expect(training.code).toBe(0);
  const stripes = Uint8Array.from({ length: 64 * 32 * 3 }, (_, at) => (Math.floor(at / 9) % 2 ? 255 : 0));
  await sharp(stripes, { raw: { width: 64, height: 32, channels: 3 } })
    .png()
    .toFile(noise);
});

describe('predict with uncertainty', () => {
  it('adds low and high and warns that six sessions are few', async () => {
    const outcome = await sward('predict', run, join(data, 'train'), '--out', out, '--coverage', '0.9');
    expect(outcome.code).toBe(0);
    expect(outcome.stderr).toMatch(/note: the run was trained on 6 sessions, which can vouch for 85\.7 %/);
    const [head, ...lines] = readFileSync(out, 'utf8').trim().split('\n');
    expect(head).toBe('sample_id,target,low,high');
    for (const line of lines) {
      const [mass, low, high] = line.split(',').slice(1).map(Number);
      expect(low).toBeLessThanOrEqual(mass ?? Number.NaN);
      expect(high).toBeGreaterThanOrEqual(mass ?? Number.NaN);
    }
    expect(outcome.stdout).toMatch(/mean .*\n +low 90 % .*\n +high 90 %/);
    const score = await sward('score', join(data, 'train.csv'), out, '--json');
    expect(score.code).toBe(0);
  });

  it('tells the mean of a paddock and its total', async () => {
    const outcome = await sward(
      ...['predict', run, join(data, 'train'), '--out', out],
      ...['--coverage', '0.8', '--hectares', '2.5', '--json'],
    );
    const { paddock, photos } = JSON.parse(outcome.stdout);
    expect(photos).toBe(18);
    expect(paddock).toMatchObject({ photos: 18, coverage: 0.8, hectares: 2.5 });
    expect(paddock.kg_dm_per_ha.mean).toBeCloseTo(paddock.grams.Dry_Total_g / 0.021, 6);
    expect(paddock.total_kg.high).toBeCloseTo(2.5 * paddock.kg_dm_per_ha.high, 6);
    expect(paddock.low.Dry_Total_g).toBeLessThan(paddock.grams.Dry_Total_g);
  });

  it('flags a picture of something else, by name', async () => {
    expect(existsSync(join(run, 'domain.safetensors'))).toBe(true);
    const outcome = await sward('predict', run, noise, '--out', join(root, 'p.json'));
    expect(outcome.code).toBe(0);
    expect(outcome.stderr).toMatch(/warning: noise: unlike the photos the run was trained on/);
    const [record] = JSON.parse(readFileSync(join(root, 'p.json'), 'utf8'));
    expect(record.out_of_domain).toBe(1);
    await sward('predict', run, noise, '--out', out, '--uncertainty');
    expect(readFileSync(out, 'utf8')).toMatch(/^sample_id,target,fold_spread,out_of_domain,trained_on\n/);
  });

  it('flags it too where the backbone was trained on the photos', async () => {
    const config = { dim: 16, depth: 2, heads: 2, imgSize: [28, 28] };
    await writeWeights(join(root, 'model.safetensors'), noisyWeights(makeBackbone('dinov2', config)));
    const description = { arch: 'dinov2', config, preprocessing: { inputSize: [28, 28] } };
    writeFileSync(join(root, 'model.json'), JSON.stringify(description));
    const tuned = join(root, 'tuned');
    const settings = [`backbone=${join(root, 'model.safetensors')}`, 'input.size=28', 'estimator.epochs=1'];
    const training = await sward(
      ...['train', data, '--recipe', 'film-dual', '--folds', '2', '--out', tuned],
      ...[...settings, 'estimator.fineTune.mode=last'].flatMap((setting) => ['--set', setting]),
    );
    expect(training.code).toBe(0);
    const files = [noise, join(data, 'test', 'ID1.jpg')];
    const outcome = await sward('predict', tuned, ...files, '--out', out, '--uncertainty', '--json');
    expect(outcome.stderr).toMatch(/warning: noise: unlike the photos the run was trained on/);
    const { doubts } = JSON.parse(outcome.stdout);
    expect(doubts).toContainEqual({ image_id: 'noise', kind: 'domain' });
    expect(doubts).not.toContainEqual({ image_id: 'ID1', kind: 'domain' });
    expect(readFileSync(out, 'utf8')).toMatch(
      /^sample_id,target,fold_spread,out_of_domain,trained_on\nnoise__\w+,.*,1,0\n/,
    );
  });

  it.each([
    [['--coverage', '90'], /--coverage 90: give a number between 0 and 1/],
    [['--mc-dropout', '1'], /--mc-dropout 1: give 2 or more/],
    [['--mc-dropout', '5'], /a recipe without dropout/],
    [['--hectares', '0'], /--hectares 0: give a number above 0/],
  ])('%j is refused in one line', async (args, message) => {
    const outcome = await sward('predict', run, noise, '--out', out, ...args);
    expect(outcome.code).toBe(2);
    expect(errorLine(outcome)).toMatch(message);
  });
});
