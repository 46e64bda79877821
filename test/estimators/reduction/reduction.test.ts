import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { kernelRidge } from '../../../src/estimators/kernel/kernel-ridge.ts';
import { ridge } from '../../../src/estimators/kernel/ridge.ts';
import { fitPca } from '../../../src/estimators/reduction/pca.ts';
import { fitPls } from '../../../src/estimators/reduction/pls.ts';
import { project } from '../../../src/estimators/reduction/projection.ts';
import { reduced } from '../../../src/estimators/reduction/reduced.ts';
import { UsageError } from '../../../src/ground/errors.ts';
import { type Matrix, takeRows } from '../../../src/ground/matrix.ts';
import { randomStream } from '../../../src/ground/random.ts';
import { type FitContext, fittedModel, rowEstimator } from '../../../src/learning/estimator.ts';
import { targetsFromComponents } from '../../../src/pasture/physics.ts';
import { measuredRows, type Split, type TrainingRows } from '../../../src/samples/samples.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { fitRows, predictRows, type TaughtRows } from '../../support/training-rows.ts';

const folder = temporaryFolder('reduction');
const context = (): FitContext => ({ random: randomStream(1), record: () => {} });

/**
 * Numbers of scikit-learn 1.2.1 on Z = (X − mean) / deviation (ddof 0), columns turned so that the largest entry of
 * each axis is positive: `fitRows(PCA(3, svd_solver='full'), Z).transform(Z)`, and with Y·L, LLᵀ being the metric's products
 * of components, `fitRows(PLSRegression(3, scale=False, max_iter=5000, tol=1e-16), Z, Y @ L).transform(Z)` and
 * `.predict(Z) @ inv(L)`.
 */
const X = [
  [2, 1, 0, 3],
  [1, 4, 1, 0],
  [0, 2, 5, 1],
  [3, 0, 2, 2],
  [4, 1, 1, 5],
  [2, 3, 3, 0],
  [1, 1, 4, 2],
];
const MASSES = [
  [10, 4, 0],
  [22, 1, 3],
  [5, 9, 8],
  [14, 2, 1],
  [30, 6, 0],
  [12, 0, 9],
  [7, 7, 5],
];
const PCA_SCORES = [
  [1.250551239683, -0.536170870141, -0.864373992929],
  [-1.545890366695, -1.76354053672, -0.220240827091],
  [-1.870765313177, 1.244889369741, -0.238698503622],
  [1.240226750552, 0.544503462662, 0.415975883382],
  [2.615821129422, -0.181793621068, 0.267322215996],
  [-1.207233592417, -0.562418942196, 0.845110953941],
  [-0.482709847369, 1.254531137722, -0.205095729677],
];
const PLS_SCORES = [
  [0.8629403117, -0.6379290003, -0.9074619745],
  [-0.1024508343, 1.5309158474, -0.6861454366],
  [-1.9475690499, -0.1962801779, 0.5267445517],
  [0.3358606004, -1.1365141148, -0.4574816085],
  [2.2677053258, 0.1148737205, 1.0179154064],
  [-0.3415258517, 1.0847190565, 0.1750255873],
  [-1.0749605021, -0.7597853314, 0.3314034742],
];
const PLS_PREDICTIONS = [
  [14.28106724, 2.18606764, -0.52465913],
  [17.76592545, -0.1663954, 4.84742533],
  [4.65746849, 7.18736851, 8.54920438],
];

const small = measuredRows(
  { rows: 7, columns: 4, data: Float64Array.from(X.flat()) },
  MASSES.map(([green = 0, dead = 0, clover = 0]) => targetsFromComponents({ green, dead, clover })),
  X.map((_, row) => `session ${row}`),
);

/** Features of a few factors and noise, of which green mass is one factor. */
function task(rows: number, columns: number, seed: number): TrainingRows {
  const random = randomStream(seed);
  const factors = Float64Array.from({ length: rows * 3 }, () => random.normal());
  const loadings = Float64Array.from({ length: columns * 3 }, (_, at) => Math.sin(at + 1));
  const data = Float64Array.from({ length: rows * columns }, (_, at) => {
    const row = Math.floor(at / columns);
    const column = at % columns;
    let value = 0.05 * random.normal();
    for (let k = 0; k < 3; k++) value += (factors[row * 3 + k] ?? 0) * (loadings[column * 3 + k] ?? 0);
    return value;
  });
  return measuredRows(
    { rows, columns, data },
    Array.from({ length: rows }, (_, row) =>
      targetsFromComponents({ green: 50 + 8 * (factors[row * 3] ?? 0), dead: 6, clover: 3 }),
    ),
    Array.from({ length: rows }, (_, row) => `session ${row % 8}`),
  );
}

