import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { configure } from '../../src/ground/environment.ts';
import { readDomain } from '../../src/runs/domain/index.ts';
import { openRun } from '../../src/runs/open-run.ts';
import type { PhotoPrediction } from '../../src/runs/prediction.ts';
import type { PredictOptions } from '../../src/runs/run.ts';
import { photoSamples } from '../../src/samples/samples.ts';
import { makeBackbone } from '../../src/vision/backbones/index.ts';
import { DESCRIPTOR_NAMES } from '../../src/vision/descriptors/index.ts';
import { trainRun } from '../../src/workflows/train/train.ts';
import { sharedCache } from '../support/shared-cache.ts';
import { writeSmallFolder } from '../support/small-data-folder.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { resolveRecipe } from '../support/written-settings.ts';
import { noisyWeights, writeWeights } from '../vision/backbones/tiny.ts';

const root = temporaryFolder('domain-record');
const data = join(root, 'data');
const photo = { imageId: 'ID1', path: join(data, 'test', 'ID1.jpg') };
const stripes = { imageId: 'stripes', path: join(root, 'stripes.png') };

beforeAll(async () => {
  configure({ cacheFolder: sharedCache() });
  await writeSmallFolder(data, { photos: 18 });
  const config = { dim: 16, depth: 2, heads: 2, imgSize: [28, 28] };
  await writeWeights(join(root, 'model.safetensors'), noisyWeights(makeBackbone('dinov2', config)));
  const description = { arch: 'dinov2', config, preprocessing: { inputSize: [28, 28] } };
  writeFileSync(join(root, 'model.json'), JSON.stringify(description));
  const pixels = Uint8Array.from({ length: 64 * 32 * 3 }, (_, at) => (Math.floor(at / 9) % 2 ? 255 : 0));
  await sharp(pixels, { raw: { width: 64, height: 32, channels: 3 } }).toFile(stripes.path);
});

/** A run of heads and backbone that saw photos. */
async function trained(name: string, changes: readonly string[]): Promise<string> {
  const out = join(root, name);
  const recipe = await resolveRecipe('film-dual', [
    ...[`backbone=${join(root, 'model.safetensors')}`, 'input.size=28', 'estimator.epochs=1'],
    ...changes,
  ]);
  await trainRun({ source: { kind: 'folder', folder: data }, recipe, out, plan: { folds: 2 } });
  return out;
}

async function predict(
  folder: string,
  photos: Parameters<typeof photoSamples>[0],
  options: PredictOptions = {},
): Promise<PhotoPrediction[]> {
  await using run = await openRun(folder);
  return run.predict(photoSamples(photos), options);
}

const sharesOf = async (run: string, options: PredictOptions = {}): Promise<(number | null)[]> =>
  (await predict(run, [photo, stripes], options)).map(({ outOfDomain }) => outOfDomain);

describe('a run that learns from photos', () => {
  it('tells photos by their descriptors where every fold has a backbone of its own', async () => {
    const run = await trained('fine-tuned', ['estimator.fineTune.mode=last']);
    const domain = await readDomain(run);
    expect(domain?.of).toBe('descriptors');
    expect(domain?.mean).toHaveLength(DESCRIPTOR_NAMES.length);
    const [like, unlike] = await sharesOf(run, { tta: 'flips' });
    expect(like).toBeLessThan(0.95);
    expect(unlike).toBe(1);
    expect(await sharesOf(run, { outOfDomain: false })).toEqual([null, null]);
  });

  it('tells them by the features of the backbone that all folds share', async () => {
    const run = await trained('frozen', ['estimator.augmentation=light']);
    const domain = await readDomain(run);
    expect(domain?.of).toBe('inputs');
    expect(domain?.mean).toHaveLength(2 * 16);
    const [like, unlike] = await sharesOf(run);
    expect(like).toBeLessThan(0.95);
    expect(unlike).toBe(1);
  });

  it('still predicts where it was trained before there was a record', async () => {
    const run = await trained('old', ['estimator.fineTune.mode=last']);
    rmSync(join(run, 'domain.safetensors'));
    const { files, ...manifest } = JSON.parse(readFileSync(join(run, 'run.json'), 'utf8'));
    const { 'domain.safetensors': record, ...others } = files;
    expect(record).toEqual(expect.any(String));
    writeFileSync(join(run, 'run.json'), JSON.stringify({ ...manifest, files: others }));
    const [predicted] = await predict(run, [photo]);
    expect(predicted?.outOfDomain).toBeNull();
    expect(predicted?.targets.total).toBeGreaterThanOrEqual(0);
  });
});
