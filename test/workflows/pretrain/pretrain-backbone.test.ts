import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { configure } from '../../../src/ground/environment.ts';
import type { Progress } from '../../../src/ground/progress.ts';
import type { PretrainingManifest } from '../../../src/runs/manifest.ts';
import { readTrainedManifest } from '../../../src/runs/manifest.ts';
import { loadTensors } from '../../../src/tensor/index.ts';
import { resolveWeights } from '../../../src/vision/weights/index.ts';
import { pretrainBackbone } from '../../../src/workflows/pretrain/pretrain-backbone.ts';
import { trainRun } from '../../../src/workflows/train/train.ts';
import { writeClassPhotos, writeMeasuredPhotos } from '../../networks/pretraining/plant-photos.ts';
import { writeTinyBackbone } from '../../networks/tiny-photos.ts';
import { writeSmallFolder } from '../../support/small-data-folder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { resolvePretrainSettings, resolveRecipe } from '../../support/written-settings.ts';

const root = temporaryFolder('pretrain');
const backbone = join(root, 'tiny.safetensors');
const classes = join(root, 'classes');
const measured = join(root, 'measured');
let made = 0;
/** One that nothing disturbs, for all tests. */
let usual: PretrainingManifest & { readonly out: string };

beforeAll(async () => {
  configure({ cacheFolder: join(root, 'cache') });
  const { arch, config, preprocessing } = await writeTinyBackbone(backbone);
  const origin = { source: 'catalogue vit_small_patch14_dinov2.lvd142m', sha256: '0', licence: 'Apache-2.0' };
  writeFileSync(join(root, 'tiny.json'), JSON.stringify({ arch, config, preprocessing, origin }));
  await writeClassPhotos(classes, 16);
  await writeMeasuredPhotos(measured, 48);
  usual = await pretrained();
});

const USUAL = [
  'holdout.share=0.25',
  'estimator.batch=4',
  'estimator.epochs=6',
  'estimator.optimizer.rate=0.003',
  'estimator.fineTune.backboneRate=1',
  'estimator.augmentation=light',
];

interface Attempt {
  readonly photos?: string;
  readonly changes?: readonly string[];
  readonly out?: string;
  readonly seed?: number;
  readonly resume?: boolean;
  readonly progress?: Progress;
}

/** Trains the tiny backbone further. */
async function pretrained(attempt: Attempt = {}): Promise<PretrainingManifest & { readonly out: string }> {
  const { photos = classes, changes = [], seed = 5, ...rest } = attempt;
  const out = attempt.out ?? join(root, `out-${made++}`);
  const settings = resolvePretrainSettings([...USUAL, ...changes]);
  return { ...(await pretrainBackbone({ photos, backbone, settings, seed, ...rest, out })), out };
}

const bytesOf = (out: string): Buffer => readFileSync(join(out, 'backbone.safetensors'));

/** Names of the tensors that differ from those that training began with. */
async function changedIn(out: string): Promise<string[]> {
  const [before, after] = [await loadTensors(backbone), await loadTensors(join(out, 'backbone.safetensors'))];
  expect(Object.keys(after.tensors).sort()).toEqual(Object.keys(before.tensors).sort());
  return Object.entries(after.tensors)
    .filter(([name, { values }]) => String(values) !== String(before.tensors[name]?.values))
    .map(([name]) => name);
}

/** Progress that fails once `photos` photos have been learnt from. */
function failingAfter(photos: number): Progress {
  let training = false;
  let seen = 0;
  return {
    stage: (title) => {
      training = title.startsWith('Pretraining');
    },
    advance: (steps = 1) => {
      seen += training ? steps : 0;
      if (seen >= photos) throw new Error('the power went');
    },
    done: () => {},
  };
}

