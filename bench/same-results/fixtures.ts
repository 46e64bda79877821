import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import sharp from 'sharp';
import { type PlainTensor, writeTorchFile } from './torch-file.ts';

/**
 * What the cases read: small photos with labels, rows of real features, real photos, tiny backbones. Nothing of it is
 * made by the checkout under test, nor by helpers of its tests, so that both sides of a comparison read the same bytes.
 */
export interface Fixtures {
  /** 18 photos of 96 × 48 in six sessions and three States, and three test photos. */
  readonly data: string;
  /** Photos without masses. */
  readonly unlabelled: string;
  /** Photos whose EXIF has positions, one turned by its EXIF. */
  readonly placed: string;
  /** 12 real photos in the Kaggle layout. */
  readonly csiro: string;
  /** Photos in one folder a class. */
  readonly classes: string;
  /** Photos and a table of what was measured of them. */
  readonly measured: string;
  /** Tiny backbones by the name of their golden case. */
  readonly backbones: Readonly<Record<string, string>>;
  /** Checkpoints of two folds of seed 2's network, with and without a backbone. */
  readonly checkpoints: { readonly whole: readonly string[]; readonly heads: readonly string[] };
  /** Folds of the photos of `data`. */
  readonly folds: string;
  /** Feature rows of real photos: 70 to train on, 12 to predict. */
  readonly train: FeatureFiles;
  readonly predict: FeatureFiles;
  /** All 282 rows. */
  readonly all: FeatureFiles;
  /** Text embeddings `[5, 16]` and `[5, 48]`. */
  readonly concepts: { readonly narrow: string; readonly wide: string };
  /** `image_id,State` of the photos of `predict`. */
  readonly states: string;
}

export interface FeatureFiles {
  readonly ids: string;
  readonly labels: string;
  /** 64 columns of DINOv2. */
  readonly dino: string;
  /** 96 columns of ConvNeXt. */
  readonly convnext: string;
  /** 384 columns of DINOv2. */
  readonly wide: string;
  /** A column of codes, then 15 of DINOv2. */
  readonly codes: string;
}

const TARGETS = ['Dry_Clover_g', 'Dry_Dead_g', 'Dry_Green_g', 'Dry_Total_g', 'GDM_g'] as const;
const SESSIONS = [
  ['2015/1/15', 'WA'],
  ['2015/2/24', 'Tas'],
  ['2015/4/1', 'Vic'],
  ['2015/6/26', 'WA'],
  ['2015/9/3', 'Tas'],
  ['2015/11/10', 'Vic'],
] as const;
const SPECIES = ['Ryegrass', 'Ryegrass_Clover', 'Fescue'] as const;
const BACKBONES = [
  'convnext',
  'dinov2',
  'dinov2_reg4',
  'dinov3',
  'dinov3_plus',
  'dinov3_qkvb',
  'efficientnet',
  'efficientnetv2',
  'siglip',
  'swinv2',
] as const;

