import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Tensor } from 'onnxruntime-node';
import { beforeAll, describe, expect, it } from 'vitest';
import { type ExportOptions, exportRun } from '../../src/export/export-run.ts';
import { readRunModel } from '../../src/export/run-model.ts';
import { writeMassModel } from '../../src/export/write-model.ts';
import { targetsToArray } from '../../src/pasture/targets.ts';
import { openRun } from '../../src/runs/open-run.ts';
import type { TEST_TIME_TURNS } from '../../src/runs/run.ts';
import prepareViews from '../../src/vision/features/prepare-worker.ts';
import { decodePhoto, findPhotos } from '../../src/vision/photos/index.ts';
import { makeEnsemble } from '../../src/workflows/ensemble/ensemble.ts';
import { trainRun } from '../../src/workflows/train/train.ts';
import { predictPhotos } from '../support/ask-run.ts';
import { stockSession } from '../support/stock-session.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { resolveRecipe } from '../support/written-settings.ts';
import { type SmallRuns, smallRuns } from './small-runs.ts';

const FEW_TREES = ['estimator.numIterations=10', 'estimator.members=1', 'estimator.minDataInLeaf=2'];

type Tta = keyof typeof TEST_TIME_TURNS;

const root = temporaryFolder('export');
let runs: SmallRuns;
let photos: string[];
let halves: string;

beforeAll(async () => {
  runs = await smallRuns(root);
  halves = await runs.train('halves', 'feature-ridge');
  photos = (await findPhotos([join(runs.data, 'train')])).slice(0, 2).map(({ path }) => path);
});

/** What sward predicts, one list of five masses a photo. */
async function predicted(run: string, tta: Tta = 'none'): Promise<number[][]> {
  const found = await findPhotos(photos);
  return (await predictPhotos(run, found, { tta })).map(({ targets }) => targetsToArray(targets));
}

/** What the exported model says of the photos in one call, with nothing of sward but the decoding. */
async function said(model: string): Promise<number[][]> {
  const session = await stockSession(model);
  const decoded = await Promise.all(photos.map((path) => decodePhoto(path)));
  const [{ width, height } = { width: 0, height: 0 }] = decoded;
  const pixels = Uint8Array.from(decoded.flatMap(({ data }) => [...data]));
  const { masses } = await session.run({
    photos: new Tensor('uint8', pixels, [photos.length, height, width, 3]),
  });
  await session.release();
  expect(masses?.dims).toEqual([photos.length, 5]);
  return rowsOf(masses?.data as Float32Array);
}

const rowsOf = (masses: Float32Array): number[][] =>
  Array.from({ length: masses.length / 5 }, (_, photo) => [...masses.subarray(photo * 5, photo * 5 + 5)]);

/** Largest difference as a share of 1 g or the mass. */
function difference(a: readonly (readonly number[])[], b: readonly (readonly number[])[]): number {
  expect(a.length).toBe(b.length);
  return Math.max(
    ...a.flatMap((row, photo) =>
      row.map((mass, target) => Math.abs(mass - (b[photo]?.[target] ?? Number.NaN)) / Math.max(1, mass)),
    ),
  );
}

/** Bytes of an exported model. */
const sizeOf = (out: string): number => readFileSync(join(out, 'model.onnx')).length;

let count = 0;
async function exported(run: string, options: Partial<ExportOptions> = {}): Promise<string> {
  const out = join(root, `export-${count++}`);
  await exportRun({ run, out, ...options });
  return out;
}

