import { execFile } from 'node:child_process';
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { readPredictions } from '../../src/data/predictions.ts';
import { TARGET_NAMES, targetsToArray } from '../../src/pasture/targets.ts';
import { type SmallRuns, smallRuns } from '../export/small-runs.ts';
import { errorLine } from '../support/run-sward.ts';
import { sharedCache } from '../support/shared-cache.ts';
import { hostSward } from '../support/sward-host.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const root = temporaryFolder('export-command');
const run = join(root, 'run');
let runs: SmallRuns;
const sward = hostSward({ SWARD_CACHE: sharedCache(), HF_HOME: join(root, 'hf') });

beforeAll(async () => {
  runs = await smallRuns(root);
  await runs.train('run', 'feature-ridge', 'input.view=tiles');
});

describe('sward export', () => {
  it('writes a model that the plain script runs to the numbers of sward predict', async () => {
    const out = join(root, 'exported');
    const outcome = await sward('export', run, '--out', out, '--json');
    expect(outcome.code).toBe(0);
    expect(JSON.parse(outcome.stdout)).toMatchObject({
      out,
      files: ['README.md', 'model.json', 'model.onnx', 'run-model.mjs'],
    });
    const predictions = join(root, 'predictions.csv');
    const photo = join(runs.data, 'test', 'ID1.jpg');
    expect((await sward('predict', run, photo, '--out', predictions)).code).toBe(0);
    const [expected] = await readPredictions(predictions);
    // From where its two packages are found.
    const script = resolve('docs', 'export', 'run-model.mjs');
    expect(readFileSync(join(out, 'run-model.mjs'))).toEqual(readFileSync(script));
    const { stdout } = await promisify(execFile)(process.execPath, [script, out, photo]);
    const said = JSON.parse(stdout);
    for (const [index, mass] of targetsToArray(expected?.targets as never).entries()) {
      expect(Math.abs(said[TARGET_NAMES[index] ?? ''] - mass)).toBeLessThan(1e-4 * Math.max(1, mass));
    }
  });

  it('writes pieces for the app, and refuses there what photos alone have', async () => {
    const out = join(root, 'pieces');
    const outcome = await sward('export', run, '--target', 'browser', '--out', out);
    expect(outcome.code).toBe(0);
    expect(outcome.stdout).toMatch(/^.*pieces: \d+ files; models of \d+\.\d MiB\n$/);
    expect(readdirSync(out)).toEqual(expect.arrayContaining(['README.md', 'model.json']));
    const turned = await sward(
      'export',
      run,
      '--target',
      'browser',
      '--out',
      join(root, 'turned'),
      '--tta',
      'd4',
    );
    expect(turned.code).toBe(2);
    expect(errorLine(turned)).toMatch(
      /--target browser takes views of each photo as it lies; leave out --input, --tta/,
    );
    expect(existsSync(join(root, 'turned'))).toBe(false);
  });

  it('writes for Kaggle under the name of an account', async () => {
    const out = join(root, 'kaggle');
    const outcome = await sward(
      'export',
      run,
      '--out',
      out,
      '--kaggle',
      '--kaggle-user',
      'me',
      '--tta',
      'd4',
    );
    expect(outcome.stdout).toContain('notebook/submission.ipynb');
    expect(readFileSync(join(out, 'dataset', 'dataset-metadata.json'), 'utf8')).toContain('"me/sward-');
    expect(JSON.parse(readFileSync(join(out, 'dataset', 'model.json'), 'utf8'))).toMatchObject({
      test_time_augmentation: 'd4',
      turns: [0, 1, 2, 3, 4, 5, 6, 7],
    });
  });

  it('says in one line what cannot be exported, and leaves nothing behind', async () => {
    const manifest = JSON.parse(readFileSync(join(run, 'run.json'), 'utf8'));
    const altered = (name: string, change: object): string => {
      const folder = join(root, name);
      cpSync(run, folder, { recursive: true });
      writeFileSync(join(folder, 'run.json'), JSON.stringify({ ...manifest, ...change }));
      return folder;
    };
    const unfinished = altered('unfinished', { status: 'incomplete' });
    const input = { kind: 'descriptors' };
    const descriptors = altered('descriptors', { recipe: { ...manifest.recipe, input } });
    const out = join(root, 'never');
    const cases: [string[], number, RegExp][] = [
      [[run, '--precision', 'fp8'], 2, /fp8.*fp32, int8, int4/],
      [[unfinished], 1, /unfinished: is an unfinished run; finish it/],
      [
        [descriptors],
        2,
        /descriptors: descriptors are computed by sward itself.*--target browser.*--recipe feature-ridge --set backbone=bundled/,
      ],
    ];
    for (const [args, code, message] of cases) {
      const outcome = await sward('export', ...args, '--out', out);
      expect(errorLine(outcome)).toMatch(message);
      expect(outcome.code).toBe(code);
      expect(existsSync(out)).toBe(false);
    }
    expect(readdirSync(root).filter((name) => name.endsWith('.part'))).toEqual([]);
  });
});
