import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { configure, hubIn } from '../../../src/ground/environment.ts';
import type { Progress } from '../../../src/ground/progress.ts';
import { parseChange } from '../../../src/ground/setting-change.ts';
import { makeBackbone } from '../../../src/vision/backbones/index.ts';
import { type TrainOptions, trainRun } from '../../../src/workflows/train/train.ts';
import { writeSmallFolder } from '../../support/small-data-folder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { noisyWeights, writeWeights } from '../../vision/backbones/tiny.ts';

const root = temporaryFolder('early-failures');
const at = (name: string): string => join(root, name);
const model = at('model.safetensors');
const isRoot = process.getuid?.() === 0;

beforeAll(async () => {
  configure({ cacheFolder: at('cache'), hub: { ...hubIn(at('hub')), offline: true } });
  await writeSmallFolder(at('data'), { photos: 12 });
  const without = (names: readonly string[]) => (lines: string[]) => {
    const head = (lines[0] ?? '').split(',');
    const kept = head.flatMap((name, column) => (names.includes(name) ? [] : [column]));
    return lines.map((line) => kept.map((column) => line.split(',')[column]).join(','));
  };
  await writeSmallFolder(at('bare'), { photos: 12, alter: without(['Pre_GSHH_NDVI', 'Height_Ave_cm']) });
  const lone = (lines: string[]) => lines.map((line) => line.replace(/,Vic,/, ',Tas,'));
  await writeSmallFolder(at('lone'), { photos: 12, alter: lone });
  await writeSmallFolder(at('pair'), { photos: 2 });
  const config = { dim: 24, depth: 3, heads: 3, imgSize: [42, 42] };
  await writeWeights(model, noisyWeights(makeBackbone('dinov2', config)));
  const description = { arch: 'dinov2', config, preprocessing: { inputSize: [42, 42] } };
  writeFileSync(at('model.json'), JSON.stringify(description));
});

/** Trains, and says which stages of work were begun. */
async function attempt(
  changes: readonly string[],
  { recipe = 'film-dual', ...options }: Partial<TrainOptions> = {},
): Promise<{ error: unknown; stages: string[] }> {
  const stages: string[] = [];
  const progress: Progress = { stage: (title) => stages.push(title), advance() {}, done() {} };
  const settings = [`backbone=${model}`, ...changes].map(parseChange);
  const training = { source: at('data'), recipe, settings, out: at('out'), plan: { folds: 3 }, progress };
  const error: unknown = await trainRun({ ...training, ...options }).then(
    () => null,
    (thrown: unknown) => thrown,
  );
  return { error, stages };
}

describe('what cannot be trained is refused before features are made:', () => {
  it.each<[string, string[], Partial<TrainOptions>, RegExp]>([
    ['more folds than sessions', [], { plan: { folds: 7 } }, /7 folds need as many groups, but there are 6/],
    ['folds of a file that is not there', [], { plan: { folds: at('no.csv') } }, /no\.csv/],
    [
      'a teacher of columns that labels have not',
      ['estimator.teacher.weight=0.5', 'estimator.teacher.sees=ndvi'],
      { source: at('bare') },
      /no label says the ndvi of a photo/,
    ],
    [
      'a head for what labels do not say',
      ['estimator.auxiliary.height=0.2'],
      { source: at('bare') },
      /the height of a photo/,
    ],
    [
      'sessions held out where a fold leaves one',
      ['estimator.checkpoint.choice=best-inner'],
      { source: at('pair'), plan: { folds: 2 } },
      /best-inner holds out sessions, but there is only one/,
    ],
    [
      'a teacher where a fold leaves one session',
      ['estimator.teacher.weight=0.5'],
      { source: at('pair'), plan: { folds: 2 } },
      /a teacher predicts each session from the others, but there is only one/,
    ],
    [
      'States held out where there is one',
      ['evaluation.leaveOneStateOut=true'],
      { source: at('lone') },
      /the labels name Tas alone/,
    ],
    [
      'a layout that columns do not have',
      ['estimator.layout.parts=5'],
      {},
      /48 columns are not 2 halves × 5 parts/,
    ],
    ['a loss without a term', ['estimator.loss.mse=0'], {}, /the loss has no term for the masses/],
    [
      'tiles that are averaged already',
      [
        'input.view=tiles',
        'estimator.architecture.kind=tiled-dual',
        'estimator.architecture.tiles=attention',
      ],
      {},
      /weighs tiles, but each half is one vector/,
    ],
    ['concepts that are not there', [`estimator.concepts=${at('no.npy')}`], {}, /no\.npy/],
    [
      'categories in columns that are not there',
      ['estimator.categorical=[99]'],
      { recipe: 'feature-boost' },
      /categorical names column 99/,
    ],
    [
      'a member that reads another set',
      ['estimator.members=[{"input":"siglip","estimator":{"kind":"ridge"}}]'],
      { recipe: 'feature-stack' },
      /a member reads siglip/,
    ],
    ['weights that are not here', ['backbone=vit_large_patch14_dinov2.lvd142m'], {}, /sward backbones pull/],
    [
      'weights of a further backbone that are not here',
      [`extra=${at('none.safetensors')}`],
      {},
      /none\.safetensors/,
    ],
    ['a folder that something else wrote', [], { out: at('foreign') }, /is not a run folder/],
    ['a run of other settings', [], { out: at('taken') }, /holds another run/],
    ['a folder below a file', [], { out: join(model, 'run') }, /cannot be written|is not a folder/],
  ])('%s', async (_, changes, options, message) => {
    mkdirSync(at('foreign'), { recursive: true });
    writeFileSync(join(at('foreign'), 'letter.txt'), '');
    if (String(options.out).endsWith('taken') && !existsSync(at('taken'))) {
      const own = { recipe: 'descriptor-ridge', settings: [], out: at('taken') };
      expect((await attempt([], own)).error).toBeNull();
    }
    const { error, stages } = await attempt(changes, options);
    expect(String(error)).toMatch(message);
    expect(stages).toEqual([]);
    expect(existsSync(at('out'))).toBe(false);
  });

  it('a folder that may not be written', async () => {
    mkdirSync(at('locked'));
    chmodSync(at('locked'), 0o500);
    // Root may write everywhere but into what the kernel shows of itself.
    const { error, stages } = await attempt([], { out: join(isRoot ? '/sys' : at('locked'), 'run') });
    expect(String(error)).toMatch(/writing there is not allowed/);
    expect(stages).toEqual([]);
  });

  it('leaves no trace of having tried to write', async () => {
    const { error } = await attempt(['estimator.epochs=1', 'estimator.loss.mse=0'], {
      out: join(at('deep'), 'er', 'run'),
    });
    expect(String(error)).toMatch(/no term/);
    expect(existsSync(at('deep'))).toBe(false);
  });

  it('and a finished run is not prepared again', async () => {
    const changes = ['estimator.epochs=1', 'evaluation.leaveOneStateOut=false'];
    const first = await attempt(changes, { out: at('done') });
    expect(first.error).toBeNull();
    expect(first.stages[0]).toBe('Extracting features');
    const again = await attempt(changes, { out: at('done') });
    expect(again).toEqual({ error: null, stages: [] });
    expect(readdirSync(at('done'))).toContain('report.html');
    expect(readFileSync(join(at('done'), 'run.json'), 'utf8')).toContain('"complete"');
  });
});
