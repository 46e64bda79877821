import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { makeBackbone } from '../../src/vision/backbones/index.ts';
import { errorLine } from '../support/run-sward.ts';
import { sharedCache } from '../support/shared-cache.ts';
import { writeSmallFolder } from '../support/small-data-folder.ts';
import { hostSwardIn } from '../support/sward-host.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { noisyWeights, writeWeights } from '../vision/backbones/tiny.ts';

const root = temporaryFolder('run-elsewhere');
const [here, there] = [join(root, 'here'), join(root, 'there')];
const environment = { SWARD_CACHE: sharedCache(), HF_HOME: join(root, 'hf') };
const swardIn = hostSwardIn(environment);

async function writeBackbone(folder: string, dim: number): Promise<void> {
  const config = { dim, depth: 2, heads: 2, imgSize: [28, 28] };
  await writeWeights(join(folder, 'model.safetensors'), noisyWeights(makeBackbone('dinov2', config)));
  const description = { arch: 'dinov2', config, preprocessing: { inputSize: [28, 28] } };
  writeFileSync(join(folder, 'model.json'), JSON.stringify(description));
}

/** The photo's predicted masses, from a command in a folder. */
async function predicted(folder: string, run: string): Promise<string> {
  const out = join(root, 'masses.csv');
  rmSync(out, { force: true });
  const photo = join(root, 'data', 'test', 'ID1.jpg');
  const { code, stderr } = await swardIn(folder, 'predict', run, photo, '--out', out);
  expect(code, stderr).toBe(0);
  return readFileSync(out, 'utf8');
}

beforeAll(async () => {
  await writeSmallFolder(join(root, 'data'), { photos: 12 });
  for (const folder of [here, there]) mkdirSync(folder);
  await writeBackbone(here, 16);
  const settings = {
    backbone: './model.safetensors',
    'input.size': 28,
    'evaluation.leaveOneStateOut': false,
  };
  const fineTuned = { ...settings, 'estimator.epochs': 1, 'estimator.fineTune.mode': 'lora' };
  for (const [recipe, run, changes] of [
    ['feature-ridge', 'ridge', settings],
    ['film-dual', 'tuned', fineTuned],
  ] as const) {
    const sets = Object.entries(changes).flatMap(([name, value]) => ['--set', `${name}=${value}`]);
    const train = ['train', '../data', '--recipe', recipe, '--folds', '2', '--out', `../${run}`, ...sets];
    const { code, stderr } = await swardIn(here, ...train);
    expect(code, stderr).toBe(0);
  }
});

describe.each(['ridge', 'tuned'])('a run (%s) whose backbone was named by a relative path', (run) => {
  it('finds it from any folder, and takes no other of that name', async () => {
    const wanted = await predicted(here, `../${run}`);
    expect(await predicted(there, `../${run}`)).toBe(wanted);
    expect(await predicted(root, run)).toBe(wanted);
    await writeBackbone(there, 12);
    expect(await predicted(there, `../${run}`)).toBe(wanted);
    const { code, stderr } = await swardIn(there, 'export', `../${run}`, '--out', `model-of-${run}`);
    expect(code, stderr).toBe(0);
  });

  it('finds it after both have moved together', async () => {
    const wanted = await predicted(here, `../${run}`);
    const moved = join(root, `moved-${run}`);
    mkdirSync(moved);
    for (const folder of ['here', run]) cpSync(join(root, folder), join(moved, folder), { recursive: true });
    const hidden = join(root, 'hidden');
    renameSync(here, hidden);
    try {
      expect(await predicted(there, join(moved, run))).toBe(wanted);
      const lost = await swardIn(there, 'predict', `../${run}`, '../data/test', '--out', 'no.csv');
      expect(lost.code).toBe(1);
      expect(errorLine(lost)).toMatch(
        /model\.safetensors: is not the file the run was trained with .*; put that file back/,
      );
    } finally {
      renameSync(hidden, here);
    }
  });
});

it('a data folder named by a relative path is checked like any other', async () => {
  const { stdout, stderr } = await swardIn(root, 'check', 'data');
  expect(`${stdout}${stderr}`).toMatch(/0 errors, 0 warnings/);
});
