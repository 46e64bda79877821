import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  leafwiseBoostSettings,
  obliviousBoostSettings,
} from '../../../src/estimators/trees/boost-settings.ts';
import { predictCatBoost } from '../../../src/estimators/trees/catboost-model.ts';
import {
  columnNames,
  explainForest,
  type Forest,
  readForest,
} from '../../../src/estimators/trees/explain.ts';
import { leafwiseBoost } from '../../../src/estimators/trees/leafwise-boost.ts';
import { lightGbmPredictor } from '../../../src/estimators/trees/lightgbm-model.ts';
import { obliviousBoost } from '../../../src/estimators/trees/oblivious-boost.ts';
import { explainCatBoost, explainLightGbm } from '../../../src/estimators/trees/shap.ts';
import { joinFeatureSets, type Matrix } from '../../../src/ground/matrix.ts';
import { randomStream } from '../../../src/ground/random.ts';
import { targetsFromComponents } from '../../../src/pasture/physics.ts';
import { DESCRIPTOR_NAMES } from '../../../src/vision/descriptors/index.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { fitRows } from '../../support/training-rows.ts';
import { normalMatrix, rowsOf } from './small-data.ts';

const folder = temporaryFolder('explain');
const inputs = normalMatrix(120, 4, 1);
const at = (row: number, column: number): number => inputs.data[row * 4 + column] ?? 0;

const few = {
  featureFraction: 0.8,
  rsm: 0.8,
  iterations: 60,
  numIterations: 60,
  members: 2,
  learningRate: 0.1,
};

/** Total is moved by column 2 most, then by column 0; column 3 does nothing, and column 1 changes parts only. */
async function forest(kind: 'leafwise-boost' | 'oblivious-boost', changes: object = {}): Promise<Forest> {
  const { iterations, rsm, numIterations, featureFraction, ...shared } = few;
  const estimator =
    kind === 'leafwise-boost'
      ? leafwiseBoost(
          leafwiseBoostSettings.parse({ kind, ...shared, numIterations, featureFraction, ...changes }),
        )
      : obliviousBoost(obliviousBoostSettings.parse({ kind, ...shared, iterations, rsm, ...changes }));
  const training = {
    inputs,
    targets: Array.from({ length: 120 }, (_, row) =>
      targetsFromComponents({
        green: 60 + 12 * at(row, 2) + 6 * at(row, 1),
        dead: 40 + 5 * at(row, 0) - 6 * at(row, 1),
        clover: 10,
      }),
    ),
    groups: Array.from({ length: 120 }, (_, row) => `session ${row % 6}`),
  };
  const model = await fitRows(estimator, training, { random: randomStream(1), record: () => {} });
  const place = join(folder, `${kind} ${Object.keys(changes).join(' ')}`);
  mkdirSync(place, { recursive: true });
  await model.write(place);
  return readForest(kind, place);
}

/** Predicted totals, and the totals expected of any photo. */
function totals(model: Forest): [number[], number] {
  const parts =
    'floats' in model
      ? model.bias.map((_, output) => explainCatBoost(model, inputs, output).expected)
      : model.map((one) => explainLightGbm(one, inputs).expected);
  const predicted = Array.from({ length: inputs.rows }, (_, row) => {
    const masses: Matrix[] =
      'floats' in model
        ? [predictCatBoost(model, inputs)]
        : model.map((one) => lightGbmPredictor(one)(inputs));
    return masses
      .flatMap(({ columns, data }) => [...data.subarray(row * columns, (row + 1) * columns)])
      .reduce((sum, mass) => sum + mass, 0);
  });
  return [predicted, parts.reduce((sum, part) => sum + part, 0)];
}

describe.each(['leafwise-boost', 'oblivious-boost'] as const)('the effects of columns, %s', (kind) => {
  it('are ordered by what moves the total, not its parts', async () => {
    const effects = explainForest(await forest(kind), inputs, ['a', 'b', 'c', 'd']);
    expect(effects.slice(0, 2).map(({ column }) => column)).toEqual(['c', 'a']);
    const [first = Number.NaN, second = Number.NaN, third = Number.NaN] = effects.map(
      (effect) => effect.meanAbsolute,
    );
    expect(first).toBeGreaterThan(1.5 * second);
    expect(second).toBeGreaterThan(2 * third);
  });

  it('of columns of one name add up before their size counts', async () => {
    const model = await forest(kind);
    const [predicted, expected] = totals(model);
    const [all] = explainForest(model, inputs, ['all', 'all', 'all', 'all']);
    const mean = predicted.reduce((sum, total) => sum + Math.abs(total - expected), 0) / predicted.length;
    expect(all?.meanAbsolute).toBeCloseTo(mean, 8);
  });

  it('are refused where scores are no grams', async () => {
    const model = await forest(kind, { objective: 'tweedie', outputs: 'components' });
    expect(() => explainForest(model, inputs, columnNames(inputs))).toThrow(
      /train with objective=regression/,
    );
  });
});

describe('names of columns', () => {
  it('are those of the descriptors, or their set and number', () => {
    const descriptors = {
      rows: 1,
      columns: DESCRIPTOR_NAMES.length,
      data: new Float64Array(DESCRIPTOR_NAMES.length),
    };
    const joined = joinFeatureSets([
      { name: 'vit', matrix: rowsOf([[1, 2]]) },
      { name: 'descriptors', matrix: descriptors },
    ]);
    expect(columnNames(joined)).toEqual(['vit 1', 'vit 2', ...DESCRIPTOR_NAMES]);
    expect(columnNames(rowsOf([[1, 2]]))).toEqual(['features 1', 'features 2']);
  });
});