function expectRows(found: Matrix, expected: readonly (readonly number[])[], digits: number): void {
  expected.forEach((row, at) => {
    row.forEach((value, column) => {
      expect(found.data[at * found.columns + column]).toBeCloseTo(value, digits);
    });
  });
}

describe('principal components', () => {
  it("are scikit-learn's", () => {
    const pca = fitPca(small, { kind: 'pca', components: 3, whiten: false, clip: 10 });
    expectRows(project(pca, small.inputs), PCA_SCORES, 9);
  });

  it('keep as many as explain the share of variance asked for', () => {
    // Shares are 0.626, 0.256, 0.066, 0.052.
    const count = (components: number): number =>
      fitPca(small, { kind: 'pca', components, whiten: false, clip: 10 }).coefficients.columns;
    expect([0.6, 0.65, 0.9, 0.99].map(count)).toEqual([1, 2, 3, 4]);
    expect(count(64)).toBe(4);
  });

  it('have variance 1 when whitened', () => {
    const { inputs, ...rest } = task(30, 6, 1);
    const scores = project(
      fitPca({ inputs, ...rest }, { kind: 'pca', components: 3, whiten: true, clip: 10 }),
      inputs,
    );
    for (let column = 0; column < 3; column++) {
      let squares = 0;
      for (let row = 0; row < 30; row++) squares += (scores.data[row * 3 + column] ?? 0) ** 2;
      expect(squares / 30).toBeCloseTo(1, 9);
    }
  });

  it('are the same through the products of rows as through those of columns', () => {
    const { inputs, ...known } = task(12, 12, 2);
    const wide = { rows: 12, columns: 24, data: new Float64Array(288) };
    for (let row = 0; row < 12; row++) {
      // Every column twice: the scores grow by √2.
      const values = inputs.data.subarray(row * 12, row * 12 + 12);
      wide.data.set(values, row * 24);
      wide.data.set(values, row * 24 + 12);
    }
    const settings = { kind: 'pca', components: 3, whiten: false, clip: 10 } as const;
    const narrow = project(fitPca({ inputs, ...known }, settings), inputs);
    const doubled = project(fitPca({ inputs: wide, ...known }, settings), wide);
    narrow.data.forEach((value, at) => {
      expect(Math.abs(doubled.data[at] ?? 0)).toBeCloseTo(Math.SQRT2 * Math.abs(value), 7);
    });
  });

  it('cannot be had of photos that are all alike', () => {
    const inputs = { rows: 4, columns: 2, data: new Float64Array(8).fill(3) };
    const settings = { kind: 'pca', components: 2, whiten: false, clip: 4 } as const;
    const alike = measuredRows(inputs, small.targets.slice(0, 4), ['a', 'a', 'b', 'b']);
    expect(() => fitPca(alike, settings)).toThrow(/same for all photos/);
  });
});

describe('partial least squares', () => {
  it("has scikit-learn's scores", () => {
    const pls = fitPls(small, { kind: 'pls', components: 3, clip: 10 });
    expectRows(project(pls, small.inputs), PLS_SCORES, 8);
  });

  it("predicts as scikit-learn's regression does, before least squares but for a vanishing penalty", async () => {
    const estimator = reduced(
      { kind: 'pls', components: 3, clip: 10 },
      ridge({ kind: 'ridge', penalties: [1e-9], sessionWeight: 0, clip: 100 }),
    );
    const predicted = await predictRows(await fitRows(estimator, small, context()), small.inputs);
    PLS_PREDICTIONS.forEach(([green = 0, dead = 0, clover = 0], row) => {
      const expected = targetsFromComponents({ green, dead, clover });
      expect(predicted[row]?.green).toBeCloseTo(expected.green, 5);
      expect(predicted[row]?.dead).toBeCloseTo(expected.dead, 5);
      expect(predicted[row]?.total).toBeCloseTo(expected.total, 5);
    });
  });

  it('stops when the features are used up', () => {
    expect(fitPls(small, { kind: 'pls', components: 40, clip: 10 }).coefficients.columns).toBeLessThanOrEqual(
      4,
    );
  });

  it('has nothing to learn where no feature goes with the masses', () => {
    const alike = {
      ...small,
      targets: small.targets.map(() => targetsFromComponents({ green: 5, dead: 1, clover: 0 })),
    };
    expect(() => fitPls(alike, { kind: 'pls', components: 2, clip: 4 })).toThrow(/do not vary together/);
  });
});

