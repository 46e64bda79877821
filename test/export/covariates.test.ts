import { execFile } from 'node:child_process';
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Tensor } from 'onnxruntime-node';
import { beforeAll, describe, expect, it } from 'vitest';
import { exportForBrowser } from '../../src/export/browser/export-for-browser.ts';
import { nodeHost } from '../../src/export/browser/node-host.ts';
import { exportRun } from '../../src/export/export-run.ts';
import { configure } from '../../src/ground/environment.ts';
import { targetsToArray } from '../../src/pasture/targets.ts';
import { parsePortableModel } from '../../src/portable/model.ts';
import { areSame, PortableRun } from '../../src/portable/portable-run.ts';
import type { PhotoPrediction } from '../../src/runs/prediction.ts';
import { makeBackbone } from '../../src/vision/backbones/index.ts';
import { decodePhoto, findPhotos } from '../../src/vision/photos/index.ts';
import { makeEnsemble } from '../../src/workflows/ensemble/ensemble.ts';
import { predictRun } from '../../src/workflows/predict/predict.ts';
import { trainRun } from '../../src/workflows/train/train.ts';
import { errorLine } from '../support/run-sward.ts';
import { sharedCache } from '../support/shared-cache.ts';
import { writeSmallFolder } from '../support/small-data-folder.ts';
import { stockSession } from '../support/stock-session.ts';
import { hostSward } from '../support/sward-host.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { resolveRecipe } from '../support/written-settings.ts';
import { noisyWeights, writeWeights } from '../vision/backbones/tiny.ts';

const root = temporaryFolder('export-covariates');
const data = join(root, 'data');
const backbone = join(root, 'model.safetensors');
const BOTH = 'covariates=["height","ndvi"]';
let photo: string;

beforeAll(async () => {
  configure({ cacheFolder: sharedCache() });
  await writeSmallFolder(data, {
    photos: 36,
    alter: ([head = '', ...lines]) => [
      head,
      ...lines.map((line, row) => {
        const at = Math.floor(row / 5);
        return line.replace(
          'Ryegrass,0.6,5',
          `Ryegrass,${(0.3 + at / 100).toFixed(2)},${3 + ((7 * at) % 20)}`,
        );
      }),
    ],
  });
  const config = { dim: 24, depth: 3, heads: 3, imgSize: [42, 42] };
  await writeWeights(backbone, noisyWeights(makeBackbone('dinov2', config)));
  writeFileSync(
    join(root, 'model.json'),
    JSON.stringify({ arch: 'dinov2', config, preprocessing: { inputSize: [42, 42] } }),
  );
  photo = (await findPhotos([join(data, 'train')]))[0]?.path ?? '';
});

async function train(name: string, recipe: string, ...changes: string[]): Promise<string> {
  const out = join(root, name);
  await trainRun({
    source: { kind: 'folder', folder: data },
    recipe: await resolveRecipe(recipe, [
      `backbone=${backbone}`,
      'evaluation.leaveOneStateOut=false',
      ...changes,
    ]),
    out,
    plan: { folds: 2 },
  });
  return out;
}

interface Measured {
  readonly values: Readonly<Record<string, number>>;
  readonly used: readonly string[];
}

/** What was measured, as predictions and the model's second input take it. */
const MEASURED: Measured[] = [
  { values: { height: 12, ndvi: 0.5 }, used: ['height', 'ndvi'] },
  { values: { height: 12 }, used: ['height'] },
  { values: { ndvi: 0.5 }, used: ['ndvi'] },
  { values: {}, used: [] },
];

/** Asks sward and an export of its run about one photo with what was measured beside it. @returns what sward says */
async function expectToAgree(
  run: string,
  out: string,
  names: readonly string[],
  measured: readonly Measured[],
): Promise<PhotoPrediction[]> {
  const { data: pixels, width, height } = await decodePhoto(photo);
  const session = await stockSession(join(out, 'model.onnx'));
  const count = measured.length;
  const copies = Uint8Array.from(measured.flatMap(() => [...pixels]));
  const readings = measured.flatMap(({ values }) => names.map((name) => values[name] ?? Number.NaN));
  const { masses } = await session.run({
    photos: new Tensor('uint8', copies, [count, height, width, 3]),
    covariates: new Tensor('float32', Float32Array.from(readings), [count, names.length]),
  });
  await session.release();
  const answers: PhotoPrediction[] = [];
  for (const [row, { values, used }] of measured.entries()) {
    const { predictions } = await predictRun({
      ...{ run, source: [photo], coverage: 0.9 },
      covariates: { values },
    });
    const [own] = predictions;
    answers.push(...predictions);
    expect(own?.covariates).toEqual(used);
    const said = [...((masses as Tensor).data as Float32Array).subarray(5 * row, 5 * row + 5)];
    (own ? targetsToArray(own.targets) : []).forEach((mass, target) => {
      expect(Math.abs(mass - (said[target] ?? Number.NaN)) / Math.max(1, mass)).toBeLessThan(1e-4);
    });
  }
  return answers;
}

