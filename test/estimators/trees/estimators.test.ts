import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readFeatureTable } from '../../../src/data/feature-tables.ts';
import { changeBasis, outputBasis } from '../../../src/estimators/masses/output-basis.ts';
import {
  type LeafwiseBoostSettings,
  leafwiseBoostSettings,
  type ObliviousBoostSettings,
  obliviousBoostSettings,
} from '../../../src/estimators/trees/boost-settings.ts';
import { leafwiseBoost } from '../../../src/estimators/trees/leafwise-boost.ts';
import { lightGbmPredictor } from '../../../src/estimators/trees/lightgbm-model.ts';
import { parseLightGbm } from '../../../src/estimators/trees/lightgbm-read.ts';
import { obliviousBoost } from '../../../src/estimators/trees/oblivious-boost.ts';
import { takeRows } from '../../../src/ground/matrix.ts';
import { randomStream } from '../../../src/ground/random.ts';
import type { FitContext, MetricLine } from '../../../src/learning/estimator.ts';
import { weightedR2 } from '../../../src/pasture/metric.ts';
import { isPhysical, targetsFromComponents } from '../../../src/pasture/physics.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { fitRows, predictRows, type TaughtRows } from '../../support/training-rows.ts';
import { normalMatrix, rowsOf } from './small-data.ts';

const folder = temporaryFolder('boost');
const shared = process.env.SWARD_SHARED ?? '../shared';
const features = join(shared, 'csiro', 'features');

function leafwise(changes: Partial<LeafwiseBoostSettings> = {}) {
  const given = {
    kind: 'leafwise-boost',
    featureFraction: 0.5,
    numIterations: 80,
    members: 1,
    ...changes,
  };
  return leafwiseBoost(leafwiseBoostSettings.parse(given));
}

function oblivious(changes: Partial<ObliviousBoostSettings> = {}) {
  const given = {
    kind: 'oblivious-boost',
    rsm: 0.5,
    iterations: 80,
    members: 1,
    ...changes,
  };
  return obliviousBoost(obliviousBoostSettings.parse(given));
}

function context(lines: MetricLine[] = []): FitContext {
  return { random: randomStream(3), record: (line) => lines.push(line) };
}

function bentTask(rows: number, seed: number): TaughtRows {
  const inputs = normalMatrix(rows, 6, seed);
  const at = (row: number, column: number): number => inputs.data[row * 6 + column] ?? 0;
  return {
    inputs,
    targets: Array.from({ length: rows }, (_, row) =>
      targetsFromComponents({
        green: 40 + 15 * at(row, 0),
        dead: 15 + 8 * Math.abs(at(row, 1)),
        clover: at(row, 2) > 0 ? 20 : 0,
      }),
    ),
    groups: Array.from({ length: rows }, (_, row) => `session ${row % 8}`),
  };
}

describe.each([
  ['leaf-wise trees', leafwise, { earlyStoppingRound: 5 }],
  ['symmetric trees', oblivious, { odWait: 5 }],
] as const)('%s as an estimator', (name, make, stopping) => {
  it('learn a bent law on photos they have not seen', async () => {
    const model = await fitRows(make({}), bentTask(200, 1), context());
    const fresh = bentTask(100, 2);
    expect(weightedR2(fresh.targets, await predictRows(model, fresh.inputs))).toBeGreaterThan(0.7);
  });

  it.each(['components', 'metric'] as const)(
    'predict the same after being written and read, %s',
    async (outputs) => {
      const model = await fitRows(make({ outputs, members: 2 }), bentTask(80, 1), context());
      const fresh = normalMatrix(20, 6, 2);
      const place = join(folder, name, outputs);
      mkdirSync(place, { recursive: true });
      await model.write(place);
      expect(await predictRows(await make().read(place), fresh)).toEqual(await predictRows(model, fresh));
    },
  );

  it('give the same predictions for a seed', async () => {
    const fresh = normalMatrix(10, 6, 2);
    const run = async () => predictRows(await fitRows(make({}), bentTask(60, 1), context()), fresh);
    expect(await run()).toEqual(await run());
  });

  it('record how training went, and stop early on whole sessions when asked', async () => {
    const lines: MetricLine[] = [];
    await fitRows(make({ learningRate: 0.5, ...stopping }), bentTask(80, 1), context(lines));
    expect(lines[0]).toMatchObject({ member: 0, trainingLoss: expect.any(Number) });
    expect(lines[0]?.trees).toBeLessThan(80);
    const single = { ...bentTask(30, 1), groups: new Array<string>(30).fill('one') };
    await fitRows(make(stopping), single, context(lines));
    expect(lines.at(-1)?.trees).toBe(80);
  });

  it('give physical masses even far from everything they were trained on', async () => {
    const model = await fitRows(make({}), bentTask(40, 1), context());
    const odd = rowsOf([
      new Array<number>(6).fill(-1e9),
      new Array<number>(6).fill(1e9),
      new Array<number>(6).fill(Number.NaN),
    ]);
    for (const targets of await predictRows(model, odd)) expect(isPhysical(targets, 1e-6)).toBe(true);
  });

  it('use categorical columns', async () => {
    const task = bentTask(120, 1);
    const data = task.inputs.data.map((value, at) => (at % 6 === 5 ? Math.floor(at / 6) % 5 : value));
    const model = await fitRows(
      make({ categorical: [5] }),
      { ...task, inputs: { ...task.inputs, data } },
      context(),
    );
    expect(await predictRows(model, { ...task.inputs, data })).toHaveLength(120);
  });

  it('refuse features of another width, lost files and settings that do not fit', async () => {
    const model = await fitRows(make({}), bentTask(40, 1), context());
    await expect(predictRows(model, normalMatrix(2, 5, 1))).rejects.toThrow(
      /have 5 columns, but the model was trained on 6/,
    );
    await expect(make().read(join(folder, 'nowhere'))).rejects.toThrow(
      /cannot be read .*; train the run again/,
    );
    await expect(fitRows(make({ categorical: [6] }), bentTask(40, 1), context())).rejects.toThrow(
      /names column 6/,
    );
    expect(() => make({ objective: 'huber' })).toThrow(/outputs=metric needs objective=regression/);
    expect(() => make({ objective: 'quantile', outputs: 'components', alpha: 1 })).toThrow(/alpha below 1/);
    expect(() => make({ learningRate: 0 })).toThrow(/learningRate/);
    expect(() => make({ objective: 'huber', outputs: 'components', alpha: 0 })).toThrow(/alpha/);
    expect(() => make({ tweedieVariancePower: 2 })).toThrow(/tweedieVariancePower/);
  });

  it('refuse a damaged model file', async () => {
    const model = await fitRows(make({}), bentTask(40, 1), context());
    const place = join(folder, `${name} damaged`);
    mkdirSync(place, { recursive: true });
    await model.write(place);
    const [file = ''] = readdirSync(place);
    const text = readFileSync(join(place, file), 'utf8');
    writeFileSync(join(place, file), text.slice(0, text.length / 2));
    await expect(make().read(place)).rejects.toThrow(
      new RegExp(`${file}.*(cut off|not JSON).*; save it again`),
    );
  });
});

