import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { makeBackbone } from '../../src/vision/backbones/index.ts';
import { writeClassPhotos, writeMeasuredPhotos } from '../networks/pretraining/plant-photos.ts';
import { killSward } from '../support/kill-sward.ts';
import { errorLine } from '../support/run-sward.ts';
import { writeSmallFolder } from '../support/small-data-folder.ts';
import { hostSward } from '../support/sward-host.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { noisyWeights, writeWeights } from '../vision/backbones/tiny.ts';

const root = temporaryFolder('pretrain-command');
const classes = join(root, 'classes');
const measured = join(root, 'measured');
const model = join(root, 'model.safetensors');
const environment = { SWARD_CACHE: join(root, 'cache'), HF_HOME: join(root, 'hf') };
const sward = hostSward(environment);

const set = (settings: Readonly<Record<string, string | number>>): string[] =>
  Object.entries(settings).flatMap(([name, value]) => ['--set', `${name}=${value}`]);

const optionsOf = (epochs: number): string[] => [
  ...['--backbone', model, '--seed', '3'],
  ...set({
    'holdout.share': 0.25,
    'estimator.batch': 4,
    'estimator.epochs': epochs,
    'estimator.optimizer.rate': 0.003,
    'estimator.fineTune.backboneRate': 1,
    'estimator.augmentation': 'light',
  }),
];
const OPTIONS = optionsOf(4);

beforeAll(async () => {
  await writeClassPhotos(classes, 12);
  await writeMeasuredPhotos(measured, 32);
  const config = { dim: 16, depth: 2, heads: 2, imgSize: [28, 28] };
  await writeWeights(model, noisyWeights(makeBackbone('dinov2', config)));
  const description = { arch: 'dinov2', config, preprocessing: { inputSize: [28, 28] } };
  writeFileSync(join(root, 'model.json'), JSON.stringify(description));
});

/** Starts pretraining and kills it as soon as a state of it is saved. */
const killed = (out: string): Promise<string | null> =>
  killSward(['pretrain', classes, ...OPTIONS, '--out', out], environment, () =>
    readdirSync(join(out, 'checkpoint')).some((name) => /^state-\d+$/.test(name)),
  );

describe('sward pretrain', () => {
  const out = join(root, 'out');

  it('trains a backbone further that sward train takes by its file', async () => {
    const outcome = await sward('pretrain', classes, ...OPTIONS, '--out', out, '--json');
    expect(outcome.code, outcome.stderr).toBe(0);
    expect(outcome.stderr).toMatch(/Pretraining .* photos · [\d.]+\/s/);
    const result: unknown = JSON.parse(outcome.stdout);
    expect(result).toMatchObject({ backbone: join(out, 'backbone.safetensors'), photos: 36, held_out: 9 });
    const data = join(root, 'data');
    await writeSmallFolder(data, { photos: 12 });
    const backbone = `backbone=${join(out, 'backbone.safetensors')}`;
    const command = ['train', data, '--recipe', 'feature-ridge', '--set', backbone, '--folds', '2'];
    const trained = await sward(...command, '--out', join(root, 'run'));
    expect(trained.code, trained.stderr).toBe(0);
    expect(trained.stdout).toContain('weighted R²');
  });

  it('killed in the middle and resumed ends with the files of an undisturbed one', async () => {
    const disturbed = join(root, 'disturbed');
    expect(await killed(disturbed)).toBe('SIGKILL');
    expect(existsSync(join(disturbed, 'backbone.safetensors'))).toBe(false);
    const resumed = await sward('pretrain', classes, ...OPTIONS, '--out', disturbed, '--resume');
    expect(resumed.code, resumed.stderr).toBe(0);
    expect(resumed.stdout).toMatch(
      /use it: sward train DATA .* --set backbone=.*disturbed\/backbone\.safetensors/,
    );
    const names = readdirSync(out).sort();
    expect(readdirSync(disturbed).sort()).toEqual(names);
    for (const name of names) {
      expect(readFileSync(join(disturbed, name)).equals(readFileSync(join(out, name))), name).toBe(true);
    }
  });

  it('learns the columns of a table', async () => {
    const columns = join(root, 'columns');
    const outcome = await sward(
      'pretrain',
      measured,
      ...optionsOf(8),
      '--out',
      columns,
      ...set({ columns: 'height' }),
    );
    expect(outcome.code, outcome.stderr).toBe(0);
    expect(outcome.stdout).toMatch(/photos of height \(not litter, observer\)/);
    expect(outcome.stdout).toMatch(/R² height +0\.[5-9]/);
    expect(outcome.stdout).toMatch(/licence: that of file model\.safetensors; ask/);
  });

  it('says in one line what it cannot do', async () => {
    const [empty, single, outside, wordy] = ['empty', 'single', 'outside', 'wordy'].map((name) => {
      const path = join(root, name);
      mkdirSync(path);
      return path;
    }) as [string, string, string, string];
    cpSync(join(classes, 'soil'), join(single, 'soil'), { recursive: true });
    writeFileSync(join(outside, 'table.csv'), 'photo,grass\n../classes/soil/0.png,3\n');
    cpSync(join(classes, 'soil', '0.png'), join(wordy, 'a.png'));
    cpSync(join(classes, 'soil', '1.png'), join(wordy, 'b.png'));
    writeFileSync(join(wordy, 'table.csv'), 'photo,grass\na.png,3\nb.png,lots\n');
    const cases: [string, string[], number, RegExp][] = [
      [empty, [], 1, /empty: has neither sub-folders with photos nor a CSV; give one sub-folder a class/],
      [single, [], 1, /single: has photos of one class only \(soil\)/],
      [outside, [], 1, /table\.csv row 2: photo "\.\.\/classes\/soil\/0\.png" leaves/],
      [
        wordy,
        [],
        1,
        /table\.csv row 3: grass "lots" is not a number; give a number, or leave the cell empty/,
      ],
      [classes, set({ 'estimator.fineTune.mode': 'most' }), 2, /estimator\.fineTune\.mode: .*full/],
      [
        classes,
        set({ 'estimator.fineTune.lastBlocks': 9, 'estimator.fineTune.mode': 'last' }),
        2,
        /has 2 blocks/,
      ],
      [classes, ['--seed', 'x'], 2, /--seed x: give a whole number/],
      [
        classes,
        ['--backbone', join(root, 'gone.safetensors')],
        1,
        /gone\.safetensors: there is no such file/,
      ],
    ];
    for (const [photos, changes, code, message] of cases) {
      // An option given twice would be refused for that.
      const options = changes.includes('--backbone') ? OPTIONS.slice(2) : OPTIONS;
      const outcome = await sward('pretrain', photos, ...options, ...changes, '--out', join(root, 'bad'));
      expect(errorLine(outcome)).toMatch(message);
      expect(outcome.code).toBe(code);
    }
    expect(existsSync(join(root, 'bad'))).toBe(false);
  });
});
