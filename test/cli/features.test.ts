import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { readPredictions } from '../../src/data/predictions.ts';
import { readNpyMatrix } from '../../src/formats/npy/npy.ts';
import { makeBackbone } from '../../src/vision/backbones/index.ts';
import { errorLine, runSward } from '../support/run-sward.ts';
import { writeSmallFolder } from '../support/small-data-folder.ts';
import { hostSward } from '../support/sward-host.ts';
import { startSward } from '../support/sward-process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { noisyWeights, writeWeights } from '../vision/backbones/tiny.ts';

const root = temporaryFolder('features-command');
const data = join(root, 'data');
const model = join(root, 'model.safetensors');
const sward = hostSward({ SWARD_CACHE: join(root, 'cache'), HF_HOME: join(root, 'hf') });
let ids: string[];

async function writeModel(seedNote: number): Promise<void> {
  const config = { dim: 24, depth: 3, heads: 3, imgSize: [42, 42] };
  const weights = noisyWeights(makeBackbone('dinov2', config));
  const first = weights.cls_token;
  if (first) (first.values as Float32Array)[0] = seedNote;
  await writeWeights(model, weights);
  writeFileSync(
    join(root, 'model.json'),
    JSON.stringify({ arch: 'dinov2', config, preprocessing: { inputSize: [42, 42] } }),
  );
}

beforeAll(async () => {
  ids = await writeSmallFolder(data, { photos: 12 });
  await writeModel(0);
});

describe('sward features', () => {
  it('runs the backbone where SWARD_PROVIDER says, or says why not', async () => {
    const to = ['--backbone', model, '--out', join(root, 'p.npy'), '--ids', join(root, 'p.txt')];
    const outcome = await runSward(['features', data, ...to], {
      SWARD_CACHE: join(root, 'no-cache'),
      SWARD_PROVIDER: 'abacus',
    });
    expect(errorLine(outcome)).toMatch(/unknown provider "abacus"; choose one of cpu, cuda/);
    expect(outcome.code).toBe(2);
  });

  it('writes a matrix and its ids, which training takes', async () => {
    const out = join(root, 'f.npy');
    const list = join(root, 'ids.txt');
    const outcome = await sward('features', data, '--backbone', model, '--out', out, '--ids', list, '--json');
    expect(outcome.code).toBe(0);
    expect(JSON.parse(outcome.stdout)).toMatchObject({ photos: 12, width: 48, computed: 12 });
    expect(readFileSync(list, 'utf8').trim().split('\n')).toEqual(ids);
    expect(await readNpyMatrix(out)).toMatchObject({ rows: 12, columns: 48 });
    const trained = await sward(
      ...['train', '--features', out, '--ids', list, '--labels', join(data, 'train.csv')],
      ...['--recipe', 'feature-ridge', '--folds', '3', '--out', join(root, 'from-file')],
    );
    expect(trained.code).toBe(0);
    const again = await sward('features', data, '--backbone', model, '--out', out, '--ids', list);
    expect(again.stdout).toMatch(/12 photos × 48 features, 0 computed now/);
  });

  it('takes blocks by depth, the nearest size, kept tiles and maps of patches', async () => {
    const to = [
      '--backbone',
      model,
      '--ids',
      join(root, 'kept.txt'),
      '--out',
      join(root, 'kept.npy'),
      '--json',
    ];
    const tiles = await sward(
      ...['features', data, ...to, '--view', 'tiles', '--combine', 'keep', '--size', '~45'],
      ...['--blocks', '1/2,2/2', '--pooling', 'cls'],
    );
    expect(tiles.stderr).not.toContain('error');
    expect(JSON.parse(tiles.stdout)).toMatchObject({ photos: 12, width: 8 * 2 * 24 });
    const map = await sward('features', data, ...to, '--pooling', 'patches', '--grid', '3');
    expect(JSON.parse(map.stdout)).toMatchObject({ width: 2 * 9 * 24 });
    const stages = await sward('features', data, ...to, '--pooling', 'stages');
    expect(JSON.parse(stages.stdout)).toMatchObject({ width: 2 * 2 * 3 * 24 });
  });

  it('takes windows that slide over the photo, averaged or kept', async () => {
    const to = ['--backbone', model, '--ids', join(root, 'w.txt'), '--out', join(root, 'w.npy'), '--json'];
    const averaged = await sward('features', data, ...to, '--view', 'windows');
    expect(JSON.parse(averaged.stdout)).toMatchObject({ photos: 12, width: 24, computed: 12 });
    const kept = await sward(
      ...['features', data, ...to, '--view', 'windows', '--windows', '1/2,4,2', '--combine', 'keep'],
    );
    expect(JSON.parse(kept.stdout)).toMatchObject({ photos: 12, width: 8 * 24, computed: 12 });
  });

  it('says what is wrong in one line', async () => {
    const to = ['--out', join(root, 'x.npy'), '--ids', join(root, 'x.txt')];
    const cases: [string[], number, RegExp][] = [
      [['features', data, '--backbone', 'no_such_net', ...to], 2, /no_such_net/],
      [['features', data, '--backbone', 'vit_small_patch14_dinov2.lvd142m', ...to], 1, /not pulled yet/],
      [['features', data, '--backbone', model, '--size', '43', ...to], 2, /multiple of 14/],
      [['features', data, '--backbone', model, '--blocks', 'x', ...to], 2, /give block numbers/],
      [['features', data, '--backbone', model, '--windows', '1/2', ...to], 2, /give the side and two counts/],
      [['features', data, '--backbone', model, '--windows', '1/2,4,2', ...to], 2, /view halves has none/],
      [['features', join(root, 'hf'), '--backbone', model, ...to], 1, /hf/],
    ];
    for (const [args, code, message] of cases) {
      const outcome = await sward(...args);
      expect(errorLine(outcome)).toMatch(message);
      expect(outcome.code).toBe(code);
    }
  });
});