describe('leaf-wise trees of the metric', () => {
  it('store each component in grams, so that LightGBM predicts it too', async () => {
    const task = bentTask(80, 1);
    const model = await fitRows(leafwise(), task, context());
    const place = join(folder, 'grams');
    mkdirSync(place, { recursive: true });
    await model.write(place);
    const text = readFileSync(join(place, 'dead.txt'), 'utf8');
    const dead = lightGbmPredictor(parseLightGbm(text, 'dead.txt'))(task.inputs);
    for (const [row, targets] of (await predictRows(model, task.inputs)).entries()) {
      expect(targets.dead).toBe(Math.max(0, dead.data[row] ?? Number.NaN));
    }
  });
});

describe('the basis of the metric', () => {
  it('turns the metric into plain squares, and back into components', () => {
    const basis = outputBasis('metric');
    const errors = rowsOf([[3, -5, 2]]);
    const squares = changeBasis(errors, basis.toOutputs).data.reduce((sum, value) => sum + value ** 2, 0);
    // Green 3, dead −5, clover 2, GDM 5, total 0.
    expect(squares).toBeCloseTo(0.1 * 9 + 0.1 * 25 + 0.1 * 4 + 0.2 * 25 + 0.5 * 0, 12);
    const back = changeBasis(changeBasis(errors, basis.toOutputs), basis.toComponents);
    for (const [index, value] of errors.data.entries()) expect(back.data[index]).toBeCloseTo(value, 12);
  });
});

describe.skipIf(!existsSync(features))('on real features', () => {
  it.each([
    ['leaf-wise', leafwiseBoost(leafwiseBoostSettings.parse({ kind: 'leafwise-boost', members: 1 }))],
    ['symmetric', obliviousBoost(obliviousBoostSettings.parse({ kind: 'oblivious-boost', members: 1 }))],
  ] as const)('%s trees explain over half of what varies on sessions left out', async (_, estimator) => {
    const { ids, matrix } = await readFeatureTable(
      join(features, 'dinov2_vits14.npy'),
      join(features, 'ids.txt'),
    );
    const { readCsv } = await import('../../../src/formats/csv.ts');
    const { LABEL_COLUMNS, parseLabels } = await import('../../../src/data/labels.ts');
    const path = join(features, 'train.csv');
    const labels = new Map(
      parseLabels(await readCsv(path, LABEL_COLUMNS), path).labels.map((label) => [label.imageId, label]),
    );
    const chosen = ids.flatMap((id) => labels.get(id) ?? []);
    const groups = chosen.map(({ date, state }) => `${date} ${state}`);
    const sessions = [...new Set(groups)].sort();
    const isHeld = (row: number): boolean => sessions.indexOf(groups[row] ?? '') % 5 === 2;
    const rows = chosen.map((_, row) => row);
    const kept = rows.filter((row) => !isHeld(row));
    const held = rows.filter(isHeld);
    const targetsOf = (wanted: readonly number[]) => wanted.flatMap((row) => chosen[row]?.targets ?? []);
    const model = await fitRows(
      estimator,
      {
        inputs: takeRows(matrix, kept),
        targets: targetsOf(kept),
        groups: kept.map((row) => groups[row] ?? ''),
      },
      context(),
    );
    expect(weightedR2(targetsOf(held), await predictRows(model, takeRows(matrix, held)))).toBeGreaterThan(
      0.5,
    );
  });
});
