import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { readFeatureTable } from '../src/data/feature-tables.ts';
import { inspectTest, inspectTraining } from '../src/data/folder.ts';
import { readFolds } from '../src/data/folds/index.ts';
import { readColumnMapping } from '../src/data/own-table/mapping.ts';
import { inspectOwnTable } from '../src/data/own-table/read.ts';
import { readPredictions } from '../src/data/predictions.ts';
import { readNpyMatrix } from '../src/formats/npy/npy.ts';
import { openTorchCheckpoint, readTensor } from '../src/formats/torch-checkpoint/index.ts';
import { SwardError } from '../src/ground/errors.ts';
import type { Matrix } from '../src/ground/matrix.ts';
import { randomStream } from '../src/ground/random.ts';
import { networkSettings } from '../src/networks/settings/network.ts';
import { FRESH_LOOP, LoopStates } from '../src/networks/training/loop-state.ts';
import { networkGroups, networkOptimizer } from '../src/networks/training/optimization.ts';
import { makeRecipe, type RecipeSettings } from '../src/recipes/recipe.ts';
import { openRun } from '../src/runs/open-run.ts';
import { featureRows, Samples, unknownSample } from '../src/samples/samples.ts';
import { input, linearLayer, meanSquaredError, Scope, Training } from '../src/tensor/index.ts';
import { makeBackbone } from '../src/vision/backbones/index.ts';
import { inspectPhoto, isPhotoName } from '../src/vision/photos/index.ts';
import { localWeights } from '../src/vision/weights/index.ts';
import { statedBeside } from '../src/vision/weights/stated.ts';
import { trainRun } from '../src/workflows/train/train.ts';
import { Mapping } from './formats/torch-checkpoint/pickle-writer.ts';
import { floats, torchBytes } from './formats/torch-checkpoint/torch-writer.ts';
import { damagedBytes, damagedJson } from './support/damage.ts';
import { featureSource, type SmallFeatureFiles, writeSmallFeatures } from './support/small-feature-files.ts';
import { temporaryFolder } from './support/temporary-folder.ts';
import { workbookBytes } from './support/workbook.ts';
import { noisyWeights, writeWeights } from './vision/backbones/tiny.ts';
import { iphonePhoto } from './vision/photos/iphone-photo.ts';
import { tiffFile } from './vision/photos/tiff-file.ts';

/** The same cases every time; another seed is tried by hand: `FUZZ_SEED=7 FUZZ_SECONDS=60 npx vitest run …`. */
const SEED = Number(process.env.FUZZ_SEED ?? 20_261_127);
/** Cases that are tried of each kind of file whatever the time, and between looks at the clock. */
const CASES_AT_ONCE = 10;
/** How long cases are tried of each kind of file. */
const MILLISECONDS = 1000 * Number(process.env.FUZZ_SECONDS ?? 0.6);
/** What a reader of files of a few kilobytes may take: lengths that a file states are not to be believed. */
const MOST_BYTES = 2 ** 28;

const root = temporaryFolder('damaged-files');

/** Files of one kind, and what reads them. */
interface Reader {
  /** What the file is called; folders with what lies beside it are made by `beside`. */
  readonly file: string;
  readonly sound: () => Buffer | Promise<Buffer>;
  readonly read: (path: string) => Promise<unknown>;
  readonly isJson?: boolean;
}

const TABLE =
  'photo;Sampling date;State;Green (kg/ha);Dead (kg/ha);Total DM (kg/ha);NDVI\n' +
  'a.jpg;04/09/2015;Tas;1.200,5;300;1500,5;0,55\n"b.jpg";5/9/2015;Vic;800;;1000;0,6\nc.jpg;16/9/2015;vic;;;900;\n';

const COMPETITION = `sample_id,image_path,Sampling_Date,State,Species,Pre_GSHH_NDVI,Height_Ave_cm,target_name,target
${['Dry_Green_g', 'Dry_Dead_g', 'Dry_Clover_g', 'GDM_g', 'Dry_Total_g']
  .map(
    (name, at) =>
      `ID1__${name},train/a.jpg,2015/9/4,Tas,Ryegrass_Clover,0.62,4.7,${name},${[10, 5, 2, 12, 17][at]}`,
  )
  .join('\n')}
`;

const inRoot = (name: string): string => join(root, name);