/** Uniform numbers in [0, 1) by mulberry32. */
function uniform(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/**
 * Writes all of it into `folder`. Files that recipes name (backbones, concepts) are told by their path from the folder
 * above, where commands run: a run's fingerprint, which exported models carry, is of the recipe as it was written.
 */
export async function writeFixtures(folder: string, shared: string): Promise<Fixtures> {
  const at = (name: string): string => join(folder, name);
  const named = (path: string): string => relative(dirname(folder), path);
  mkdirSync(folder, { recursive: true });
  const ids = await writeData(at('data'));
  const folds = at('folds.csv');
  writeFileSync(folds, `image_id,fold\n${ids.map((id, index) => `${id},${(index % 6) % 2}\n`).join('')}`);
  await writeUnlabelled(at('unlabelled'));
  await writePlaced(at('placed'));
  writeCsiro(join(shared, 'csiro'), at('csiro'));
  await writeClasses(at('classes'));
  await writeMeasured(at('measured'));
  const backbones = copyBackbones(join(shared, 'golden'), at('backbones'));
  const concepts = { narrow: at('concepts-16.npy'), wide: at('concepts-48.npy') };
  for (const [path, width, seed] of [
    [concepts.narrow, 16, 31],
    [concepts.wide, 48, 32],
  ] as const) {
    const random = uniform(seed);
    writeNpy(
      path,
      Array.from({ length: 5 }, () => Array.from({ length: width }, () => random() - 0.5)),
    );
  }
  const features = join(shared, 'csiro', 'features');
  const rows = Array.from({ length: 282 }, (_, row) => row);
  const predicted = rows.filter((row) => row % 24 === 1);
  return {
    ...{ data: at('data'), unlabelled: at('unlabelled'), placed: at('placed'), csiro: at('csiro') },
    ...{ classes: at('classes'), measured: at('measured'), folds },
    backbones: Object.fromEntries(Object.entries(backbones).map(([name, path]) => [name, named(path)])),
    concepts: { narrow: named(concepts.narrow), wide: named(concepts.wide) },
    checkpoints: writeCheckpoints(at('checkpoints'), backbones.dinov2 as string),
    train: writeFeatureRows(
      features,
      at('train'),
      rows.filter((row) => row % 4 === 0),
    ),
    predict: writeFeatureRows(features, at('predict'), predicted),
    all: writeFeatureRows(features, at('all'), rows),
    states: writeStates(features, at('states.csv'), predicted),
  };
}

async function writeData(folder: string): Promise<string[]> {
  mkdirSync(join(folder, 'train'), { recursive: true });
  mkdirSync(join(folder, 'test'), { recursive: true });
  const lines = [
    'sample_id,image_path,Sampling_Date,State,Species,Pre_GSHH_NDVI,Height_Ave_cm,target_name,target',
  ];
  const ids: string[] = [];
  for (let index = 0; index < 18; index++) {
    const random = uniform(1000 + index);
    const id = `ID${1000 + index}`;
    ids.push(id);
    const [green, dead, clover] = [5 + 60 * random(), 20 * random(), 15 * random()].map(
      (mass) => Math.round(mass * 1e4) / 1e4,
    ) as [number, number, number];
    const masses = [clover, dead, green, green + dead + clover, green + clover];
    const [date, state] = SESSIONS[index % 6] as (typeof SESSIONS)[number];
    const species = SPECIES[Math.floor(index / 2) % 3];
    const meta = `train/${id}.jpg,${date},${state},${species},${(0.3 + green / 130).toFixed(2)},${(2 + green / 5).toFixed(4)}`;
    for (const [column, target] of TARGETS.entries()) {
      lines.push(`${id}__${target},${meta},${target},${(masses[column] as number).toFixed(4)}`);
    }
    await writePhoto(join(folder, 'train', `${id}.jpg`), { green, dead, clover, seed: index });
  }
  writeFileSync(join(folder, 'train.csv'), `${lines.join('\n')}\n`);
  const asked = ['sample_id,image_path,target_name'];
  for (let index = 0; index < 3; index++) {
    const id = `ID${index + 1}`;
    for (const target of TARGETS) asked.push(`${id}__${target},test/${id}.jpg,${target}`);
    const photo = { green: 15 + 20 * index, dead: 10 * index, clover: 4, seed: 900 + index };
    await writePhoto(join(folder, 'test', `${id}.jpg`), photo);
  }
  writeFileSync(join(folder, 'test.csv'), `${asked.join('\n')}\n`);
  return ids;
}

interface PhotoLook {
  readonly green: number;
  readonly dead: number;
  readonly clover: number;
  readonly seed: number;
  readonly exif?: Record<string, Record<string, string>>;
  readonly orientation?: number;
}

/** A 96 × 48 photo of soil with green, straw and clover blobs, as many as there is mass. */
async function writePhoto(path: string, look: PhotoLook): Promise<void> {
  const { green, dead, clover, seed, exif, orientation } = look;
  const [width, height] = [96, 48];
  const random = uniform(seed * 7 + 5);
  const pixels = Buffer.alloc(width * height * 3);
  for (let pixel = 0; pixel < width * height; pixel++) {
    const noise = 40 * random();
    pixels.set([90 + noise, 75 + noise, 55 + noise], 3 * pixel);
  }
  const blobs: readonly (readonly [number, readonly [number, number, number], number])[] = [
    [green, [60, 140, 50], 3],
    [dead, [190, 170, 110], 2],
    [clover, [40, 110, 70], 4],
  ];
  for (const [mass, colour, radius] of blobs) {
    for (let blob = 0; blob < mass; blob++) {
      const [x, y, light] = [random() * width, random() * height, 50 * random()];
      for (let dy = -radius; dy <= radius; dy++) {
        for (let dx = -radius; dx <= radius; dx++) {
          const [px, py] = [Math.floor(x) + dx, Math.floor(y) + dy];
          if (px < 0 || py < 0 || px >= width || py >= height || dx * dx + dy * dy > radius * radius)
            continue;
          pixels.set(
            colour.map((value) => value + light),
            3 * (py * width + px),
          );
        }
      }
    }
  }
  let image = sharp(pixels, { raw: { width, height, channels: 3 } }).jpeg({ quality: 90 });
  if (exif) image = image.withExif(exif);
  if (orientation !== undefined) image = image.withMetadata({ orientation });
  await image.toFile(path);
}

async function writeUnlabelled(folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  for (let index = 0; index < 8; index++) {
    const photo = { green: 8 * index, dead: 20 - 2 * index, clover: index, seed: 500 + index };
    await writePhoto(join(folder, `U${index}.jpg`), photo);
  }
}

async function writePlaced(folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  for (let index = 0; index < 3; index++) {
    const exif = {
      IFD3: {
        GPSLatitudeRef: 'S',
        GPSLatitude: `35/1 ${16 + index}/1 305/10`,
        GPSLongitudeRef: 'E',
        GPSLongitude: `149/1 ${6 + index}/1 42/1`,
      },
    };
    const photo = { green: 20 + 15 * index, dead: 5, clover: 5 * index, seed: 700 + index, exif };
    await writePhoto(join(folder, `placed-${index}.jpg`), photo);
  }
  const turned = { green: 33, dead: 12, clover: 3, seed: 710, orientation: 6 };
  await writePhoto(join(folder, 'turned.jpg'), turned);
}

/** Every seventh of the real photos, with their rows of train.csv. */
function writeCsiro(from: string, folder: string): void {
  mkdirSync(join(folder, 'train'), { recursive: true });
  cpSync(join(from, 'test'), join(folder, 'test'), { recursive: true });
  copyFileSync(join(from, 'test.csv'), join(folder, 'test.csv'));
  const kept = readdirSync(join(from, 'train'))
    .sort()
    .filter((_, index) => index % 7 === 3);
  for (const name of kept) copyFileSync(join(from, 'train', name), join(folder, 'train', name));
  const [header, ...rows] = readFileSync(join(from, 'train.csv'), 'utf8').trimEnd().split(/\r?\n/);
  const own = rows.filter((row) => kept.some((name) => row.includes(`train/${name}`)));
  writeFileSync(join(folder, 'train.csv'), `${[header, ...own].join('\n')}\n`);
}

async function writeClasses(folder: string): Promise<void> {
  const looks = { clover: [2, 2, 40], ryegrass: [50, 3, 0], soil: [0, 4, 0] } as const;
  for (const [index, [name, [green, dead, clover]]] of Object.entries(looks).entries()) {
    mkdirSync(join(folder, name), { recursive: true });
    for (let photo = 0; photo < 6; photo++) {
      await writePhoto(join(folder, name, `${photo}.jpg`), {
        green,
        dead,
        clover,
        seed: 100 * index + photo,
      });
    }
  }
}

async function writeMeasured(folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const random = uniform(77);
  const lines = ['photo,height,litter,observer,group'];
  for (let photo = 0; photo < 16; photo++) {
    const [height, litter] = [20 * random(), 30 * random()];
    await writePhoto(join(folder, `${photo}.jpg`), {
      green: 3 * height,
      dead: litter,
      clover: 0,
      seed: 300 + photo,
    });
    const known = photo % 7 === 3 ? '' : litter.toFixed(2);
    lines.push(`${photo}.jpg,${height.toFixed(2)},${known},Ana,visit ${photo % 8}`);
  }
  writeFileSync(join(folder, 'table.csv'), `${lines.join('\n')}\n`);
}

interface GoldenCase {
  readonly arch: string;
  readonly config: object;
  readonly input: readonly number[];
}

/** The golden models, each with its description beside it and the smaller side of its golden input as size. */
function copyBackbones(from: string, folder: string): Record<string, string> {
  mkdirSync(folder, { recursive: true });
  return Object.fromEntries(
    BACKBONES.map((name) => {
      const path = join(folder, `${name}.safetensors`);
      copyFileSync(join(from, name, 'model.safetensors'), path);
      const { arch, config, input } = JSON.parse(
        readFileSync(join(from, name, 'case.json'), 'utf8'),
      ) as GoldenCase;
      const side = 32 * Math.floor(Math.min(input[2] as number, input[3] as number) / 32);
      const inputSize = arch === 'dinov2' ? [56, 56] : [side, side];
      writeFileSync(
        join(folder, `${name}.json`),
        JSON.stringify({ arch, config, preprocessing: { inputSize } }),
      );
      return [name, path];
    }),
  );
}

/** Float32 tensors of a safetensors file. */
function readSafetensors(path: string): Record<string, PlainTensor> {
  const bytes = readFileSync(path);
  const length = Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.subarray(8, 8 + length).toString('utf8')) as Record<
    string,
    { dtype: string; shape: number[]; data_offsets: [number, number] }
  >;
  return Object.fromEntries(
    Object.entries(header)
      .filter(([name, { dtype }]) => name !== '__metadata__' && dtype === 'F32')
      .map(
        ([
          name,
          {
            shape,
            data_offsets: [start, end],
          },
        ]) => [
          name,
          {
            shape,
            values: new Float32Array(
              Uint8Array.from(bytes.subarray(8 + length + start, 8 + length + end)).buffer,
            ),
          },
        ],
      ),
  );
}

