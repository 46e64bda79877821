import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { readPredictions } from '../../src/data/predictions.ts';
import { makeBackbone } from '../../src/vision/backbones/index.ts';
import { killSward } from '../support/kill-sward.ts';
import { namelessReport } from '../support/run-contents.ts';
import { errorLine } from '../support/run-sward.ts';
import { sharedCache } from '../support/shared-cache.ts';
import { writeSmallFolder } from '../support/small-data-folder.ts';
import { hostSward } from '../support/sward-host.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { noisyWeights, writeWeights } from '../vision/backbones/tiny.ts';

const root = temporaryFolder('fine-tune-command');
const data = join(root, 'data');
const model = join(root, 'model.safetensors');
const environment = { SWARD_CACHE: sharedCache(), HF_HOME: join(root, 'hf') };
const sward = hostSward(environment);

const set = (settings: Readonly<Record<string, string | number>>): string[] =>
  Object.entries(settings).flatMap(([name, value]) => ['--set', `${name}=${value}`]);

const COMMAND = [
  ...['train', data, '--recipe', 'film-dual', '--folds', '2', '--seed', '3'],
  ...set({
    backbone: model,
    'input.size': 28,
    'estimator.fineTune.mode': 'lora',
    'estimator.fineTune.lora.rank': 2,
    'estimator.augmentation': 'light',
    'estimator.batch': 2,
    'estimator.epochs': 5,
  }),
  '--out',
];

beforeAll(async () => {
  await writeSmallFolder(data, { photos: 12 });
  const config = { dim: 16, depth: 2, heads: 2, imgSize: [28, 28] };
  await writeWeights(model, noisyWeights(makeBackbone('dinov2', config)));
  const description = { arch: 'dinov2', config, preprocessing: { inputSize: [28, 28] } };
  writeFileSync(join(root, 'model.json'), JSON.stringify(description));
});

/** Every file of a run, sorted. */
function filesOf(run: string): string[] {
  return readdirSync(run, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(run.length + 1))
    .sort();
}

/** Starts training and kills it as soon as a state of it is saved. */
const killed = (run: string): Promise<string | null> =>
  killSward([...COMMAND, run], environment, () =>
    filesOf(run).some((name) => /state-\d+.loop\.json$/.test(name)),
  );

describe('a fine-tuned run', () => {
  const run = join(root, 'run');

  it('predicts, with every turn of the square, and submits', async () => {
    expect((await sward(...COMMAND, run)).code).toBe(0);
    expect(filesOf(join(run, 'fold-1'))).toEqual([
      'backbone.safetensors',
      'metrics.jsonl',
      'network-0.safetensors',
    ]);
    const [all, none] = [join(root, 'd4.csv'), join(root, 'submission.csv')];
    expect((await sward('predict', run, join(data, 'test'), '--out', all, '--tta', 'd4')).code).toBe(0);
    expect((await sward('submit', run, data, '--out', none)).code).toBe(0);
    const totals = [all, none].map(async (file) => (await readPredictions(file))[0]?.targets.total);
    const [turned, straight] = await Promise.all(totals);
    expect(Number.isFinite(straight)).toBe(true);
    expect(turned).not.toBe(straight);
  });

  it('killed in the middle and resumed ends with the files of an undisturbed one', async () => {
    const disturbed = join(root, 'disturbed');
    expect(await killed(disturbed)).toBe('SIGKILL');
    expect(filesOf(disturbed)).not.toContain('fold-1/network-0.safetensors');
    expect((await sward(...COMMAND, disturbed, '--resume')).code).toBe(0);
    expect(filesOf(disturbed)).toEqual(filesOf(run));
    const report = (folder: string): string => namelessReport(join(folder, 'report.html'));
    expect(report(disturbed)).toBe(report(run));
    for (const name of filesOf(run).filter((file) => file !== 'report.html')) {
      expect(readFileSync(join(disturbed, name)).equals(readFileSync(join(run, name))), name).toBe(true);
    }
  });

  it('says in one line what it cannot do', async () => {
    const cases: [string[], number, RegExp][] = [
      [set({ 'estimator.fineTune.mode': 'most' }), 2, /estimator\.fineTune\.mode: .*full/],
      [set({ 'estimator.fineTune.precision': 'bfloat16' }), 2, /bfloat16: provider cpu/],
    ];
    for (const [changes, code, message] of cases) {
      const at = COMMAND.length - 1;
      const outcome = await sward(...COMMAND.slice(0, at), ...changes, '--out', join(root, 'bad'));
      expect(errorLine(outcome)).toMatch(message);
      expect(outcome.code).toBe(code);
    }
    expect(existsSync(join(root, 'bad'))).toBe(false);
  });
});