/** Masses of photos of a table of one's own. */
const ownTable = (table: string): Promise<unknown> =>
  inspectOwnTable({ table, photos: inRoot('photos') }, isPhotoName);

const grid = (width: number, height: number): Buffer =>
  Buffer.from(Array.from({ length: width * height * 3 }, (_, at) => (at * 7) % 256));

const picture = () => sharp(grid(24, 16), { raw: { width: 24, height: 16, channels: 3 } });

const exif = {
  IFD0: { Orientation: '6', Make: 'X' },
  IFD2: { DateTimeOriginal: '2015:09:04 10:00:00' },
  IFD3: {
    GPSLatitudeRef: 'S',
    GPSLatitude: '36/1 30/1 0/1',
    GPSLongitudeRef: 'E',
    GPSLongitude: '145/1 0/1 0/1',
  },
};

/** A bitmap of 24 bits with rows from the bottom up. */
function bitmap(): Buffer {
  const [width, height] = [5, 3];
  const stride = 16;
  const header = Buffer.alloc(54);
  header.write('BM', 'latin1');
  header.writeUInt32LE(54 + stride * height, 2);
  header.writeUInt32LE(54, 10);
  header.writeUInt32LE(40, 14);
  header.writeInt32LE(width, 18);
  header.writeInt32LE(height, 22);
  header.writeUInt16LE(1, 26);
  header.writeUInt16LE(24, 28);
  return Buffer.concat([header, Buffer.alloc(stride * height, 90)]);
}

function npy(): Buffer {
  const header = "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }".padEnd(117);
  const start = Buffer.from([0x93, ...Buffer.from('NUMPY'), 1, 0, 118, 0]);
  return Buffer.concat([start, Buffer.from(`${header}\n`), Buffer.alloc(48, 1)]);
}

/** Reads a model, or the weights' description beside one. */
const weights = (name: string) => () => localWeights(inRoot(name), inRoot('cache'));