/** Two folds of seed 2's network on the tiny DINOv2, heads of 8. */
function writeCheckpoints(folder: string, backbone: string): Fixtures['checkpoints'] {
  mkdirSync(folder, { recursive: true });
  const weights = readSafetensors(backbone);
  const dim = 48;
  const layers: Record<string, readonly [number, number]> = {
    'film.mlp.0': [dim / 2, dim],
    'film.mlp.2': [2 * dim, dim / 2],
  };
  for (const head of ['green', 'clover', 'dead']) {
    layers[`head_${head}.0`] = [8, 2 * dim];
    layers[`head_${head}.3`] = [1, 8];
  }
  const [whole, heads]: [string[], string[]] = [[], []];
  for (const fold of [0, 1]) {
    const random = uniform(60 + fold);
    const noise = (shape: readonly number[]): PlainTensor => ({
      shape,
      values: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => 0.6 * (random() - 0.5)),
    });
    const own: Record<string, PlainTensor> = {};
    for (const [name, [rows, columns]] of Object.entries(layers)) {
      own[`${name}.weight`] = noise([rows, columns]);
      own[`${name}.bias`] = noise([rows]);
    }
    const trained = Object.entries(weights).map(([name, { shape, values }]): [string, PlainTensor] => [
      `backbone.${name}`,
      { shape, values: values.map((value) => value * (1 + 0.1 * fold)) },
    ]);
    whole.push(join(folder, `fold${fold}.pth`));
    heads.push(join(folder, `heads${fold}.pth`));
    writeTorchFile(whole[fold] as string, { ...own, ...Object.fromEntries(trained) });
    writeTorchFile(heads[fold] as string, own);
    copyFileSync(backbone.replace('.safetensors', '.json'), join(folder, `fold${fold}.json`));
  }
  return { whole, heads };
}

