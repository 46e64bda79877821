import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fromBinary } from '@bufbuild/protobuf';
import { ModelProtoSchema } from 'onnx-buf';
import { beforeAll, describe, expect, it } from 'vitest';
import { exportForBrowser } from '../../../src/export/browser/export-for-browser.ts';
import { nodeHost } from '../../../src/export/browser/node-host.ts';
import type { ExportOptions } from '../../../src/export/export-run.ts';
import { targetsToArray } from '../../../src/pasture/targets.ts';
import {
  PIECE_BYTES,
  type PortableModel,
  parsePortableModel,
  type StoredFile,
  storedFiles,
} from '../../../src/portable/model.ts';
import { areSame, type PortableAnswer, PortableRun } from '../../../src/portable/portable-run.ts';
import type { PhotoPrediction } from '../../../src/runs/prediction.ts';
import { onnxTypeCode } from '../../../src/tensor/graph/dtype.ts';
import { DESCRIBED_PIXELS } from '../../../src/vision/descriptors/describe.ts';
import { rawPicture } from '../../../src/vision/photos/encoded.ts';
import { decodePhoto, findPhotos, photoHash } from '../../../src/vision/photos/index.ts';
import { makeEnsemble } from '../../../src/workflows/ensemble/ensemble.ts';
import { predictRun } from '../../../src/workflows/predict/predict.ts';
import { trainRun } from '../../../src/workflows/train/train.ts';
import { featureSource, writeSmallFeatures } from '../../support/small-feature-files.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { resolveRecipe } from '../../support/written-settings.ts';
import { type SmallRuns, smallRuns } from '../small-runs.ts';

const root = temporaryFolder('export-browser');
let runs: SmallRuns;
let photos: string[];
let halves: string;
/** A run on a backbone and descriptors, as the starter is, and its export. */
let average: string;
let averageExport: string;

beforeAll(async () => {
  runs = await smallRuns(root);
  halves = await runs.train('halves', 'feature-ridge');
  average = await runs.train('average', 'photo-ridge');
  averageExport = await exported(average);
  const trained = await findPhotos([join(runs.data, 'train')]);
  photos = [...trained.slice(0, 2).map(({ path }) => path), join(runs.data, 'test', 'ID1.jpg')];
});

let count = 0;
async function exported(run: string, options: Partial<ExportOptions> = {}): Promise<string> {
  const out = join(root, `export-${count++}`);
  await exportForBrowser({ run, out, ...options });
  return out;
}

const modelIn = (folder: string): PortableModel =>
  parsePortableModel(JSON.parse(readFileSync(join(folder, 'model.json'), 'utf8')));

/** What the export says of the photos, run by Node. */
async function answers(folder: string): Promise<PortableAnswer[]> {
  const portable = new PortableRun(modelIn(folder), nodeHost(folder));
  const said: PortableAnswer[] = [];
  for (const path of photos) {
    const photo = { name: path, pixels: await decodePhoto(path), sha256: await photoHash(path) };
    said.push(await portable.predict(photo));
  }
  await portable.release();
  return said;
}

/** What `sward predict` says of them. */
const predicted = async (run: string): Promise<readonly PhotoPrediction[]> =>
  (await predictRun({ run, source: photos, coverage: 0.9 })).predictions;

/** Expects answers that are the run's own, down to intervals, doubts and what is known of the photos. */
async function expectSame(run: string, folder: string): Promise<void> {
  const [own, said] = [await predicted(run), await answers(folder)];
  expect(said.length).toBe(own.length);
  for (const [index, { prediction }] of said.entries()) {
    const expected = own[index] as PhotoPrediction;
    expect(areSame(targetsToArray(prediction.targets), targetsToArray(expected.targets))).toBe(true);
    expect(prediction.folds).toHaveLength(expected.folds.length);
    for (const [fold, masses] of prediction.folds.entries()) {
      const other = expected.folds[fold];
      expect(other && areSame(targetsToArray(masses), targetsToArray(other))).toBe(true);
    }
    const { low = 0, high = 0 } = expected.intervals?.total ?? {};
    expect(prediction.intervals?.total.low).toBeCloseTo(low, 1);
    expect(prediction.intervals?.total.high).toBeCloseTo(high, 1);
    expect(prediction.trainedOn).toBe(expected.trainedOn);
    if (expected.outOfDomain === null) expect(prediction.outOfDomain).toBeNull();
    else expect(Math.abs((prediction.outOfDomain ?? 9) - expected.outOfDomain)).toBeLessThan(0.1);
  }
}

const NETWORK = ['estimator.epochs=1', 'input.size=42'];