describe('an exported model', () => {
  it('predicts several photos in one call as sward does', async () => {
    const out = await exported(halves);
    expect(difference(await predicted(halves), await said(join(out, 'model.onnx')))).toBeLessThan(1e-5);
  });

  it.each([
    ['mirrored tiles', 'feature-ridge', ['input.view=tiles'], 'flips'],
    ['every resolution', 'feature-ridge', ['input.view=tiles', 'input.pooling=stages'], 'none'],
    ['the whole photo with boosted trees', 'feature-boost', ['input.view=whole', ...FEW_TREES], 'none'],
    ['a network', 'feature-mlp', ['estimator.epochs=2'], 'none'],
    ['mirrored windows', 'feature-ridge', ['input.view=windows'], 'flips'],
    [
      'windows weighed by a network',
      'tiled-dual',
      [
        ...['estimator.epochs=1', 'input.size=42', 'input.view=windows', 'input.combine=keep'],
        ...['input.windows.side=1/2', 'estimator.architecture.tiles=attention'],
      ],
      'none',
    ],
    ['a map of patches', 'density', ['estimator.epochs=1', 'input.size=42', 'input.grid=2'], 'none'],
    [
      'principal components of tiles kept apart',
      'feature-ridge',
      ['input.view=tiles', 'input.combine=keep', 'reduction.kind=pca', 'reduction.components=4'],
      'none',
    ],
  ] as const)('predicts as sward does: %s', async (name, recipe, changes, tta) => {
    const run = await runs.train(name.replaceAll(' ', '-'), recipe, ...changes);
    const out = await exported(run, { tta });
    expect(difference(await predicted(run, tta), await said(join(out, 'model.onnx')))).toBeLessThan(1e-4);
  });

  it('of a recipe with several backbones predicts as sward does', async () => {
    const sets = ['whole', 'halves'].map((view) => ({ kind: 'backbone', backbone: runs.backbone, view }));
    const file = join(root, 'several.json');
    const recipe = { name: 'several', input: { kind: 'several', sets }, estimator: { kind: 'kernel-ridge' } };
    writeFileSync(file, JSON.stringify(recipe));
    const run = join(root, 'several');
    await trainRun({
      source: { kind: 'folder', folder: runs.data },
      recipe: await resolveRecipe(file, ['evaluation.leaveOneStateOut=false']),
      out: run,
      plan: { folds: 2 },
    });
    const out = await exported(run);
    expect(difference(await predicted(run), await said(join(out, 'model.onnx')))).toBeLessThan(1e-5);
    // Both read the same weights, which are there once.
    expect(sizeOf(out)).toBeLessThan(1.5 * sizeOf(await exported(halves)));
    await expect(exported(run, { input: 'views' })).rejects.toThrow(/different views.*--input photos/);
  });

  it('with a backbone trained further predicts as sward does', async () => {
    const changes = ['estimator.epochs=1', 'input.size=42', 'estimator.fineTune.mode=lora'];
    const run = await runs.train('lora', 'film-dual', ...changes);
    const out = await exported(run);
    expect(difference(await predicted(run), await said(join(out, 'model.onnx')))).toBeLessThan(1e-4);
  });

  it('of an ensemble with post-processing is one model that predicts as sward does', async () => {
    const roots = await runs.train('roots', 'feature-ridge', 'transform.kind=sqrt');
    const run = join(root, 'ensemble');
    await makeEnsemble({
      runs: [halves, roots],
      out: run,
      method: 'nnls',
      perTarget: true,
      post: 'calibration,clip',
    });
    const out = await exported(run);
    expect(difference(await predicted(run), await said(join(out, 'model.onnx')))).toBeLessThan(1e-5);
    const facts = JSON.parse(readFileSync(join(out, 'model.json'), 'utf8'));
    // Both members look at photos in the same way, so the backbone is there once.
    expect(facts).toMatchObject({ branches: [{}], members: [{ folds: 2 }, { folds: 2 }] });
  });

  it('with int8 weights is smaller and close, and equals sward where the recipe has them', async () => {
    const exact = await predicted(halves);
    const int8 = await exported(halves, { precision: 'int8' });
    expect(sizeOf(int8)).toBeLessThan(sizeOf(await exported(halves)));
    const rounding = difference(exact, await said(join(int8, 'model.onnx')));
    expect(rounding).toBeGreaterThan(0);
    expect(rounding).toBeLessThan(0.2);
    const run = await runs.train('int8', 'feature-ridge', 'input.precision=int8');
    const out = await exported(run);
    expect(difference(await predicted(run), await said(join(out, 'model.onnx')))).toBeLessThan(1e-4);
  });

  it('of views takes what the caller cut and resized', async () => {
    const out = await exported(halves, { input: 'views' });
    const pixels = await decodePhoto(photos[0] as string);
    const recipe = { plan: 'halves', size: 42, interpolation: 'bicubic', turn: 0 } as const;
    const scale = { mean: [0, 0, 0], std: [1 / 255, 1 / 255, 1 / 255] } as const;
    const values = prepareViews({ pixels, recipe: { ...recipe, ...scale } }).map(Math.round);
    const session = await stockSession(join(out, 'model.onnx'));
    const { masses } = await session.run({ views: new Tensor('float32', values, [1, 2, 3, 42, 42]) });
    const [first = []] = await predicted(halves);
    expect(difference([first], rowsOf(masses?.data as Float32Array))).toBeLessThan(1e-5);
    expect(existsSync(join(out, 'run-model.mjs'))).toBe(false);
  });

  it('has its weights in a file beside it where they are too large for one', async () => {
    await using run = await openRun(halves);
    const { model } = await readRunModel(run, { input: 'photos', precision: null, tta: 'none' });
    const folder = join(root, 'beside');
    mkdirSync(folder);
    expect(await writeMassModel(folder, 'model', model, {}, 1000)).toEqual(['model.onnx', 'model.onnx.data']);
    expect(difference(await predicted(halves), await said(join(folder, 'model.onnx')))).toBeLessThan(1e-5);
  });
});

