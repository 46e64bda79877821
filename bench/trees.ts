import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type LeafwiseParameters, leafwiseBoostSettings } from '../src/estimators/trees/boost-settings.ts';
import { binFor } from '../src/estimators/trees/leafwise.ts';
import { lightGbmPredictor } from '../src/estimators/trees/lightgbm-model.ts';
import { formatLightGbm, toLightGbm } from '../src/estimators/trees/lightgbm-write.ts';
import { THREADS_PAY_FROM, withTrainers } from '../src/estimators/trees/trainers.ts';
import type { Matrix } from '../src/ground/matrix.ts';
import { randomStream } from '../src/ground/random.ts';
import { LEAFWISE_DEFAULTS } from '../test/estimators/trees/small-data.ts';
import { median } from './median.ts';
import { pythonsWith } from './yardstick/python.ts';

/** Threads of both sides; sward starts one a processor. */
const THREADS = 2;
const REPEATS = 5;

/** What is trained on both sides. */
interface Case {
  readonly name: string;
  readonly rows: number;
  readonly columns: number;
  readonly targets: number;
  /** Models of each target, of different seeds. */
  readonly members: number;
  readonly parameters: LeafwiseParameters;
}

const recipe = leafwiseBoostSettings.parse({ kind: 'leafwise-boost' });

const CASES: readonly Case[] = [
  { name: 'recipe', rows: 282, columns: 384, targets: 5, members: recipe.members, parameters: recipe },
  {
    name: 'large',
    rows: 20_000,
    columns: 768,
    targets: 1,
    members: 1,
    parameters: {
      ...LEAFWISE_DEFAULTS,
      lambdaL2: recipe.lambdaL2,
    },
  },
];

/** Ways in which LightGBM may build histograms and use threads. */
const RIVALS = ['force_row_wise', 'force_col_wise', 'two models at once'] as const;
type Rival = (typeof RIVALS)[number];

/** Seconds to bin and train, to predict the training rows, and the R² that predictions have there. */
interface Trained {
  readonly train: number;
  readonly predict: number;
  readonly fit: number;
}

/** Figures of a case; those of LightGBM are of its fastest way, null where it is not installed. */
export interface Figures {
  readonly train: number;
  readonly predict: number;
  readonly fit: number;
  /** Changes when any number of the models does. */
  readonly models: string;
  readonly lightgbm: (Trained & { readonly way: Rival }) | null;
  /** LightGBM's time over ours. */
  readonly train_ratio: number | null;
  readonly predict_ratio: number | null;
}

/**
 * Trains leaf-wise trees here and in LightGBM at the same settings on two threads, in turns, on as many photos as
 * the recipe's and on many: medians of five.
 */
export async function run(): Promise<Record<string, Figures>> {
  const figures: Record<string, Figures> = {};
  const [python = null] = pythonsWith(['numpy', 'lightgbm']);
  for (const task of CASES) figures[task.name] = await runCase(task, python);
  return figures;
}