describe('an export for browsers answers as the run does', () => {
  it.each([
    ['kernel ridge on halves', 'feature-ridge', ['input.view=halves']],
    ['tiles at every resolution', 'feature-ridge', ['input.view=tiles', 'input.pooling=stages']],
    ['windows kept apart', 'feature-ridge', ['input.view=windows', 'input.combine=keep']],
    [
      'boosted trees on upright photos',
      'feature-boost',
      [
        ...['input.view=whole', 'input.upright=turn'],
        ...['estimator.numIterations=10', 'estimator.members=1', 'estimator.minDataInLeaf=2'],
      ],
    ],
    ['principal components', 'feature-ridge', ['reduction.kind=pca', 'reduction.components=4']],
    ['a network on a frozen backbone', 'feature-mlp', ['estimator.epochs=2']],
    ['a map of patches', 'density', [...NETWORK, 'input.grid=2']],
    ['a backbone trained further in every fold', 'film-dual', [...NETWORK, 'estimator.fineTune.mode=lora']],
  ] as const)('%s', async (name, recipe, changes) => {
    const run = await runs.train(name.replaceAll(' ', '-'), recipe, ...changes);
    await expectSame(run, await exported(run));
  });

  it.each(['descriptor-ridge', 'descriptor-boost'])('%s, on descriptors alone', async (recipe) => {
    const run = join(root, recipe);
    await trainRun({
      source: { kind: 'folder', folder: runs.data },
      recipe: await resolveRecipe(recipe, [
        'evaluation.leaveOneStateOut=false',
        ...(recipe === 'descriptor-boost'
          ? ['estimator.numIterations=5', 'estimator.members=1', 'estimator.minDataInLeaf=2']
          : []),
      ]),
      out: run,
      plan: { folds: 2 },
    });
    const folder = await exported(run);
    expect(modelIn(folder).sources).toEqual([{ kind: 'descriptors' }]);
    await expectSame(run, folder);
  });

  it('of the total alone says the total as the run does, and nothing of what nobody taught it', async () => {
    const out = join(root, 'total-alone');
    await trainRun({
      source: { kind: 'folder', folder: runs.data, learn: ['total'] },
      recipe: await resolveRecipe('descriptor-ridge', ['evaluation.leaveOneStateOut=false']),
      out,
      plan: { folds: 2 },
    });
    const folder = await exported(out);
    const { masses, self_test } = modelIn(folder);
    expect([masses, self_test.masses.slice(0, 4)]).toEqual([['total'], [null, null, null, null]]);
    await expectSame(out, folder);
    const [first] = await answers(folder);
    expect(first?.prediction.targets).toMatchObject({ green: Number.NaN, clover: Number.NaN });
    expect(first?.prediction.targets.total).toBeGreaterThan(0);
    const portable = new PortableRun(modelIn(folder), nodeHost(folder));
    expect(await portable.selfTest()).toBe(true);
    await portable.release();
  });

  it('a kernel average of a backbone and descriptors, as the starter is', async () => {
    const kinds = modelIn(averageExport).sources.map(({ kind }) => kind);
    expect(kinds).toEqual(['backbone', 'descriptors']);
    await expectSame(average, averageExport);
  });

  it('an ensemble with post-processing, whose members share what they look at', async () => {
    const roots = await runs.train('roots', 'feature-ridge', 'transform.kind=sqrt');
    const run = join(root, 'ensemble');
    await makeEnsemble({ runs: [halves, roots], out: run, method: 'nnls', post: 'calibration,clip' });
    const folder = await exported(run);
    expect(modelIn(folder)).toMatchObject({ sources: [{}], domains: [{}, {}] });
    await expectSame(run, folder);
  });

  it('weights of int8 where the recipe has them; chosen otherwise they are tested against themselves', async () => {
    const run = await runs.train('int8', 'feature-ridge', 'input.precision=int8');
    const folder = await exported(run);
    expect(modelIn(folder).precision).toBe('int8');
    await expectSame(run, folder);
    const chosen = await exported(halves, { precision: 'int8' });
    const portable = new PortableRun(modelIn(chosen), nodeHost(chosen));
    expect(await portable.selfTest()).toBe(true);
    await portable.release();
  });

  it('photos of more pixels than descriptors look at', async () => {
    const [width, height] = [4500, 2700];
    expect(width * height).toBeGreaterThan(DESCRIBED_PIXELS);
    const data = new Uint8Array(width * height * 3);
    for (let at = 0; at < data.length; at++) data[at] = (at * 7919 + (at >> 9) * 31) % 251;
    const path = join(root, 'large.png');
    writeFileSync(path, await rawPicture(data, width, height, 3).png({ compressionLevel: 0 }).toBuffer());
    const [own] = (await predictRun({ run: average, source: [path] })).predictions;
    const portable = new PortableRun(modelIn(averageExport), nodeHost(averageExport));
    const photo = { name: 'large', pixels: { width, height, data }, sha256: null };
    const { prediction } = await portable.predict(photo);
    await portable.release();
    expect(own && areSame(targetsToArray(prediction.targets), targetsToArray(own.targets))).toBe(true);
  });
});