describe('an exported model of a run that reads a height and NDVI', () => {
  it.each([
    ['kernel ridge', 'feature-ridge', []],
    ['a ridge', 'feature-ridge', ['estimator.kind=ridge', 'input.view=tiles']],
    [
      'boosted trees',
      'feature-boost',
      ['estimator.numIterations=10', 'estimator.members=1', 'estimator.minDataInLeaf=2'],
    ],
    ['a network', 'feature-mlp', ['estimator.epochs=2', 'estimator.members=2']],
  ] as const)('answers by what was measured, as sward does: %s', async (name, recipe, changes) => {
    const run = await train(name.replaceAll(' ', '-'), recipe, BOTH, ...changes);
    const out = `${run}-export`;
    await exportRun({ run, out });
    const facts = JSON.parse(readFileSync(join(out, 'model.json'), 'utf8'));
    expect(facts.covariates).toMatchObject({
      name: 'covariates',
      shape: ['photos', 2],
      columns: [
        { name: 'height', unit: 'cm', method: 'falling-plate', low: 3, high: 22 },
        { name: 'ndvi', unit: null, method: null },
      ],
    });
    const card = readFileSync(join(out, 'README.md'), 'utf8');
    expect(card).toMatch(
      / With height and ndvi: .* photos\. With height: .* photos\. With ndvi: .* photos\./,
    );
    const answers = await expectToAgree(run, out, ['height', 'ndvi'], MEASURED);
    const { data: pixels, width, height } = await decodePhoto(photo);
    const browser = join(root, `${name.replaceAll(' ', '-')}-browser`);
    await exportForBrowser({ run, out: browser });
    const model = parsePortableModel(JSON.parse(readFileSync(join(browser, 'model.json'), 'utf8')));
    const portable = new PortableRun(model, nodeHost(browser));
    for (const [row, { values, used }] of MEASURED.entries()) {
      const own = answers[row];
      const { prediction } = await portable.predict({
        ...{ name: 'photo', pixels: { width, height, data: pixels }, sha256: null },
        readings: values,
      });
      expect(prediction.covariates).toEqual(used);
      expect(
        areSame(targetsToArray(prediction.targets), own ? targetsToArray(own.targets) : [Number.NaN]),
      ).toBe(true);
      expect(prediction.intervals?.total.high).toBeCloseTo(own?.intervals?.total.high ?? -1, 1);
    }
    const tall = await portable.predict({
      ...{ name: 'photo', pixels: { width, height, data: pixels }, sha256: null },
      readings: { height: 90 },
    });
    expect(tall.prediction.outOfDomain).toBe(1);
    expect(tall.doubts[0]?.message).toMatch(/height 90 cm is outside/);
    await portable.release();
  });

  it('answers so where each of its models has trained a backbone of its own', async () => {
    const changes = ['estimator.epochs=1', 'input.size=42', 'estimator.fineTune.mode=lora'];
    const run = await train('lora', 'film-dual', 'covariates=["height"]', ...changes);
    const out = `${run}-export`;
    await exportRun({ run, out });
    await expectToAgree(run, out, ['height'], MEASURED.slice(1, 2).concat(MEASURED.slice(3)));
  });

  it('is used by the script beside it', async () => {
    const out = join(root, 'kernel-ridge-export');
    symlinkSync(join(import.meta.dirname, '..', '..', 'node_modules'), join(out, 'node_modules'));
    const ask = async (...measured: string[]): Promise<number> => {
      const { stdout } = await promisify(execFile)(process.execPath, [
        join(out, 'run-model.mjs'),
        ...[out, ...measured, photo],
      ]);
      return JSON.parse(stdout).Dry_Total_g as number;
    };
    const run = join(root, 'kernel-ridge');
    for (const [values, measured] of [
      [{ height: 12 }, ['height=12']],
      [{}, []],
    ] as const) {
      const { predictions } = await predictRun({ run, source: [photo], covariates: { values } });
      expect(await ask(...measured)).toBeCloseTo(predictions[0]?.targets.total ?? Number.NaN, 3);
    }
    await expect(ask('soil=3')).rejects.toThrow(/reads no soil; it reads height, ndvi/);
  });

  it('for a competition takes photos alone', async () => {
    const run = join(root, 'kernel-ridge');
    const out = join(root, 'kaggle');
    await exportRun({ run, out, kaggle: {} });
    const session = await stockSession(join(out, 'dataset', 'model.onnx'));
    expect(session.inputNames).toEqual(['photos']);
    await session.release();
  });

  it('is not made of ensembles, which combine members in one way with it and another without', async () => {
    const out = join(root, 'ensemble');
    const runs = [join(root, 'kernel-ridge'), join(root, 'a-ridge')];
    await makeEnsemble({ runs, out, method: 'mean' });
    await expect(exportRun({ run: out, out: join(root, 'ensemble-export') })).rejects.toThrow(
      /in one way with height and ndvi and in another without/,
    );
  });
});