async function runCase(task: Case, python: string | null): Promise<Figures> {
  const { inputs, targets } = invented(task);
  const folder = mkdtempSync(join(tmpdir(), 'sward-bench-trees-'));
  try {
    writeFileSync(join(folder, 'inputs.f64'), inputs.data);
    writeFileSync(join(folder, 'targets.f64'), targets.data);
    writeFileSync(join(folder, 'rival.py'), RIVAL);
    const ours: (Trained & { readonly models: string })[] = [];
    const theirs = new Map<Rival, Trained[]>();
    for (let repeat = 0; repeat < REPEATS; repeat++) {
      ours.push(await trainHere(task, inputs, targets));
      for (const way of RIVALS) {
        if (!python || (way === 'two models at once' && task.targets * task.members === 1)) continue;
        const trained = trainThere(python, task, folder, way);
        if (trained) theirs.set(way, [...(theirs.get(way) ?? []), trained]);
      }
    }
    const mine = medians(ours);
    report(task, 'sward', mine);
    const ways = [...theirs].map(([way, runs]) => ({ way, ...medians(runs) }));
    for (const { way, ...times } of ways) report(task, `LightGBM, ${way}`, times);
    const rival = ways.sort((a, b) => a.train - b.train)[0] ?? null;
    if (rival === null)
      process.stderr.write('trees: no Python here runs lightgbm, so no ratios; set SWARD_PYTHON\n');
    return {
      ...mine,
      models: ours[0]?.models ?? '',
      lightgbm: rival,
      train_ratio: rival && rival.train / mine.train,
      predict_ratio: rival && rival.predict / mine.predict,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function medians(runs: readonly Trained[]): Trained {
  return {
    train: median(runs.map(({ train }) => train)),
    predict: median(runs.map(({ predict }) => predict)),
    fit: median(runs.map(({ fit }) => fit)),
  };
}

function report(
  { name, rows, columns, targets, members, parameters }: Case,
  side: string,
  run: Trained,
): void {
  process.stderr.write(
    `trees: ${name}, ${targets * members} × ${parameters.numIterations} trees on ${rows}×${columns}, ` +
      `${THREADS} threads, ${side}: ` +
      `train ${run.train.toFixed(3)} s, predict ${(run.predict * 1000).toFixed(1)} ms, R² ${run.fit.toFixed(4)}\n`,
  );
}

/** Features as a backbone gives them: many columns, correlated through a few directions; noisy targets. */
function invented({ rows, columns, targets: outputs }: Case): { inputs: Matrix; targets: Matrix } {
  const random = randomStream(7);
  const directions = 24;
  const loadings = Float64Array.from({ length: directions * columns }, () => random.normal());
  const data = new Float64Array(rows * columns);
  const targets = new Float64Array(rows * outputs);
  for (let row = 0; row < rows; row++) {
    const place = Array.from({ length: directions }, () => random.normal());
    for (let column = 0; column < columns; column++) {
      let value = random.normal();
      for (let axis = 0; axis < directions; axis++) {
        value += (place[axis] ?? 0) * (loadings[axis * columns + column] ?? 0);
      }
      // Single precision, so that both sides see the same numbers.
      data[row * columns + column] = Math.fround(value);
    }
    for (let output = 0; output < outputs; output++) {
      const [a = 0, b = 0, c = 0] = place.slice(output, output + 3);
      targets[row * outputs + output] = Math.fround(30 + 10 * a + 6 * b * c + 5 * random.normal());
    }
  }
  return { inputs: { rows, columns, data }, targets: { rows, columns: outputs, data: targets } };
}

/** Trains as the estimator does: bins once, then every model, on threads where they pay. */
async function trainHere(
  { parameters, targets: outputs, members, rows, columns }: Case,
  inputs: Matrix,
  targets: Matrix,
): Promise<Trained & { readonly models: string }> {
  const columnOf = (output: number): Matrix => ({
    rows,
    columns: 1,
    data: targets.data.filter((_, at) => at % outputs === output),
  });
  const trainings = Array.from({ length: outputs * members }, (_, at) => ({
    output: Math.floor(at / members),
    label: `member ${at % members} output ${Math.floor(at / members)}`,
  }));
  const levels = parameters.maxDepth > 0 ? parameters.maxDepth : Math.log2(parameters.numLeaves);
  const rootValues = rows * columns * parameters.featureFraction;
  const values = rootValues * levels * parameters.numIterations;
  const started = performance.now();
  const shared = { inputs, weights: null, categorical: [] };
  const work = {
    trainings: trainings.length,
    atOnce: trainings.length,
    values: trainings.length * values,
    rootValues,
  };
  const { binned, trained } = await withTrainers(work, THREADS_PAY_FROM, async (train) => {
    const binned = binFor(shared, parameters);
    const trained = await Promise.all(
      trainings.map(({ output, label }) =>
        train({
          grower: 'leafwise',
          data: { ...shared, targets: columnOf(output) },
          parameters,
          random: { seed: 1, label },
          binned,
        }),
      ),
    );
    return { binned, trained };
  });
  const train = (performance.now() - started) / 1000;
  const models = trained.map(({ trees }) => toLightGbm(trees, parameters.objective, binned.columns, {}));
  const predictors = models.map(lightGbmPredictor);
  const from = performance.now();
  const scores = predictors.map((predict) => predict(inputs).data);
  const predict = (performance.now() - from) / 1000;
  const predicted = trainings.map(({ output }, at) => explained(columnOf(output).data, scores[at] ?? []));
  const hash = createHash('sha256');
  for (const model of models) hash.update(formatLightGbm(model));
  return { train, predict, fit: median(predicted), models: hash.digest('hex').slice(0, 12) };
}

/** The share of the targets' variance that predictions explain. */
function explained(targets: Float64Array, predicted: ArrayLike<number>): number {
  const mean = targets.reduce((sum, target) => sum + target, 0) / targets.length;
  const left = targets.reduce((sum, target, row) => sum + (target - (predicted[row] ?? 0)) ** 2, 0);
  return 1 - left / targets.reduce((sum, target) => sum + (target - mean) ** 2, 0);
}

function trainThere(
  python: string,
  { parameters, ...task }: Case,
  folder: string,
  way: Rival,
): Trained | null {
  const spec = {
    ...task,
    folder,
    way,
    threads: THREADS,
    rounds: parameters.numIterations,
    settings: {
      objective: 'regression',
      learning_rate: parameters.learningRate,
      num_leaves: parameters.numLeaves,
      max_depth: parameters.maxDepth,
      min_data_in_leaf: parameters.minDataInLeaf,
      min_sum_hessian_in_leaf: parameters.minSumHessian,
      feature_fraction: parameters.featureFraction,
      bagging_fraction: parameters.baggingFraction,
      bagging_freq: parameters.baggingFreq,
      lambda_l2: parameters.lambdaL2,
      max_bin: parameters.maxBin,
      min_data_in_bin: parameters.minDataInBin,
      verbosity: -1,
    },
  };
  const done = spawnSync(python, [join(folder, 'rival.py'), JSON.stringify(spec)], { encoding: 'utf8' });
  if (done.status !== 0) return null;
  const [train = Number.NaN, predict = Number.NaN, fit = Number.NaN] = done.stdout
    .trim()
    .split(' ')
    .map(Number);
  return Number.isFinite(train) && Number.isFinite(predict) ? { train, predict, fit } : null;
}

const RIVAL = `
import json, sys, time
from concurrent.futures import ThreadPoolExecutor
import numpy as np
import lightgbm as lgb
spec = json.loads(sys.argv[1])
x = np.fromfile(spec["folder"] + "/inputs.f64").reshape(spec["rows"], spec["columns"]).astype(np.float32)
y = np.fromfile(spec["folder"] + "/targets.f64").reshape(spec["rows"], spec["targets"])
at_once = spec["way"] == "two models at once"
settings = dict(spec["settings"], num_threads=1 if at_once else spec["threads"])
settings["force_col_wise" if at_once else spec["way"]] = True
models = [(output, member) for output in range(spec["targets"]) for member in range(spec["members"])]
start = time.perf_counter()
first = lgb.Dataset(x, label=y[:, 0], params=settings, free_raw_data=False).construct()
def train(model):
    output, member = model
    # Bins are made once; a model trained beside another needs labels of its own.
    data = lgb.Dataset(x, label=y[:, output], reference=first, params=settings) if at_once else first.set_label(y[:, output])
    return lgb.train(dict(settings, seed=member), data, num_boost_round=spec["rounds"])
if at_once:
    with ThreadPoolExecutor(spec["threads"]) as pool:
        boosters = list(pool.map(train, models))
else:
    boosters = [train(model) for model in models]
train_s = time.perf_counter() - start
start = time.perf_counter()
predicted = [booster.predict(x, num_threads=1) for booster in boosters]
predict_s = time.perf_counter() - start
fits = [1 - np.sum((y[:, o] - p) ** 2) / np.sum((y[:, o] - y[:, o].mean()) ** 2) for (o, _), p in zip(models, predicted)]
print(train_s, predict_s, np.median(fits))
`;