describe('pretraining on classes', () => {
  it('tells held-out photos apart far better than chance and says what it learnt', () => {
    const { out, curves, photos, result, backbone: from } = usual;
    expect(curves).toHaveLength(6);
    expect(curves.at(-1)?.['validation top-1 accuracy']).toBeGreaterThanOrEqual(0.9);
    expect(curves.at(-1)?.['validation loss']).toBeLessThan(0.7 * Math.log(3));
    expect(photos).toMatchObject({ count: 48, held_out: 12, source: '../classes' });
    expect(photos.labels).toEqual({
      kind: 'classes',
      classes: ['clover', 'ryegrass', 'soil'].map((name) => ({ name, photos: 16, held_out: 4 })),
    });
    expect(from.origin.licence).toBe('Apache-2.0');
    expect(result).toMatchObject({ file: 'backbone.safetensors', epoch: 6, bytes: bytesOf(out).length });
    expect(readdirSync(out).sort()).toEqual([
      ...[
        'backbone.json',
        'backbone.safetensors',
        'metrics.jsonl',
        'photos.csv',
        'pretrain.json',
        'report.html',
      ],
    ]);
    const metrics = readFileSync(join(out, 'metrics.jsonl'), 'utf8').trimEnd().split('\n');
    expect(metrics.map((line) => JSON.parse(line))).toEqual(curves);
    const [header, ...rows] = readFileSync(join(out, 'photos.csv'), 'utf8').trimEnd().split('\n');
    expect(header).toBe('photo,class,held_out,sha256');
    expect(rows.filter((row) => row.split(',')[2] === '1')).toHaveLength(12);
    expect(readFileSync(join(out, 'report.html'), 'utf8')).toContain('Licence of the published weights');
  });

  it('writes a backbone that training uses like any other, under the licence of the one it began with', async () => {
    const { out, result } = usual;
    const path = join(out, 'backbone.safetensors');
    const weights = await resolveWeights(path);
    expect(weights).toMatchObject({
      arch: 'dinov2',
      sha256: result?.sha256,
      origin: { licence: 'Apache-2.0' },
    });
    expect(weights.preprocessing.inputSize).toEqual([28, 28]);
    const data = join(root, 'data');
    await writeSmallFolder(data, { photos: 12 });
    const recipe = await resolveRecipe('feature-ridge', [`backbone=${path}`]);
    const run = join(root, 'run');
    await trainRun({ source: { kind: 'folder', folder: data }, recipe, out: run, plan: { folds: 2 } });
    expect((await readTrainedManifest(run)).data.sets[0]?.weights?.sha256).toBe(result?.sha256);
  });

  it('changes what its mode trains and nothing else', async () => {
    const once = 'estimator.epochs=1';
    const full = await changedIn(usual.out);
    expect(full).toContain('patch_embed.proj.weight');
    const last = await changedIn(
      (
        await pretrained({
          changes: [once, 'estimator.fineTune.mode=last', 'estimator.fineTune.lastBlocks=1'],
        })
      ).out,
    );
    expect(last).toContain('blocks.1.mlp.fc1.weight');
    expect(last.filter((name) => !/^(blocks\.1\.|norm\.)/.test(name))).toEqual([]);
    const lora = await changedIn((await pretrained({ changes: [once, 'estimator.fineTune.mode=lora'] })).out);
    expect(lora.sort()).toEqual(
      [0, 1].flatMap((block) => ['proj', 'qkv'].map((layer) => `blocks.${block}.attn.${layer}.weight`)),
    );
  });

  it('gives the same file for the same seed, another for another', async () => {
    const changes = ['estimator.epochs=2', 'estimator.dropout=0.2', 'estimator.augmentation=heavy'];
    const [one, same, other] = [
      await pretrained({ changes }),
      await pretrained({ changes }),
      await pretrained({ changes, seed: 6 }),
    ];
    expect(bytesOf(one.out).equals(bytesOf(same.out))).toBe(true);
    expect(bytesOf(one.out).equals(bytesOf(other.out))).toBe(false);
  });

  it('keeps the best epoch where held-out photos choose, and stops when they stop rising', async () => {
    const { curves, result } = await pretrained({
      changes: ['estimator.checkpoint.choice=best', 'estimator.checkpoint.patience=2', 'estimator.epochs=30'],
    });
    expect(curves.length).toBeLessThan(30);
    const scores = curves.map((line) => line['validation top-1 accuracy'] as number);
    expect(result?.epoch).toBe(scores.indexOf(Math.max(...scores)) + 1);
  });
});

