import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { SwardError } from '../src/ground/errors.ts';
import type { ResolvedWeights } from '../src/vision/weights/index.ts';
import { median } from './median.ts';
import { CASES, FOLDS, type RecipeCase, settingsOf, THREADS } from './recipe/cases.ts';
import { firstSteps, STEPS } from './recipe/first-steps.ts';
import { writeData, writeWeights } from './recipe/inputs.ts';
import { type Finished, finished } from './recipe/processes.ts';
import { findPython, TorchSide, type TorchWay } from './recipe/torch.ts';

/** What a case comes to. */
interface Row {
  readonly name: string;
  /** Seconds of the whole command, from photos on disk to a run folder with out-of-fold predictions. */
  readonly seconds: number;
  /** Training photos a second, those of all epochs and folds. */
  readonly photosPerSecond: number;
  readonly peakMib: number;
  /** PyTorch's seconds, without its import, over ours with everything; null: not measured. */
  readonly fp32: number | null;
  readonly bf16: number | null;
  /** In bf16 where somebody keeps the features of a frozen backbone for all folds by hand. */
  readonly byHand: number | null;
  readonly torchPeakMib: number | null;
  /** Largest difference of the first steps' losses from PyTorch's in single precision, as a share. */
  readonly lossDifference: number | null;
}

/** A built command line, which is what people run. */
const COMMAND = resolve(import.meta.dirname, '..', 'dist', 'cli', 'main.js');

/** Losses that differ by more than this share are not of the same training. */
const SAME_LOSS = 1e-3;

/**
 * The same fine-tuning whole, side by side: photos on disk → five folds → out-of-fold predictions, by `sward train` and by
 * `recipe/torch_recipe.py` in single precision and under bfloat16's autocast. Sides take turns, and the median of
 * `SWARD_BENCH_ROUNDS` (default 1) rounds counts. `SWARD_BENCH_PRECISION=int8` has sward train in int8, which its first
 * steps, compared in single precision, do not. `SWARD_BENCH` (a regular expression) chooses cases by name,
 * `SWARD_BENCH_TORCH` (default `bf16,fp32,byHand`) what PyTorch does, `SWARD_PYTHON` its Python.
 */
export async function run(): Promise<{ readonly rows: readonly Row[] }> {
  const shared = process.env.SWARD_SHARED ?? resolve(import.meta.dirname, '..', '..', 'shared');
  const photos = join(shared, 'csiro');
  for (const needed of [COMMAND, join(photos, 'train.csv')]) {
    if (!existsSync(needed)) {
      throw new SwardError(`${needed} is not there; run npm run build:node, and set SWARD_SHARED`);
    }
  }
  const wanted = new RegExp(process.env.SWARD_BENCH ?? '', 'i');
  const ways = (process.env.SWARD_BENCH_TORCH ?? 'bf16,fp32,byHand')
    .split(',')
    .filter((name): name is TorchWay => ['bf16', 'fp32', 'byHand'].includes(name));
  const rounds = Number(process.env.SWARD_BENCH_ROUNDS ?? 1);
  const python = findPython();
  if (!python) console.error('PyTorch with timm is not importable; set SWARD_PYTHON');
  const rows: Row[] = [];
  for (const own of CASES.filter(({ name }) => wanted.test(name))) {
    const row = await measured(own, { photos, python, ways, rounds });
    console.error(line(row));
    rows.push(row);
  }
  return { rows };
}

interface Terms {
  readonly photos: string;
  readonly python: string | null;
  readonly ways: readonly TorchWay[];
  readonly rounds: number;
}