describe('sward features that is ended while its threads compute', () => {
  it('ends as any command, not by an abort', async () => {
    const to = ['--out', join(root, 'ended.npy'), '--ids', join(root, 'ended.txt')];
    for (const moment of [0, 150, 300, 600]) {
      const own = join(root, `cache-ended-${moment}`);
      const command = startSward(['features', data, '--backbone', 'bundled', ...to, '--overwrite'], {
        SWARD_CACHE: own,
      });
      // From when the first photo is remembered others are under way.
      const isUnderWay = (): boolean => existsSync(own) && readdirSync(own, { recursive: true }).length > 1;
      while (command.process.exitCode === null && !isUnderWay()) await setTimeout(2);
      await setTimeout(moment);
      command.process.kill('SIGINT');
      const { code, signal } = await command.ended;
      expect([signal, command.said()]).toEqual([null, expect.not.stringContaining('terminate')]);
      expect([0, 130]).toContain(code);
    }
  });
});

describe('feature-ridge on a backbone', () => {
  const run = join(root, 'run');

  it('trains on photos, predicts and averages over turns', async () => {
    const trained = await sward(
      ...[
        'train',
        data,
        '--recipe',
        'feature-ridge',
        '--set',
        `backbone=${model}`,
        '--set',
        'input.pooling=cls-mean',
      ],
      ...['--folds', '3', '--out', run],
    );
    expect(trained.code).toBe(0);
    expect(JSON.parse(readFileSync(join(run, 'run.json'), 'utf8'))).toMatchObject({
      recipe: { input: { kind: 'backbone', backbone: model, pooling: 'cls-mean' } },
      data: { sets: [{ columns: 96, weights: { sha256: expect.stringMatching(/^[0-9a-f]{64}$/) } }] },
    });
    const predict = async (tta: string): Promise<number> => {
      const out = join(root, `${tta}.csv`);
      expect((await sward('predict', run, join(data, 'test'), '--out', out, '--tta', tta)).code).toBe(0);
      return (await readPredictions(out))[0]?.targets.total ?? Number.NaN;
    };
    const [none, flips] = [await predict('none'), await predict('flips')];
    expect(Number.isFinite(none)).toBe(true);
    expect(flips).not.toBe(none);
    expect((await sward('submit', run, data, '--out', join(root, 's.csv'))).code).toBe(0);
  });

  it('refuses other weights than those it was trained with', async () => {
    await writeModel(1);
    const outcome = await sward('predict', run, join(data, 'test'), '--out', join(root, 'p.csv'));
    expect(outcome.code).toBe(1);
    expect(errorLine(outcome)).toMatch(/model\.safetensors: is not the file the run was trained with/);
  });

  it('makes features of a part of each photo, and remembers them apart', async () => {
    const featuresOf = async (name: string, ...crop: string[]) => {
      const files = ['--out', join(root, `${name}.npy`), '--ids', join(root, `${name}.txt`), '--json'];
      const outcome = await sward('features', data, '--backbone', model, ...files, ...crop);
      expect(outcome.code, outcome.stderr).toBe(0);
      return {
        computed: JSON.parse(outcome.stdout).computed,
        matrix: await readNpyMatrix(join(root, `${name}.npy`)),
      };
    };
    const part = await featuresOf('part', '--crop', '0,0,0.5,1');
    expect(part.computed).toBe(12);
    expect((await featuresOf('again', '--crop', '0,0,0.5,1')).computed).toBe(0);
    const auto = await featuresOf('auto', '--crop', 'auto');
    expect(auto.matrix).not.toEqual(part.matrix);
    // No frame is in these photos: what counts is what did.
    expect((await featuresOf('whole')).matrix).toEqual(auto.matrix);
  });
});