describe('the folder of an export for browsers', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await exported(halves);
  });

  it('holds model.json, a card, and pieces that are small, checked and all named', () => {
    const pieces = storedFiles(modelIn(folder)).flatMap((file) => file.pieces);
    const names = readdirSync(folder).filter((name) => name.endsWith('.bin'));
    expect(names.sort()).toEqual([...new Set(pieces.map(({ file }) => file))].sort());
    expect(readdirSync(folder)).toEqual(expect.arrayContaining(['README.md', 'model.json']));
    for (const { file, bytes, sha256 } of pieces) {
      const content = readFileSync(join(folder, file));
      expect(content.length).toBe(bytes);
      expect(bytes).toBeLessThanOrEqual(PIECE_BYTES);
      expect(createHash('sha256').update(content).digest('hex')).toBe(sha256);
    }
  });

  it('holds models of single precision without loops, which graphics cards can run', async () => {
    const model = modelIn(averageExport);
    const files = [
      model.estimators.model,
      ...model.sources.flatMap((one) => ('model' in one ? [one.model] : [])),
    ];
    for (const file of files) {
      const { graph } = fromBinary(ModelProtoSchema, await whole(averageExport, file));
      expect(graph?.node.length).toBeGreaterThan(5);
      expect(graph?.node.filter(({ opType }) => /^(Scan|Loop|If|Resize)$/.test(opType))).toEqual([]);
      const doubles = graph?.initializer.filter(({ dataType }) => dataType === onnxTypeCode('float64'));
      expect(doubles).toEqual([]);
    }
  });

  it('says what the run is, and nothing of where it lay', () => {
    const text = readFileSync(join(folder, 'model.json'), 'utf8');
    expect(text).not.toContain(root);
    expect(modelIn(folder)).toMatchObject({
      run: { name: 'feature-ridge', photos: 12, sessions: 6, about: null },
      precision: 'fp32',
      area_m2: 0.21,
    });
  });

  it('is not replaced without being told to, and nothing else ever', async () => {
    await expect(exportForBrowser({ run: halves, out: folder })).rejects.toThrow(/--overwrite/);
    await exportForBrowser({ run: halves, out: folder, overwrite: true });
    const other = join(root, 'data');
    await expect(exportForBrowser({ run: halves, out: other })).rejects.toThrow(/is no export/);
  });

  it('is refused by programs that know other formats, or when it is damaged', () => {
    const model = JSON.parse(readFileSync(join(folder, 'model.json'), 'utf8'));
    expect(() => parsePortableModel({ ...model, format: 2 })).toThrow(/format 2.*knows 1; load the newest/);
    expect(() => parsePortableModel({ ...model, sources: [] })).toThrow(/damaged \(sources/);
    expect(() => parsePortableModel(null)).toThrow(/damaged/);
  });
});

describe('an export for browsers is refused in one line', () => {
  it.each([
    [{ input: 'photos' }, /leave out --input/],
    [{ tta: 'flips' }, /--tta/],
    [{ kaggle: {} }, /--kaggle/],
  ] as const)('with %o', async (options, message) => {
    await expect(exported(halves, options)).rejects.toThrow(message);
  });

  it('of a run on photos that were cut, alone or in an ensemble, since the app shows whole ones', async () => {
    const cut = await runs.train('cut', 'feature-ridge', 'crop=auto');
    await expect(exported(cut)).rejects.toThrow(/photos that were cut \(crop\).*--target program/);
    const both = join(root, 'cut-ensemble');
    await makeEnsemble({ runs: [halves, cut], out: both, method: 'mean' });
    await expect(exported(both)).rejects.toThrow(/photos that were cut \(crop\)/);
  });

  it('of a run on feature files, and of an ensemble with a rule of thumb', async () => {
    const files = await writeSmallFeatures(join(root, 'features'), 20, 1);
    const run = join(root, 'on-features');
    await trainRun({
      source: featureSource(files, 0),
      recipe: await resolveRecipe('feature-ridge', ['evaluation.leaveOneStateOut=false']),
      out: run,
      plan: { folds: 2 },
    });
    await expect(exported(run)).rejects.toThrow(/trained on a feature file/);
    const ruled = join(root, 'ruled');
    await makeEnsemble({ runs: [halves], out: ruled, method: 'mean', post: 'wa-dead' });
    await expect(exported(ruled)).rejects.toThrow(/step wa-dead of an ensemble cannot be part/);
  });
});

async function whole(folder: string, file: StoredFile): Promise<Uint8Array> {
  return nodeHost(folder).read(file);
}