const READERS: Readonly<Record<string, Reader>> = {
  'a table of one’s own': { file: 'own.csv', sound: () => Buffer.from(TABLE), read: ownTable },
  'a table of tabs': {
    file: 'own.tsv',
    sound: () => Buffer.from(TABLE.replaceAll(';', '\t')),
    read: ownTable,
  },
  'a table in UTF-16': {
    file: 'wide.csv',
    sound: () => Buffer.from(`\ufeff${TABLE}`, 'utf16le'),
    read: ownTable,
  },
  'a workbook': {
    file: 'book.xlsx',
    sound: () =>
      workbookBytes({
        Cuts: [
          ['Photo', 'Date', 'Total DM (kg/ha)'],
          ['a.jpg', { day: 42251 }, { formula: '1+1', value: 1500.5 }],
          ['b.jpg', { day: 42252 }, 900],
        ],
      }),
    read: ownTable,
  },
  'train.csv': {
    file: 'data/train.csv',
    sound: () => Buffer.from(COMPETITION),
    read: () => inspectTraining(inRoot('data')),
  },
  'test.csv': {
    file: 'data/test.csv',
    sound: () => Buffer.from('sample_id,image_path,target_name\nID1__GDM_g,train/a.jpg,GDM_g\n'),
    read: () => inspectTest(inRoot('data')),
  },
  predictions: {
    file: 'p.csv',
    sound: () =>
      Buffer.from(
        `sample_id,target,low,high\n${['Dry_Clover_g', 'Dry_Dead_g', 'Dry_Green_g', 'Dry_Total_g', 'GDM_g']
          .map((name) => `ID1__${name},10.5,1e1,20`)
          .join('\n')}\n`,
      ),
    read: (path) => readPredictions(path, { mayLack: true }),
  },
  'a folds file': {
    file: 'folds.csv',
    sound: () => Buffer.from('image_id,fold,group\na,0,x\nb,1,y\nc,1,y\n'),
    read: (path) => readFolds(path, ['a', 'b', 'c'], ['x', 'y', 'y']),
  },
  'a list of ids': {
    file: 'ids.txt',
    sound: () => Buffer.from('a\nb\nc\n'),
    read: (path) => readFeatureTable(inRoot('sound.npy'), path),
  },
  'columns.yaml': {
    file: 'columns.yaml',
    sound: () => Buffer.from('total: {column: Total DM, unit: kg/ha}\nphoto: File\ndate: "Day: cut"\n'),
    read: readColumnMapping,
  },
  'a recipe': {
    file: 'recipe.json',
    sound: async () => Buffer.from(JSON.stringify(await makeRecipe('feature-stack'))),
    read: (path) => makeRecipe(path),
    isJson: true,
  },
  'a .npy': { file: 'f.npy', sound: npy, read: readNpyMatrix },
  'safetensors weights': {
    file: 'weights/model.safetensors',
    sound: () => readFileSync(inRoot('tiny.safetensors')),
    read: weights('weights/model.safetensors'),
  },
  'a description beside weights': {
    file: 'weights/model.json',
    sound: () => Buffer.from(DESCRIPTION),
    read: weights('weights/model.safetensors'),
    isJson: true,
  },
  'timm’s config.json': {
    file: 'timm/config.json',
    sound: () =>
      Buffer.from(
        JSON.stringify({
          architecture: 'vit_small_patch14_dinov2',
          num_classes: 0,
          model_args: { img_size: 42 },
          pretrained_cfg: {
            input_size: [3, 42, 42],
            mean: [0.485, 0.456, 0.406],
            std: [0.229, 0.224, 0.225],
            interpolation: 'bicubic',
            crop_pct: 1,
          },
        }),
      ),
    read: () => statedBeside(inRoot('timm/model.safetensors')),
    isJson: true,
  },
  'Hugging Face’s config.json': {
    file: 'hugging-face/config.json',
    sound: () =>
      Buffer.from(
        JSON.stringify({
          model_type: 'dinov2',
          hidden_size: 24,
          num_hidden_layers: 1,
          num_attention_heads: 3,
          image_size: 42,
          patch_size: 14,
          layerscale_value: 1,
          layer_norm_eps: 1e-6,
          mlp_ratio: 4,
        }),
      ),
    read: weights('hugging-face/model.safetensors'),
    isJson: true,
  },
  'a .pth': { file: 'zip.pth', sound: () => checkpoint(), read: weights('zip.pth') },
  'a .pth of before 1.6': {
    file: 'old.pth',
    sound: () =>
      readFileSync(join(import.meta.dirname, 'formats', 'torch-checkpoint', 'fixtures', 'before-1.6.pth')),
    read: openedTensors,
  },
  'a JPEG with EXIF': {
    file: 'p.jpg',
    sound: () => picture().jpeg().withExif(exif).toBuffer(),
    read: inspectPhoto,
  },
  'a PNG': { file: 'p.png', sound: () => picture().png().withExif(exif).toBuffer(), read: inspectPhoto },
  'a WebP': { file: 'p.webp', sound: () => picture().webp().toBuffer(), read: inspectPhoto },
  'an AVIF': { file: 'p.avif', sound: () => picture().avif({ effort: 0 }).toBuffer(), read: inspectPhoto },
  'a HEIC': { file: 'p.heic', sound: () => iphonePhoto(), read: inspectPhoto },
  'a TIFF': {
    file: 'p.tif',
    sound: () =>
      tiffFile({
        width: 6,
        height: 4,
        bands: 4,
        bits: 16,
        values: Array.from({ length: 96 }, (_, at) => at * 600),
        extraSamples: [0],
      }),
    read: inspectPhoto,
  },
  'a compressed TIFF': {
    file: 'c.tif',
    sound: () => picture().tiff({ compression: 'lzw' }).toBuffer(),
    read: inspectPhoto,
  },
  'a BMP': { file: 'p.bmp', sound: bitmap, read: inspectPhoto },
};

const DESCRIPTION = JSON.stringify({
  arch: 'dinov2',
  config: { dim: 24, depth: 1, heads: 3, imgSize: [42, 42] },
  preprocessing: { inputSize: [42, 42] },
});

/** Every tensor of a file of PyTorch's. */
async function openedTensors(path: string): Promise<void> {
  const file = await openTorchCheckpoint(path);
  for (const name of file.tensors.keys()) await readTensor(file, name);
}

/** The tiny backbone's tensors as PyTorch saves them. */
function checkpoint(): Buffer {
  const tensors = Object.entries(
    noisyWeights(makeBackbone('dinov2', { dim: 24, depth: 1, heads: 3, imgSize: [42, 42] })),
  );
  return torchBytes(
    (save) =>
      new Mapping(
        tensors.map(([name, { values, shape }]) => [name, save(floats(values as Float32Array, shape))]),
      ),
  );
}

