import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { leafwiseBoostSettings } from '../src/estimators/trees/boost-settings.ts';
import { binFor, trainLeafwise } from '../src/estimators/trees/leafwise.ts';
import { lightGbmPredictor } from '../src/estimators/trees/lightgbm-model.ts';
import { toLightGbm } from '../src/estimators/trees/lightgbm-write.ts';
import type { Matrix } from '../src/ground/matrix.ts';
import { randomStream } from '../src/ground/random.ts';

const ROWS = 282;
const COLUMNS = 1152;
const TREES = 400;
const DEPTH = 4;
const LEAVES = 12;
const MAX_BIN = 64;
const LEARNING_RATE = 0.05;
const REPEATS = 2;
/** What both run on. */
const THREADS = 1;

/** Seconds of one side. */
interface Times {
  readonly train: number;
  readonly predict: number;
}

/**
 * Trains and predicts 400 leaf-wise trees on 282 × 1152 numbers, here and in XGBoost at the same settings and
 * thread count, in turns. Ratios are ours over theirs, of the best of two runs; null without XGBoost.
 */
export async function run(): Promise<{ xgboost_ratio: number | null; predict_ratio: number | null }> {
  const { inputs, targets } = task();
  const folder = mkdtempSync(join(tmpdir(), 'sward-bench-trees-'));
  try {
    writeFileSync(join(folder, 'inputs.f64'), inputs.data);
    writeFileSync(join(folder, 'targets.f64'), targets);
    writeFileSync(join(folder, 'rival.py'), RIVAL);
    const ours: Times[] = [];
    const theirs: Times[] = [];
    for (let repeat = 0; repeat < REPEATS; repeat++) {
      ours.push(measure(inputs, targets));
      const rival = measureRival(folder);
      if (rival) theirs.push(rival);
    }
    const mine = best(ours);
    report('sward', mine);
    if (theirs.length === 0) {
      process.stderr.write('trees: XGBoost is not there (Debian: python3-xgboost); no ratios\n');
      return { xgboost_ratio: null, predict_ratio: null };
    }
    const other = best(theirs);
    report('XGBoost', other);
    const ratios = { xgboost_ratio: mine.train / other.train, predict_ratio: mine.predict / other.predict };
    process.stderr.write(
      `trees: ours / theirs: training ${ratios.xgboost_ratio.toFixed(2)}, prediction ${ratios.predict_ratio.toFixed(2)}\n`,
    );
    return ratios;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function report(name: string, { train, predict }: Times): void {
  process.stderr.write(
    `trees: ${name.padEnd(8)} ${TREES} trees on ${ROWS}×${COLUMNS}, ${THREADS} thread: ` +
      `train ${train.toFixed(3)} s, predict ${(predict * 1000).toFixed(2)} ms\n`,
  );
}

/** Features as a backbone gives them: many columns, correlated through a few directions; a noisy target. */
function task(): { inputs: Matrix; targets: Float64Array } {
  const random = randomStream(7);
  const directions = 24;
  const loadings = Float64Array.from({ length: directions * COLUMNS }, () => random.normal());
  const data = new Float64Array(ROWS * COLUMNS);
  const targets = new Float64Array(ROWS);
  for (let row = 0; row < ROWS; row++) {
    const place = Array.from({ length: directions }, () => random.normal());
    for (let column = 0; column < COLUMNS; column++) {
      let value = random.normal();
      for (let axis = 0; axis < directions; axis++) {
        value += (place[axis] ?? 0) * (loadings[axis * COLUMNS + column] ?? 0);
      }
      // Single precision, so that both sides see the same numbers.
      data[row * COLUMNS + column] = Math.fround(value);
    }
    targets[row] = 30 + 10 * (place[0] ?? 0) + 6 * (place[1] ?? 0) * (place[2] ?? 0) + 5 * random.normal();
  }
  return { inputs: { rows: ROWS, columns: COLUMNS, data }, targets };
}

/** Settings with the same meaning as those of the script below. */
function measure(inputs: Matrix, targets: Float64Array): Times {
  const parameters = leafwiseBoostSettings.parse({
    kind: 'leafwise-boost',
    featureFraction: 1,
    baggingFreq: 0,
    numIterations: TREES,
    learningRate: LEARNING_RATE,
    numLeaves: LEAVES,
    maxDepth: DEPTH,
    lambdaL2: 1,
    minDataInLeaf: 1,
    minSumHessian: 1,
    maxBin: MAX_BIN,
    minDataInBin: 1,
  });
  const data = {
    inputs,
    targets: { rows: ROWS, columns: 1, data: targets },
    weights: null,
    categorical: [],
  };
  const started = performance.now();
  const binned = binFor(data, parameters);
  const { trees } = trainLeafwise(data, parameters, randomStream(1), null, binned);
  const train = (performance.now() - started) / 1000;
  const predictor = lightGbmPredictor(toLightGbm(trees, parameters.objective, binned.columns, {}));
  let predict = Number.POSITIVE_INFINITY;
  for (let repeat = 0; repeat < 10; repeat++) {
    const from = performance.now();
    predictor(inputs);
    predict = Math.min(predict, (performance.now() - from) / 1000);
  }
  return { train, predict };
}

function measureRival(folder: string): Times | null {
  const environment = { ...process.env, OMP_NUM_THREADS: String(THREADS) };
  const done = spawnSync('/usr/bin/python3', [join(folder, 'rival.py'), folder], {
    encoding: 'utf8',
    env: environment,
  });
  if (done.status !== 0) return null;
  const [train = Number.NaN, predict = Number.NaN] = done.stdout.trim().split(' ').map(Number);
  return Number.isFinite(train) && Number.isFinite(predict) ? { train, predict } : null;
}

function best(times: readonly Times[]): Times {
  return {
    train: Math.min(...times.map(({ train }) => train)),
    predict: Math.min(...times.map(({ predict }) => predict)),
  };
}

const RIVAL = `
import sys, time
import numpy as np
import xgboost as xgb
folder = sys.argv[1]
x = np.fromfile(folder + "/inputs.f64").reshape(${ROWS}, ${COLUMNS}).astype(np.float32)
y = np.fromfile(folder + "/targets.f64")
settings = dict(tree_method="hist", grow_policy="lossguide", max_leaves=${LEAVES}, max_depth=${DEPTH},
                eta=${LEARNING_RATE}, max_bin=${MAX_BIN}, min_child_weight=1, nthread=${THREADS},
                objective="reg:squarederror", verbosity=0)
settings["lambda"] = 1
start = time.perf_counter()
data = xgb.DMatrix(x, label=y, nthread=${THREADS})
model = xgb.train(settings, data, num_boost_round=${TREES})
train = time.perf_counter() - start
predict = 1e9
for repeat in range(10):
    start = time.perf_counter()
    model.inplace_predict(x)
    predict = min(predict, time.perf_counter() - start)
print(train, predict)
`;