describe('pretraining on measurements', () => {
  it('explains held-out visits, cells without a value left out', async () => {
    const { photos, curves } = await pretrained({ photos: measured, changes: ['estimator.epochs=12'] });
    expect(photos.labels).toMatchObject({
      kind: 'columns',
      columns: [
        { name: 'height', photos: 48, held_out: 12 },
        { name: 'litter', photos: 41 },
      ],
      left_out: { columns: ['observer'], photos: 0 },
    });
    expect(curves.at(-1)?.['validation mean R²']).toBeGreaterThan(0.8);
    expect(curves.at(-1)?.['validation R² litter']).toBeGreaterThan(0.8);
  });
});

describe('an interrupted pretraining', () => {
  it('goes on to the very file of an undisturbed one', async () => {
    const out = join(root, 'disturbed');
    // An epoch has 36 photos.
    await expect(pretrained({ out, progress: failingAfter(100) })).rejects.toThrow('the power went');
    expect(existsSync(join(out, 'backbone.safetensors'))).toBe(false);
    expect(existsSync(join(out, 'checkpoint'))).toBe(true);
    await expect(pretrained({ out })).rejects.toThrow(/unfinished pretraining; pass --resume/);
    await expect(pretrained({ out, seed: 6, resume: true })).rejects.toThrow(/holds another pretraining/);
    let learnt = 0;
    const counting: Progress = {
      stage: () => {
        learnt = 0;
      },
      advance: (steps = 1) => {
        learnt += steps;
      },
      done: () => {},
    };
    const resumed = await pretrained({ out, resume: true, progress: counting });
    expect(learnt).toBeLessThan(6 * 36);
    expect(bytesOf(out).equals(bytesOf(usual.out))).toBe(true);
    expect(resumed.curves).toEqual(usual.curves);
    expect(existsSync(join(out, 'checkpoint'))).toBe(false);
  });

  it('is left as it is once it has finished', async () => {
    const out = join(root, 'finished');
    cpSync(usual.out, out, { recursive: true });
    writeFileSync(join(out, 'report.html'), 'kept');
    expect((await pretrained({ out })).result).toEqual(usual.result);
    expect(readFileSync(join(out, 'report.html'), 'utf8')).toBe('kept');
  });
});

describe('a pretraining is refused', () => {
  it('for photos that do not decode, naming them, before anything is written', async () => {
    const damaged = join(root, 'damaged');
    cpSync(classes, damaged, { recursive: true });
    for (const name of ['clover/3.png', 'soil/1.png']) {
      const bytes = readFileSync(join(damaged, name));
      writeFileSync(join(damaged, name), bytes.subarray(0, bytes.length / 2));
    }
    const out = join(root, 'none');
    await expect(pretrained({ photos: damaged, out })).rejects.toThrow(
      /clover\/3\.png: the photo cannot be decoded .*nor can these be used: .*soil\/1\.png/,
    );
    expect(existsSync(out)).toBe(false);
  });

  it('into a folder of something else, or where its backbone lies', async () => {
    await expect(pretrained({ out: classes })).rejects.toThrow(/was not written by sward pretrain/);
    const out = join(root, 'replaced');
    cpSync(usual.out, out, { recursive: true });
    const settings = resolvePretrainSettings(USUAL);
    const again = { photos: classes, settings, seed: 5, overwrite: true };
    await expect(
      pretrainBackbone({ ...again, backbone: join(out, 'backbone.safetensors'), out }),
    ).rejects.toThrow(/lies in --out/);
  });

  it('where photos do not differ in a column, or settings mean nothing together', async () => {
    const flat = join(root, 'flat');
    cpSync(measured, flat, { recursive: true });
    rmSync(join(flat, 'table.csv'));
    writeFileSync(join(flat, 'flat.csv'), 'photo,height\n0.png,3\n1.png,3\n2.png,3\n3.png,3\n');
    await expect(pretrained({ photos: flat })).rejects.toThrow(/do not differ in height/);
    await expect(pretrained({ changes: ['estimator.checkpoint.patience=2'] })).rejects.toThrow(
      /estimator\.checkpoint\.choice is last/,
    );
    await expect(
      pretrained({ changes: ['estimator.checkpoint.choice=best', 'holdout.share=0'] }),
    ).rejects.toThrow(/needs held-out photos/);
    await expect(pretrained({ changes: ['input.size=30'] })).rejects.toThrow(/multiple of 14/);
  });
});
