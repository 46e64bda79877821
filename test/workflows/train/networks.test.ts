import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { writeNpyFloat32 } from '../../../src/formats/npy/npy.ts';
import { configure } from '../../../src/ground/environment.ts';
import { randomStream } from '../../../src/ground/random.ts';
import { isPhysical } from '../../../src/pasture/physics.ts';
import { makeBackbone } from '../../../src/vision/backbones/index.ts';
import { type TrainOptions, trainRun } from '../../../src/workflows/train/train.ts';
import { predictPhotos } from '../../support/ask-run.ts';
import { sharedCache } from '../../support/shared-cache.ts';
import { writeSmallFolder } from '../../support/small-data-folder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { resolveRecipe } from '../../support/written-settings.ts';
import { noisyWeights, writeWeights } from '../../vision/backbones/tiny.ts';

const root = temporaryFolder('network-recipes');
const data = join(root, 'data');
const model = join(root, 'model.safetensors');
const csiro = join(process.env.SWARD_SHARED ?? '../shared', 'csiro');
const folder = { kind: 'folder', folder: data } as const;
let ids: string[];

beforeAll(async () => {
  configure({ cacheFolder: sharedCache() });
  ids = await writeSmallFolder(data, { photos: 12 });
  const config = { dim: 24, depth: 3, heads: 3, imgSize: [42, 42] };
  await writeWeights(model, noisyWeights(makeBackbone('dinov2', config)));
  const description = { arch: 'dinov2', config, preprocessing: { inputSize: [42, 42] } };
  writeFileSync(join(root, 'model.json'), JSON.stringify(description));
});

async function train(
  name: string,
  recipe: string,
  changes: readonly string[],
  source: TrainOptions['source'] = folder,
): Promise<string> {
  const out = join(root, name);
  await trainRun({
    source,
    recipe: await resolveRecipe(recipe, [
      'estimator.epochs=2',
      'evaluation.leaveOneStateOut=false',
      ...changes,
    ]),
    out,
    plan: { folds: 2 },
  });
  return out;
}

describe('network recipes on photos and a backbone', () => {
  it.each([
    ['tiled-dual', ['input.size=28'], { halves: 2, parts: 1 }, 2 * 2 * 2 * 24],
    ['film-dual', ['input.size=42'], { halves: 2, parts: 1 }, 2 * 24],
    ['density', ['input.size=42', 'input.grid=2'], { halves: 2, parts: 4 }, 2 * 4 * 24],
    ['feature-mlp', ['input.view=whole'], { halves: 1, parts: 1 }, 24],
    ['seed1', ['input.size=28'], { halves: 2, parts: 1 }, 2 * 2 * 2 * 24],
    [
      'tiled-dual',
      ['input.size=28', 'input.combine=keep', 'estimator.architecture.tiles=attention'],
      { halves: 2, parts: 4 },
      2 * 4 * 2 * 2 * 24,
    ],
    ['film-dual', ['input.size=28', 'input.view=windows'], { halves: 1, parts: 1 }, 24],
    [
      'tiled-dual',
      [
        ...['input.size=28', 'input.view=windows', 'input.windows.across=3', 'input.combine=keep'],
        'estimator.architecture.tiles=quality',
      ],
      { halves: 1, parts: 6 },
      6 * 2 * 2 * 24,
    ],
  ] as const)('%s with %j trains and predicts', async (recipe, changes, layout, columns) => {
    const run = await train(`${recipe} ${columns}`, recipe, [`backbone=${model}`, ...changes]);
    const manifest = JSON.parse(readFileSync(join(run, 'run.json'), 'utf8'));
    expect(manifest.recipe.estimator.layout).toMatchObject(layout);
    expect(manifest.data.sets).toMatchObject([{ columns }]);
    expect(readdirSync(run).filter((name) => name.startsWith('fold'))).toEqual([
      'fold-0',
      'fold-1',
      'folds.csv',
    ]);
    const photo = join(data, 'train', `${ids[0]}.jpg`);
    const [prediction] = await predictPhotos(run, [{ imageId: 'x', path: photo }]);
    expect(prediction && isPhysical(prediction.targets, 1e-9)).toBe(true);
  });

  it('takes the features of a second backbone beside those of the first', async () => {
    const changes = [`backbone=${model}`, `extra=${model}`, 'input.size=28'];
    const run = await train('extra', 'tiled-dual', changes);
    const { sets } = JSON.parse(readFileSync(join(run, 'run.json'), 'utf8')).data;
    expect(sets).toMatchObject([{ columns: 192 }, { columns: 48 }]);
  });
});

describe.skipIf(!existsSync(join(csiro, 'train.csv')))('network recipes on real photos', () => {
  const real = join(root, 'real');

  beforeAll(() => {
    const [header = '', ...rows] = readFileSync(join(csiro, 'train.csv'), 'utf8').trim().split(/\r?\n/);
    // One photo of each of the first four sessions.
    const sessions = new Map<string, string>();
    for (const row of rows) {
      const [, photo = '', date = '', state = ''] = row.split(',');
      if (!sessions.has(date + state)) sessions.set(date + state, photo);
    }
    const photos = [...sessions.values()].slice(0, 4);
    const kept = rows.filter((row) => photos.includes(row.split(',')[1] ?? ''));
    mkdirSync(join(real, 'train'), { recursive: true });
    writeFileSync(join(real, 'train.csv'), `${[header, ...kept].join('\n')}\n`);
    for (const photo of photos) copyFileSync(join(csiro, photo), join(real, photo));
  });

  it.each(['tiled-dual', 'film-dual'])('%s trains from end to end', async (recipe) => {
    const run = await train(
      `real ${recipe}`,
      recipe,
      [`backbone=${model}`, 'input.size=42', 'estimator.checkpoint.choice=last'],
      { kind: 'folder', folder: real },
    );
    const { out_of_fold: score } = JSON.parse(readFileSync(join(run, 'scores.json'), 'utf8'));
    expect(score).toMatchObject({ n_images: 4, weighted_r2: expect.any(Number) });
  });
});

describe('network recipes on feature files', () => {
  it('take halves of columns where that is declared, else whole photos', async () => {
    const features = join(root, 'features.npy');
    const random = randomStream(1);
    const values = Float64Array.from({ length: 12 * 16 }, () => random.normal());
    await writeNpyFloat32(features, { rows: 12, columns: 16, data: values });
    writeFileSync(join(root, 'ids.txt'), `${ids.join('\n')}\n`);
    const source = {
      kind: 'features',
      features: [features],
      ids: join(root, 'ids.txt'),
      labels: join(data, 'train.csv'),
    } as const;
    const widths = await Promise.all(
      [1, 2].map(async (halves) => {
        const changes = [`estimator.layout.halves=${halves}`];
        const run = await train(`halves ${halves}`, 'film-dual', changes, source);
        return readFileSync(join(run, 'fold-0', 'network-0.safetensors')).length;
      }),
    );
    expect(widths[0]).toBeGreaterThan(widths[1] as number);
    await expect(train('odd', 'film-dual', ['estimator.layout.parts=5'], source)).rejects.toThrow(
      /16 columns are not 1 halves × 5 parts; say how they are arranged by estimator\.layout/,
    );
  });
});