/** Lets a reader at a damaged file. @returns the error it gave; undefined where it gave a value */
async function outcome(read: () => Promise<unknown>): Promise<unknown> {
  const before = process.memoryUsage().arrayBuffers;
  const error: unknown = await read().then(
    () => undefined,
    (thrown: unknown) => thrown ?? new Error('nothing was thrown'),
  );
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(MOST_BYTES);
  if (error !== undefined) {
    if (!(error instanceof SwardError)) throw error;
    expect(error.message).not.toMatch(/[\p{Cc}\u2028\u2029]/u);
  }
  return error;
}

/** Runs whose models are of every kind, and what they say of three rows of features. */
const RECIPES: Readonly<Record<string, { readonly recipe: string; readonly settings: RecipeSettings }>> = {
  'kernel ridge': { recipe: 'feature-ridge', settings: {} },
  'ridge after partial least squares': {
    recipe: 'feature-ridge',
    settings: { estimator: { kind: 'ridge' }, reduction: { kind: 'pls', components: 2 } },
  },
  'LightGBM’s text': {
    recipe: 'feature-boost',
    settings: { estimator: { kind: 'leafwise-boost', numIterations: 3 } },
  },
  'CatBoost’s JSON': {
    recipe: 'feature-boost',
    settings: { estimator: { kind: 'oblivious-boost', iterations: 3 } },
  },
  'a stack': { recipe: 'feature-stack', settings: {} },
  networks: { recipe: 'feature-mlp', settings: { estimator: { epochs: 1 } } },
};

/** All files of a folder, as paths in it. */
function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => statSync(join(folder, name)).isFile())
    .sort();
}

/** The folder's files are made those that were written: its manifest gives the hashes they have now. */
function sign(run: string, file: string): void {
  const path = join(run, 'run.json');
  const manifest = JSON.parse(readFileSync(path, 'utf8')) as { files: Record<string, string> };
  const hash = createHash('sha256')
    .update(readFileSync(join(run, file)))
    .digest('hex');
  if (file in manifest.files)
    writeFileSync(path, JSON.stringify({ ...manifest, files: { ...manifest.files, [file]: hash } }));
}

/**
 * Holds a property of damaged files: for the first cases whatever the machine, and for as many more as the time allows.
 */
async function everyCase<Case>(
  cases: fc.Arbitrary<Case>,
  holds: (one: Case) => Promise<void>,
): Promise<void> {
  const end = performance.now() + MILLISECONDS;
  for (let batch = 0; batch === 0 || performance.now() < end; batch++) {
    await fc.assert(fc.asyncProperty(cases, holds), { seed: SEED + batch, numRuns: CASES_AT_ONCE });
  }
}

beforeAll(async () => {
  for (const folder of ['photos', 'data/train', 'weights', 'timm', 'hugging-face'])
    mkdirSync(inRoot(folder), { recursive: true });
  for (const name of ['photos/a.jpg', 'photos/b.jpg', 'photos/c.jpg', 'data/train/a.jpg']) {
    await picture().jpeg().toFile(inRoot(name));
  }
  writeFileSync(inRoot('sound.npy'), npy());
  const config = { dim: 24, depth: 1, heads: 3, imgSize: [42, 42] };
  await writeWeights(inRoot('tiny.safetensors'), noisyWeights(makeBackbone('dinov2', config)));
  writeFileSync(inRoot('zip.json'), DESCRIPTION);
  writeFileSync(inRoot('weights/model.json'), DESCRIPTION);
  for (const folder of ['weights', 'timm', 'hugging-face'])
    cpSync(inRoot('tiny.safetensors'), inRoot(`${folder}/model.safetensors`));
});

describe('a damaged file gives a value or an error that says what is wrong', () => {
  it.each(Object.entries(READERS))(
    '%s',
    async (_, { file, sound, read, isJson }) => {
      const bytes = await sound();
      const path = inRoot(file);
      const damaged = isJson ? fc.oneof(damagedJson(bytes), damagedBytes(bytes)) : damagedBytes(bytes);
      writeFileSync(path, bytes);
      expect(await outcome(() => read(path))).toBeUndefined();
      let refused = 0;
      try {
        await everyCase(damaged, async (content) => {
          writeFileSync(path, content);
          if (await outcome(() => read(path))) refused++;
        });
      } finally {
        writeFileSync(path, bytes);
      }
      expect(refused).toBeGreaterThan(0);
    },
    60_000,
  );
});

