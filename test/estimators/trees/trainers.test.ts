import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import {
  leafwiseBoostSettings,
  obliviousBoostSettings,
} from '../../../src/estimators/trees/boost-settings.ts';
import { binFor } from '../../../src/estimators/trees/leafwise.ts';
import { leafwiseBoost } from '../../../src/estimators/trees/leafwise-boost.ts';
import { obliviousBoost } from '../../../src/estimators/trees/oblivious-boost.ts';
import { SHARING_PAYS_FROM, withTrainers } from '../../../src/estimators/trees/trainers.ts';
import { type TrainingTask, train } from '../../../src/estimators/trees/training-worker.ts';
import { InputError, ShapeError, UsageError } from '../../../src/ground/errors.ts';
import { randomStream } from '../../../src/ground/random.ts';
import type { Estimator, MetricLine } from '../../../src/learning/estimator.ts';
import { targetsFromComponents } from '../../../src/pasture/physics.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { fitRows, type TaughtRows } from '../../support/training-rows.ts';
import {
  bentTargets,
  column,
  LEAFWISE_DEFAULTS,
  normalMatrix,
  OBLIVIOUS_DEFAULTS,
  rowsOf,
} from './small-data.ts';

const folder = temporaryFolder('trainers');
const pools = vi.hoisted(() => ({ started: 0, closed: 0, tasks: 0 }));

vi.mock('../../../src/ground/worker-pool.ts', async (importOriginal) => {
  const real = await importOriginal<typeof import('../../../src/ground/worker-pool.ts')>();
  const startWorkers: typeof real.startWorkers = (url, name, threads) => {
    const pool = real.startWorkers<never, never>(url, name, threads);
    if (!pool) return undefined;
    pools.started++;
    return {
      run: (task, transfer) => {
        pools.tasks++;
        return pool.run(task as never, transfer);
      },
      close: async () => {
        await pool.close();
        pools.closed++;
      },
    };
  };
  return { startWorkers };
});

// Threads start on a machine of one processor too.
vi.mock('node:os', async (importOriginal) => ({
  ...(await importOriginal<typeof import('node:os')>()),
  availableParallelism: () => 2,
}));

beforeEach(() => {
  Object.assign(pools, { started: 0, closed: 0, tasks: 0 });
});

const root = join(import.meta.dirname, '..', '..', '..');
/** Threads run what `npm run build` made; without it nothing can be said of them. */
const built = existsSync(join(root, 'dist', 'estimators', 'trees', 'training-worker.js'));

const leafwise = (changes: object, threadsFrom: number) =>
  leafwiseBoost(
    leafwiseBoostSettings.parse({
      kind: 'leafwise-boost',
      featureFraction: 0.5,
      numIterations: 12,
      ...changes,
    }),
    threadsFrom,
  );
const oblivious = (changes: object, threadsFrom: number) =>
  obliviousBoost(
    obliviousBoostSettings.parse({
      kind: 'oblivious-boost',
      rsm: 0.5,
      baggingTemperature: 1,
      iterations: 12,
      ...changes,
    }),
    threadsFrom,
  );

/** The last column holds codes of categories. */
function task(rows: number): TaughtRows {
  const inputs = normalMatrix(rows, 5, 1);
  const masses = bentTargets(inputs, 2);
  for (let row = 0; row < rows; row++) inputs.data[row * 5 + 4] = row % 3;
  return {
    inputs,
    targets: Array.from(masses, (mass, row) =>
      targetsFromComponents({ green: mass, dead: 5 + (row % 7), clover: row % 2 === 0 ? 0 : mass / 3 }),
    ),
    groups: Array.from({ length: rows }, (_, row) => `session ${row % 6}`),
    weights: Array.from({ length: rows }, (_, row) => 1 + (row % 2)),
  };
}

/** The files of a model and what its training recorded. */
async function fitted(estimator: Estimator, place: string): Promise<[string[], MetricLine[]]> {
  const lines: MetricLine[] = [];
  const random = randomStream(3).fork('fold 1');
  const model = await fitRows(estimator, task(60), { random, record: (line) => lines.push(line) });
  mkdirSync(join(folder, place), { recursive: true });
  await model.write(join(folder, place));
  const names = readdirSync(join(folder, place)).sort();
  return [names.map((name) => readFileSync(join(folder, place, name), 'utf8')), lines];
}

describe.skipIf(!built).each([
  ['leaf-wise', leafwise, {}, 9],
  ['leaf-wise, stopping early', leafwise, { earlyStoppingRound: 3, learningRate: 0.5, innerFolds: 3 }, 18],
  ['symmetric', oblivious, {}, 3],
  ['symmetric, ordered, stopping early', oblivious, { odWait: 3, boostingType: 'Ordered', innerFolds: 3 }, 6],
] as const)('%s trees', (name, make, changes, trainings) => {
  it('are the same on threads and without, and so are the lines recorded', async () => {
    const settings = { categorical: [4], ...changes };
    const alone = await fitted(make(settings, Number.POSITIVE_INFINITY), `${name} alone`);
    expect(pools.started).toBe(0);
    expect(await fitted(make(settings, 0), `${name} threads`)).toEqual(alone);
    expect(pools).toEqual({ started: 1, closed: 1, tasks: trainings });
    expect(alone[1].map(({ member, output = 0 }) => [output, member])).toEqual(
      alone[1].map((_, at) => [Math.floor(at / 3), at % 3]),
    );
  });

  it('tell what share of their trainings is done, on threads and without', async () => {
    const steps = Array.from({ length: trainings }, (_, at) => expect.closeTo((at + 1) / trainings, 10));
    for (const threadsFrom of [Number.POSITIVE_INFINITY, 0]) {
      const shares: number[] = [];
      const context = {
        random: randomStream(3),
        record: () => {},
        onProgress: (share: number) => shares.push(share),
      };
      await fitRows(make({ categorical: [4], ...changes }, threadsFrom), task(60), context);
      expect(shares).toEqual(steps);
    }
    expect(pools).toEqual({ started: 1, closed: 1, tasks: trainings });
  });
});