describe('sward predict and sward submit', () => {
  const sward = hostSward({ SWARD_CACHE: sharedCache() });
  const run = join(root, 'kernel-ridge');

  it('take heights of the command line, of tables, and of a covariates.csv beside the photos, and say so', async () => {
    const total = async (...options: string[]): Promise<[number, string[], string]> => {
      const { stdout, stderr } = await sward('predict', run, photo, '--json', ...options);
      const { predictions } = JSON.parse(stdout);
      return [predictions[0].grams.Dry_Total_g, predictions[0].covariates, stderr];
    };
    const [byHand, used, told] = await total('--height', '12');
    expect(used).toEqual(['height']);
    expect(told).toMatch(/heights are taken as measured by falling plate, as the run's were/);
    expect((await total('--height', '120mm'))[0]).toBe(byHand);
    const [clicks, none, warned] = await total('--height', '24clicks');
    expect(none).toEqual([]);
    expect(warned).toMatch(
      /answered without height: its height is by rising plate, and the run reads falling plate/,
    );
    expect(clicks).toBe((await total())[0]);
    const table = join(data, 'train', 'covariates.csv');
    writeFileSync(table, `photo,Height_Ave_cm\n${photo.split('/').at(-1)},12\n`);
    const [found, , said] = await total();
    expect(found).toBe(byHand);
    expect(said).toContain(`height of 1 photo from ${table}`);
    const [kaggle, both] = await total('--covariates', join(data, 'train.csv'));
    expect(both).toEqual(['height', 'ndvi']);
    expect(kaggle).not.toBe(byHand);
    expect(errorLine(await sward('predict', run, photo, '--height', 'tall'))).toMatch(
      /height tall: give centimetres/,
    );
  });

  it('never use what a test table lacks, and say so', async () => {
    const out = join(root, 'submission.csv');
    const { stderr, code } = await sward('submit', run, data, '--out', out);
    expect(code).toBe(0);
    expect(stderr).toMatch(/test.csv has no height and ndvi: photos are answered without/);
    const test = join(data, 'test', 'ID1.jpg');
    const { predictions } = await predictRun({ run, source: [test] });
    expect(predictions[0]?.covariates).toEqual([]);
    const total = readFileSync(out, 'utf8')
      .split('\n')
      .find((line) => line.startsWith('ID1__Dry_Total_g'));
    expect(Number(total?.split(',')[1])).toBeCloseTo(predictions[0]?.targets.total ?? 0, 9);
    expect((await sward('submit', run, data, '--out', out, '--height', '12')).code).toBe(2);
  });

  it('tell of options that do nothing', async () => {
    const idle = await sward('train', data, '--height-method', 'ruler', '--out', join(root, 'idle'));
    expect(idle.code).toBe(2);
    expect(errorLine(idle)).toMatch(/--height-method is for covariates; add --with height/);
    const many = await sward('train', data, '--with', 'a,b,c,d', '--out', join(root, 'idle'));
    expect(errorLine(many)).toMatch(/name 1 to 3 covariates/);
  });
});