describe('a damaged state of a training that is to be gone on with', () => {
  it('gives a state or an error', async () => {
    const layer = Scope.root({ random: randomStream(1) });
    const settings = networkSettings.parse({ kind: 'network', architecture: { kind: 'mlp' } });
    const training = await Training.compile({
      loss: meanSquaredError(linearLayer(layer, input('x', [4, 2]), 1), input('y', [4, 1])),
      optimizer: networkOptimizer(settings.optimizer),
      groups: networkGroups(layer.parameters, settings.optimizer),
      random: randomStream(2),
      averageDecay: 0.5,
    });
    const folder = inRoot('checkpoint');
    const weights = { w: { dtype: 'float32' as const, shape: [2], values: Float32Array.of(1, 2) } };
    const begun = { ...FRESH_LOOP, epoch: 2, lines: [{ epoch: 1, loss: 0.5 }], losses: [0.5], best: 0.5 };
    await (await LoopStates.open(folder)).save(begun, training, weights);
    const restore = async (): Promise<unknown> => (await LoopStates.open(folder)).restore(training);
    expect(await outcome(restore)).toBeUndefined();
    const damaged = fc.constantFrom(...filesIn(folder)).chain((file) => {
      const bytes = readFileSync(join(folder, file));
      const content = file.endsWith('.json')
        ? fc.oneof(damagedJson(bytes), damagedBytes(bytes))
        : damagedBytes(bytes);
      return fc.record({ file: fc.constant(file), bytes: fc.constant(bytes), content });
    });
    await everyCase(damaged, async ({ file, bytes, content }) => {
      writeFileSync(join(folder, file), content);
      await outcome(restore);
      writeFileSync(join(folder, file), bytes);
    });
    await training.dispose();
  }, 60_000);
});

describe('a damaged run', () => {
  let given: SmallFeatureFiles;
  const rows: Matrix = {
    rows: 3,
    columns: 6,
    data: Float64Array.from({ length: 18 }, (_, at) => Math.sin(at)),
  };
  const samples = (): Samples => new Samples(['x', 'y', 'z'].map(unknownSample), featureRows(rows));
  const answer = async (run: string): Promise<string> => {
    await using opened = await openRun(run);
    const masses = await opened.predict(samples(), { outOfDomain: true });
    await opened.calibration();
    return JSON.stringify(masses);
  };

  beforeAll(async () => {
    given = await writeSmallFeatures(inRoot('features'), 24, 1);
  });

  it.each(Object.entries(RECIPES))(
    'of %s never says another number unnoticed, and its files may hold anything',
    async (name, { recipe, settings }) => {
      const run = inRoot(name);
      await trainRun({
        source: featureSource(given, 0),
        recipe: await makeRecipe(recipe, { ...settings, evaluation: { leaveOneStateOut: false } }),
        out: run,
        plan: { folds: 2 },
      });
      const sound = await answer(run);
      const files = filesIn(run).filter((file) => !/report\.html|metrics\.jsonl/.test(file));
      const damaged = fc.constantFrom(...files).chain((file) => {
        const bytes = readFileSync(join(run, file));
        const content = file.endsWith('.json')
          ? fc.oneof(damagedJson(bytes), damagedBytes(bytes))
          : damagedBytes(bytes);
        return fc.record({ file: fc.constant(file), content, isSigned: fc.boolean() });
      });
      await everyCase(damaged, async ({ file, content, isSigned }) => {
        const [manifest, bytes] = ['run.json', file].map((one) => readFileSync(join(run, one)));
        writeFileSync(join(run, file), content);
        if (isSigned && file !== 'run.json') sign(run, file);
        let said = '';
        const error = await outcome(async () => {
          said = await answer(run);
        });
        if (!error && !isSigned && file !== 'run.json') expect(said, file).toBe(sound);
        await outcome(async () => {
          await using opened = await openRun(run);
          await opened.results();
        });
        writeFileSync(join(run, 'run.json'), manifest ?? '');
        writeFileSync(join(run, file), bytes ?? '');
      });
      expect(await answer(run)).toBe(sound);
    },
    60_000,
  );
});