describe.skipIf(!built)('trainers', () => {
  const inputs = rowsOf([[0.5], [1], [2]]);
  const targets = column([-1, 2, 3]);
  const random = { seed: 1, label: 'a' };
  const leafwiseTask = {
    grower: 'leafwise',
    data: { inputs, targets, weights: null, categorical: [] },
    parameters: LEAFWISE_DEFAULTS,
    random,
  } as const;
  const failing: readonly [string, TrainingTask, new (...parts: never[]) => Error][] = [
    [
      'targets that do not fit',
      { ...leafwiseTask, parameters: { ...LEAFWISE_DEFAULTS, objective: 'tweedie' } },
      UsageError,
    ],
    [
      'codes that are none',
      { ...leafwiseTask, data: { ...leafwiseTask.data, categorical: [0] } },
      InputError,
    ],
    [
      'rows without targets',
      {
        grower: 'oblivious',
        data: { inputs, targets: rowsOf([[1]]), weights: null, categorical: [] },
        parameters: OBLIVIOUS_DEFAULTS,
        random,
      },
      ShapeError,
    ],
  ];

  it.each(failing)('throw the same error on threads and without: %s', async (_, broken, kind) => {
    const errorAt = (payFrom: number): Promise<unknown> =>
      withTrainers({ trainings: 2, atOnce: 2, values: 10 }, payFrom, (train) =>
        Promise.all([train(leafwiseTask), train(broken)]),
      ).then(
        () => null,
        (error: unknown) => error,
      );
    const alone = await errorAt(11);
    expect(alone).toBeInstanceOf(kind);
    const threaded = await errorAt(10);
    expect(threaded).toBeInstanceOf(kind);
    expect(threaded).toEqual(alone);
    expect(pools).toEqual({ started: 1, closed: 1, tasks: 2 });
  });

  /** Too few trainings for the threads, of trees whose first node is large. */
  const sharing = { trainings: 1, atOnce: 1, values: 10, rootValues: SHARING_PAYS_FROM };
  const large = normalMatrix(2500, 30, 4);
  for (let row = 0; row < 2500; row++) {
    large.data[row * 30 + 28] = row % 3 === 0 ? Number.NaN : row % 17;
    large.data[row * 30 + 29] = row % 7;
  }
  const plain = { inputs: large, targets: column(bentTargets(large, 5)), weights: null, categorical: [29] };
  const weighted = { ...plain, weights: Float64Array.from({ length: 2500 }, (_, row) => 1 + (row % 2)) };

  it.each([
    ['weights and categories', weighted, {}],
    ['random bounds and columns of each node', plain, { extraTrees: true, featureFractionByNode: 0.7 }],
    ['more than 256 bins', plain, { maxBin: 1000, baggingFreq: 1, baggingFraction: 0.9 }],
  ])('share the columns of large trees, which come out the same: %s', async (_, data, changes) => {
    const parameters = { ...LEAFWISE_DEFAULTS, numIterations: 6, ...changes };
    const binned = binFor(data, parameters);
    const tasks = ['a', 'b'].map(
      (label) => ({ grower: 'leafwise', data, parameters, random: { seed: 2, label }, binned }) as const,
    );
    const alone = tasks.map((one) => train(one));
    const shared = await withTrainers(sharing, 0, (trainOn) => Promise.all(tasks.map((one) => trainOn(one))));
    expect(shared).toEqual(alone);
    // Two that lead and two that help.
    expect(pools).toEqual({ started: 1, closed: 1, tasks: 4 });
  });

  it('let the helpers go when the training they help with fails', async () => {
    const data = { ...plain, targets: column(new Float64Array(2500).fill(-1)) };
    const parameters = { ...LEAFWISE_DEFAULTS, objective: 'tweedie' } as const;
    const binned = binFor(data, parameters);
    const broken = { ...leafwiseTask, data, parameters, binned };
    await expect(withTrainers(sharing, 0, (trainOn) => trainOn(broken))).rejects.toThrow(UsageError);
    expect(pools).toEqual({ started: 1, closed: 1, tasks: 2 });
  });

  it('end their threads when what uses them fails', async () => {
    const failed = withTrainers({ trainings: 2, atOnce: 2, values: 10 }, 0, () =>
      Promise.reject(new Error('no more')),
    );
    await expect(failed).rejects.toThrow('no more');
    expect(pools).toEqual({ started: 1, closed: 1, tasks: 0 });
  });

  it('start no threads for a single training', async () => {
    await withTrainers({ trainings: 1, atOnce: 1, values: 10 }, 0, (train) => train(leafwiseTask));
    expect(pools.started).toBe(0);
  });
});
