import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { configure } from '../src/ground/environment.ts';
import { makeRecipe, type RecipeChanges } from '../src/recipes/recipe.ts';
import { openRun } from '../src/runs/open-run.ts';
import { photoSamples } from '../src/samples/samples.ts';
import { backboneParameters, makeBackbone } from '../src/vision/backbones/index.ts';
import { trainRun } from '../src/workflows/train/train.ts';
import { writePhoto, writeSmallFolder } from '../test/support/small-data-folder.ts';
import { writeRandomWeights } from './backbones/random-weights.ts';
import { median } from './median.ts';

/** A ViT-S/14 of DINOv2 with random weights; views of 224 pixels, two a photo. */
const ARCHITECTURE = 'dinov2';
const CONFIG = { dim: 384, depth: 12, heads: 6, imgSize: [224, 224] };
const FOLDS = 3;
const ROUNDS = 5;

const RECIPES: Readonly<Record<string, readonly [name: string, settings: RecipeChanges]>> = {
  'frozen backbone, ridge': ['feature-ridge', {}],
  'last block fine-tuned a fold': [
    'seed1-two-stage',
    {
      estimator: {
        kind: 'network',
        epochs: 1,
        batch: 4,
        fineTune: { mode: 'last', lastBlocks: 1, headEpochs: 1 },
      },
    },
  ],
};

interface Row {
  readonly run: string;
  /** Seconds from opening the run to its answer on one photo, everything loaded and compiled. */
  readonly first: number;
  /** Seconds of one more photo on the run that is open. */
  readonly next: number;
}

/** What a photo costs on a run that is opened for it, and on one that is open. Nothing of it is remembered. */
export async function run(): Promise<{ readonly rows: readonly Row[] }> {
  const folder = await mkdtemp(join(tmpdir(), 'sward-bench-'));
  try {
    configure({ cacheFolder: join(folder, 'cache') });
    const backbone = join(folder, 'backbone.safetensors');
    const net = makeBackbone(ARCHITECTURE, CONFIG);
    await writeRandomWeights(backbone, backboneParameters(net));
    const description = { arch: ARCHITECTURE, config: CONFIG, preprocessing: { inputSize: [224, 224] } };
    await writeFile(join(folder, 'backbone.json'), JSON.stringify(description));
    const data = join(folder, 'data');
    await writeSmallFolder(data, { photos: 12 });
    const rows: Row[] = [];
    for (const [name, [recipe, settings]] of Object.entries(RECIPES)) {
      const out = join(folder, `run ${rows.length}`);
      await trainRun({
        source: data,
        recipe: await makeRecipe(recipe, { backbone, ...settings }),
        out,
        plan: { folds: FOLDS },
      });
      rows.push({ run: name, ...(await measured(folder, out)) });
      console.error(`${name.padEnd(32)} ${JSON.stringify(rows.at(-1))}`);
    }
    return { rows };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function measured(folder: string, out: string): Promise<Omit<Row, 'run'>> {
  let photos = 0;
  const fresh = async (): Promise<{ readonly imageId: string; readonly path: string }> => {
    const path = join(folder, `new-${out.at(-1)}-${photos++}.jpg`);
    await writePhoto(path, 20 + photos, 1000 + photos);
    return { imageId: 'new', path };
  };
  const seconds = async (work: () => Promise<unknown>): Promise<number> => {
    const start = performance.now();
    await work();
    return (performance.now() - start) / 1000;
  };
  const first: number[] = [];
  const next: number[] = [];
  await using kept = await openRun(out);
  await kept.predict(photoSamples([await fresh()]));
  for (let round = 0; round < ROUNDS; round++) {
    const [a, b] = [await fresh(), await fresh()];
    first.push(
      await seconds(async () => {
        await using opened = await openRun(out, { keepLoaded: false });
        await opened.predict(photoSamples([a]));
      }),
    );
    next.push(await seconds(() => kept.predict(photoSamples([b]))));
  }
  return { first: median(first), next: median(next) };
}