it.each([
  ['pca', true],
  ['pls', false],
] as const)('%s keeps the closed form of sessions left out: %s', async (kind, kept) => {
  const inner = ridge({ kind: 'ridge', penalties: [0.1], sessionWeight: 0, clip: 4 });
  const settings =
    kind === 'pca'
      ? ({ kind, components: 3, whiten: false, clip: 4 } as const)
      : ({ kind, components: 3, clip: 4 } as const);
  const model = await fitRows(reduced(settings, inner), task(40, 20, 9), context());
  expect(model.capabilities.sessionsOut).toBe(kept);
  if (kept) expect(model.leaveSessionsOut()).toHaveLength(40);
  else expect(() => model.leaveSessionsOut()).toThrow(UsageError);
});

describe.each([
  { kind: 'pca', components: 3, whiten: false, clip: 4 },
  { kind: 'pls', components: 3, clip: 4 },
] as const)('an estimator behind $kind', (settings) => {
  const inner = kernelRidge({
    kind: 'kernel-ridge',
    kernels: ['rbf'],
    gammas: [0.3],
    penalties: [0.01],
    sessionWeight: 0,
    clip: 4,
    scaling: 'together',
  });

  it('learns the projection from training photos alone', async () => {
    const all = task(60, 20, 3);
    const rows = Array.from({ length: 40 }, (_, row) => row);
    const training = {
      inputs: takeRows(all.inputs, rows),
      targets: all.targets.slice(0, 40),
      groups: all.groups.slice(0, 40),
    };
    const held = {
      inputs: takeRows(all.inputs, [50, 51, 52]),
      targets: all.targets.slice(50, 53),
      groups: all.groups.slice(50, 53),
    };
    const strange = {
      ...held,
      inputs: { ...held.inputs, data: held.inputs.data.map((value) => 900 * value) },
    };
    const predict = async (validation: TaughtRows) =>
      predictRows(await fitRows(reduced(settings, inner), training, context(), validation), held.inputs);
    expect(await predict(strange)).toEqual(await predict(held));
  });

  it('hands the estimator the components of training and validation photos', async () => {
    const seen: Split[] = [];
    const silent = fittedModel({ predict: async () => [], write: async () => {} });
    const spy = rowEstimator({
      async fit(split) {
        seen.push(split);
        return silent;
      },
      read: async () => silent,
    });
    const all = task(40, 20, 4);
    const validation = {
      inputs: takeRows(all.inputs, [0, 1]),
      targets: all.targets.slice(0, 2),
      groups: all.groups.slice(0, 2),
    };
    await fitRows(reduced(settings, spy), all, context(), validation);
    const inputs = await seen[0]?.train.features();
    expect(inputs).toMatchObject({ rows: 40, columns: 3 });
    const first = inputs?.data.subarray(0, 6) ?? [];
    expect([...((await seen[0]?.validation?.features())?.data ?? [])]).toEqual([...first]);
  });

  it('predicts the same after being written and read', async () => {
    const estimator = reduced(settings, inner);
    const model = await fitRows(estimator, task(40, 20, 5), context());
    const place = join(folder, settings.kind);
    mkdirSync(place);
    await model.write(place);
    const fresh = task(9, 20, 6).inputs;
    expect(await predictRows(await estimator.read(place), fresh)).toEqual(await predictRows(model, fresh));
  });

  it('refuses features of another width', async () => {
    const model = await fitRows(reduced(settings, inner), task(40, 20, 7), context());
    await expect(predictRows(model, task(2, 19, 8).inputs)).rejects.toThrow(
      /have 19 columns, but the model was trained on 20/,
    );
  });
});