/** Chosen rows of the real features and their labels. */
function writeFeatureRows(from: string, folder: string, rows: readonly number[]): FeatureFiles {
  mkdirSync(folder, { recursive: true });
  const at = (name: string): string => join(folder, name);
  const ids = readFileSync(join(from, 'ids.txt'), 'utf8').trim().split(/\r?\n/);
  const dino = readNpy(join(from, 'dinov2_vits14.npy'));
  const convnext = readNpy(join(from, 'convnext_tiny.npy'));
  const chosen = rows.map((row) => ids[row] as string);
  writeFileSync(at('ids.txt'), `${chosen.join('\n')}\n`);
  const [header, ...lines] = readFileSync(join(from, 'train.csv'), 'utf8').trimEnd().split(/\r?\n/);
  const wanted = new Set(chosen);
  const own = lines.filter((line) => wanted.has(line.slice(0, line.indexOf('__'))));
  writeFileSync(at('train.csv'), `${[header, ...own].join('\n')}\n`);
  const columns = (matrix: readonly (readonly number[])[], count: number): number[][] =>
    rows.map((row) => (matrix[row] as readonly number[]).slice(0, count));
  writeNpy(at('dino.npy'), columns(dino, 64));
  writeNpy(at('convnext.npy'), columns(convnext, 96));
  writeNpy(at('wide.npy'), columns(dino, 384));
  const coded = columns(dino, 15).map((row, index) => [(rows[index] as number) % 5, ...row]);
  writeNpy(at('codes.npy'), coded);
  return {
    ...{ ids: at('ids.txt'), labels: at('train.csv'), dino: at('dino.npy') },
    ...{ convnext: at('convnext.npy'), wide: at('wide.npy'), codes: at('codes.npy') },
  };
}

