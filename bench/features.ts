import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { SILENT } from '../src/ground/progress.ts';
import { renderSample } from '../src/sample/index.ts';
import {
  extractFeatures,
  type FeaturePlan,
  featurePlan,
  viewCut,
  viewRecipe,
} from '../src/vision/features/index.ts';
import { openNetwork } from '../src/vision/features/network.ts';
import prepareViews from '../src/vision/features/prepare-worker.ts';
import { decodePhoto, type PhotoContent } from '../src/vision/photos/index.ts';
import { viewCount } from '../src/vision/preprocess/views.ts';
import { type ResolvedWeights, resolveWeights } from '../src/vision/weights/index.ts';
import { median } from './median.ts';
import { writeWeights } from './recipe/inputs.ts';

/** Rounds in which the model alone and the whole take turns. */
const ROUNDS = 5;

interface Row {
  readonly name: string;
  readonly photos: number;
  /** Seconds a photo: of the backbone alone, its views being there, and from the file on. */
  readonly model: number;
  readonly whole: number;
  /** The whole's rate over the model's own. */
  readonly share: number;
  /** Processor seconds a photo of all but the model: reading, decoding, cutting and resizing. */
  readonly besides: number;
}

interface Case {
  readonly name: string;
  readonly plan: FeaturePlan;
  /** Random weights of this size where it is not the bundled backbone. */
  readonly side?: number;
  /** Photos a round. */
  readonly photos: number;
}

const CASES: readonly Case[] = [
  {
    name: 'bundled, tiles',
    plan: featurePlan({ view: 'tiles', combine: 'all', pooling: 'stages' }),
    photos: 30,
  },
  { name: 'ViT-S/14 224', plan: featurePlan({ view: 'halves', size: 224 }), side: 224, photos: 40 },
  {
    name: 'ViT-S/14 224 int8',
    plan: featurePlan({ view: 'halves', size: 224, precision: 'int8' }),
    side: 224,
    photos: 40,
  },
  { name: 'ViT-S/14 518', plan: featurePlan({ view: 'halves', size: 518 }), side: 518, photos: 12 },
];

/**
 * How much of a backbone's own rate is left when its photos come from disk: reading, decoding, cutting and resizing
 * beside it. `SWARD_BENCH` (a regular expression) chooses cases by name.
 */
export async function run(): Promise<{ readonly rows: readonly Row[] }> {
  const folder = await mkdtemp(join(tmpdir(), 'sward-bench-'));
  try {
    const files = await photoFiles(folder);
    const wanted = new RegExp(process.env.SWARD_BENCH ?? '', 'i');
    const rows: Row[] = [];
    for (const own of CASES.filter(({ name }) => wanted.test(name))) {
      const row = await measured(own, files, folder);
      console.error(
        `${row.name.padEnd(18)} model ${(1000 * row.model).toFixed(0)} ms a photo, whole ${(1000 * row.whole).toFixed(0)} ms: ` +
          `${(100 * row.share).toFixed(0)} % of its rate; ${(1000 * row.besides).toFixed(0)} ms of processor time besides`,
      );
      rows.push(row);
    }
    return { rows };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function measured(
  { name, plan, side, photos }: Case,
  files: readonly string[],
  folder: string,
): Promise<Row> {
  const weights = side === undefined ? await resolveWeights('bundled') : await randomVit(folder, side);
  const views = viewCount(viewCut(plan));
  const network = await openNetwork(weights, plan, views, folder);
  const recipe = viewRecipe(weights.preprocessing, plan, network.size, 0);
  const prepared = prepareViews({ pixels: await decodePhoto(files[0] as string), recipe });
  const alone = async (): Promise<number> => {
    const start = performance.now();
    // As many at the same time as the whole has them.
    await Promise.all(Array.from({ length: photos }, () => network.run(prepared, views, photos)));
    return (performance.now() - start) / 1000 / photos;
  };
  let copy = 0;
  const whole = async (): Promise<number> => {
    const fresh = Array.from({ length: photos }, (): PhotoContent => {
      // Another byte at the end makes another photo, which nothing remembers.
      const number = Buffer.alloc(4);
      number.writeUInt32LE(copy++);
      const path = files[copy % files.length] as string;
      return { name: `${path} ${copy}`, bytes: async () => Buffer.concat([await readFile(path), number]) };
    });
    let started = 0;
    // From the first photo on, when everything has been loaded and compiled.
    const progress = {
      ...SILENT,
      advance: () => {
        started ||= performance.now();
      },
    };
    await extractFeatures(fresh, weights, plan, { cacheFolder: join(folder, 'cache'), progress });
    return (performance.now() - started) / 1000 / (photos - 1);
  };
  await alone();
  const times = { alone: [] as number[], whole: [] as number[] };
  let processor = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const before = process.cpuUsage();
    times.alone.push(await alone());
    const between = process.cpuUsage(before);
    times.whole.push(await whole());
    const after = process.cpuUsage(before);
    const all = after.user + after.system - 2 * (between.user + between.system);
    processor += all / 1e6 / photos / ROUNDS;
  }
  await network.dispose();
  const [model, total] = [median(times.alone), median(times.whole)];
  const share = median(times.alone.map((one, round) => one / (times.whole[round] as number)));
  return { name, photos, model, whole: total, share, besides: processor };
}

function randomVit(folder: string, side: number): Promise<ResolvedWeights> {
  const config = { patch: 14, dim: 384, depth: 12, heads: 6, imgSize: [side, side] };
  return writeWeights(join(folder, `vit-${side}.safetensors`), { arch: 'dinov2', config, size: side });
}

async function photoFiles(folder: string): Promise<string[]> {
  const shared = process.env.SWARD_SHARED ?? resolve(import.meta.dirname, '..', '..', 'shared');
  const real = join(shared, 'csiro', 'train');
  const from = existsSync(real) ? real : join(folder, 'sample', 'train');
  if (from !== real) await renderSample({ out: join(folder, 'sample'), count: 12, width: 2000 });
  return readdirSync(from)
    .filter((name) => name.endsWith('.jpg'))
    .sort()
    .map((name) => join(from, name));
}