async function measured(own: RecipeCase, { photos, python, ways, rounds }: Terms): Promise<Row> {
  const folder = await mkdtemp(join(tmpdir(), 'sward-bench-'));
  try {
    const data = join(folder, 'data');
    const weights = await writeWeights(join(folder, 'backbone.safetensors'), own.backbone);
    const paths = await writeData(data, photos, own.photos);
    const torch = python ? new TorchSide(python, weights.path) : null;
    const lossDifference = torch && (await comparedLosses(own, torch, weights, paths, folder));
    const ours: Finished[] = [];
    const theirs = {
      bf16: [] as number[],
      fp32: [] as number[],
      byHand: [] as number[],
      peaks: [] as number[],
    };
    let seen = 0;
    for (let round = 0; round < rounds; round++) {
      const out = join(folder, `run-${round}`);
      ours.push(
        await trainedBySward(own, {
          data,
          weights: weights.path,
          out,
          cache: join(folder, `cache-${round}`),
        }),
      );
      const folds = await foldsOf(out);
      // Every photo is trained on in all folds but its own.
      seen = Object.keys(folds).length * (new Set(Object.values(folds)).size - 1) * own.epochs;
      if (!torch) continue;
      for (const way of ways) {
        if (way === 'byHand' && own.mode !== 'none') continue;
        const figures = await torch.whole(own, data, folds, way);
        if (figures.seen !== seen || figures.predicted !== own.photos) {
          throw new SwardError('PyTorch trained on other photos than sward');
        }
        theirs[way].push(figures.seconds);
        if (way === 'bf16') theirs.peaks.push(figures.peakMib);
      }
    }
    const seconds = median(ours.map((one) => one.seconds));
    const over = (times: readonly number[]): number | null =>
      times.length > 0 ? median(times) / seconds : null;
    return {
      name: own.name,
      seconds,
      photosPerSecond: seen / seconds,
      peakMib: Math.max(...ours.map(({ peakMib }) => peakMib)),
      fp32: over(theirs.fp32),
      bf16: over(theirs.bf16),
      byHand: over(theirs.byHand),
      torchPeakMib: theirs.peaks.length > 0 ? Math.max(...theirs.peaks) : null,
      lossDifference,
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** @throws SwardError when both sides do not train the same */
async function comparedLosses(
  own: RecipeCase,
  torch: TorchSide,
  weights: ResolvedWeights,
  photos: readonly string[],
  folder: string,
): Promise<number> {
  const steps = join(folder, 'first-steps.safetensors');
  const ours = await firstSteps(own, weights, photos, steps);
  const theirs = await torch.firstSteps(own, steps, STEPS, 'fp32');
  const difference = Math.max(...ours.map((loss, step) => Math.abs(loss / (theirs[step] ?? 0) - 1)));
  const told = (losses: readonly number[]): string => losses.map((loss) => loss.toFixed(3)).join(' ');
  console.error(`${own.name}: first losses ${told(ours)}, PyTorch's ${told(theirs)}`);
  if (difference < SAME_LOSS) return difference;
  throw new SwardError(`${own.name}: losses differ by ${difference}: the two do not train the same`);
}

interface Training {
  readonly data: string;
  readonly weights: string;
  readonly out: string;
  /** Empty, so that nothing is remembered. */
  readonly cache: string;
}

function trainedBySward(own: RecipeCase, { data, weights, out, cache }: Training): Promise<Finished> {
  const precision = process.env.SWARD_BENCH_PRECISION ?? 'float32';
  const given = [...settingsOf(own, weights), `estimator.fineTune.precision=${precision}`];
  const settings = given.flatMap((setting) => ['--set', setting]);
  const recipe = ['--recipe', 'feature-mlp', ...settings];
  const rest = ['--folds', String(FOLDS), '--out', out];
  return finished(process.execPath, [COMMAND, 'train', data, ...recipe, ...rest], { SWARD_CACHE: cache });
}

/** The fold of each photo, by its path in the data folder. */
async function foldsOf(run: string): Promise<Record<string, number>> {
  const [, ...rows] = (await readFile(join(run, 'folds.csv'), 'utf8')).trim().split('\n');
  return Object.fromEntries(
    rows.map((row) => {
      const [id = '', fold = ''] = row.split(',');
      return [`train/${id}.jpg`, Number(fold)];
    }),
  );
}

function line(row: Row): string {
  const times = (ratio: number | null): string => (ratio === null ? '–' : `${ratio.toFixed(2)} times`);
  const memory = row.torchPeakMib === null ? '' : ` (PyTorch ${row.torchPeakMib.toFixed(0)})`;
  return (
    `${row.name.padEnd(28)}${row.seconds.toFixed(1).padStart(6)} s on ${THREADS} threads, ` +
    `${row.photosPerSecond.toFixed(2)} photos/s, ${row.peakMib.toFixed(0)} MiB${memory}; ` +
    `PyTorch takes ${times(row.bf16)} in bf16, ${times(row.fp32)} in fp32${row.byHand === null ? '' : `, ${times(row.byHand)} in bf16 with features kept by hand`}`
  );
}