function writeStates(from: string, path: string, rows: readonly number[]): string {
  const ids = readFileSync(join(from, 'ids.txt'), 'utf8').trim().split(/\r?\n/);
  const lines = rows.map((row) => `${ids[row]},${['WA', 'Tas', 'Vic', 'NSW'][row % 4]}\n`);
  writeFileSync(path, `image_id,State\n${lines.join('')}`);
  return path;
}

function readNpy(path: string): number[][] {
  if (!existsSync(path)) throw new Error(`${path} is missing: set SWARD_SHARED`);
  const bytes = readFileSync(path);
  const length = bytes.readUInt16LE(8);
  const header = bytes.subarray(10, 10 + length).toString('latin1');
  const [rows, columns] = (/\((\d+), (\d+)\)/.exec(header)?.slice(1) ?? []).map(Number) as [number, number];
  return Array.from({ length: rows }, (_, row) =>
    Array.from({ length: columns }, (_, column) =>
      bytes.readFloatLE(10 + length + 4 * (row * columns + column)),
    ),
  );
}

function writeNpy(path: string, rows: readonly (readonly number[])[]): void {
  const shape = `(${rows.length}, ${rows[0]?.length ?? 0})`;
  const text = `{'descr': '<f4', 'fortran_order': False, 'shape': ${shape}, }`;
  const header = `${text.padEnd(128 - 10 - 1)}\n`;
  const head = Buffer.from([0x93, ...Buffer.from('NUMPY'), 1, 0, header.length, 0]);
  const values = Float32Array.from(rows.flat());
  writeFileSync(path, Buffer.concat([head, Buffer.from(header), Buffer.from(values.buffer)]));
}