describe('the folder of an export', () => {
  it('says what is in it, for programs and for people', async () => {
    const out = await exported(halves, { tta: 'flips' });
    expect(readdirSync(out).sort()).toEqual(['README.md', 'model.json', 'model.onnx', 'run-model.mjs']);
    const facts = JSON.parse(readFileSync(join(out, 'model.json'), 'utf8'));
    const bytes = readFileSync(join(out, 'model.onnx'));
    expect(facts).toMatchObject({
      format: 1,
      recipe: 'feature-ridge',
      files: [
        { file: 'model.onnx', bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') },
      ],
      input: { name: 'photos', dtype: 'uint8', shape: ['photos', 'height', 'width', 3] },
      targets: ['Dry_Green_g', 'Dry_Dead_g', 'Dry_Clover_g', 'GDM_g', 'Dry_Total_g'],
      turns: [0, 1, 2],
      branches: [
        {
          views: 'halves',
          boxes: [
            { left: 0, top: 0, right: 0.5, bottom: 1 },
            { left: 0.5, top: 0, right: 1, bottom: 1 },
          ],
          size: 42,
          interpolation: 'bicubic',
          backbone: { source: 'file model.safetensors', licence: 'unknown', trained: false },
        },
      ],
      scores: { out_of_fold: { n_images: 12 } },
    });
    expect(facts.kg_dm_per_ha_per_gram).toBeCloseTo(47.619, 3);
    const card = readFileSync(join(out, 'README.md'), 'utf8');
    for (const part of [
      'weighted R²',
      '0.21 m²',
      '47.619',
      'Dry_Clover_g',
      'Licences',
      facts.data_fingerprint,
    ]) {
      expect(card).toContain(part);
    }
    expect(card).not.toContain(root);
  });

  it('says how windows stand in a photo, whose fractions depend on its shape', async () => {
    const run = await runs.train(
      'some-windows',
      'feature-ridge',
      'input.view=windows',
      'input.windows.across=4',
    );
    const out = await exported(run);
    const { branches } = JSON.parse(readFileSync(join(out, 'model.json'), 'utf8'));
    expect(branches).toMatchObject([{ views: 'windows', windows: { side: 2 / 3, across: 4, down: 2 } }]);
    expect(branches[0]).not.toHaveProperty('boxes');
    expect(readFileSync(join(out, 'README.md'), 'utf8')).toMatch(
      /8 square windows: 2 rows of 4 .* 0\.6667 of the/,
    );
  });

  it('is the same for the same run', async () => {
    const read = async (): Promise<Buffer> => readFileSync(join(await exported(halves), 'model.onnx'));
    expect((await read()).equals(await read())).toBe(true);
  });

  it('appears whole or not at all, and never in place of something else', async () => {
    const foreign = join(root, 'foreign');
    mkdirSync(foreign);
    writeFileSync(join(foreign, 'notes.txt'), 'mine');
    await expect(exportRun({ run: halves, out: foreign, overwrite: true })).rejects.toThrow(/is no export/);
    const out = await exported(halves);
    await expect(exportRun({ run: halves, out })).rejects.toThrow(/--overwrite/);
    await exportRun({ run: halves, out, overwrite: true, input: 'views' });
    expect(readdirSync(out).sort()).toEqual(['README.md', 'model.json', 'model.onnx']);
    const failing = join(root, 'failing', 'out');
    const progress = {
      stage: () => {},
      advance: () => {},
      done() {
        throw new Error('interrupted');
      },
    };
    await expect(exportRun({ run: halves, out: failing, progress })).rejects.toThrow('interrupted');
    expect(readdirSync(join(root, 'failing'))).toEqual([]);
  });
});
