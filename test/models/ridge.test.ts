import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Matrix } from '../../src/data/features.ts';
import { randomStream } from '../../src/ground/random.ts';
import type { FitContext, MetricLine, TrainingSet } from '../../src/models/estimator.ts';
import { kernelRidge } from '../../src/models/kernel-ridge.ts';
import { dualPath, primalPath, ridge } from '../../src/models/ridge.ts';
import { weightedR2 } from '../../src/pasture/metric.ts';
import { isPhysical, targetsFromComponents } from '../../src/pasture/physics.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const folder = temporaryFolder('ridge');
const shared = { sessionWeight: 0.5, clip: 4, innerFolds: 4, innerRepeats: 1 };
const linear = ridge({ kind: 'ridge', penalties: [1e-4, 1e-2, 1], ...shared });
const radial = kernelRidge({
  kind: 'kernel-ridge',
  kernels: ['rbf', 'laplacian', 'rational-quadratic', 'linear'],
  gammas: [0.1, 0.5],
  penalties: [1e-3, 1e-1],
  ...shared,
});

function context(lines: MetricLine[] = []): FitContext {
  return { random: randomStream(3), record: (line) => lines.push(line) };
}

function matrix(rows: number, columns: number, seed: number): Matrix {
  const random = randomStream(seed);
  return { rows, columns, data: Float64Array.from({ length: rows * columns }, () => random.normal()) };
}

/** Masses that are linear in the first three features, in eight sessions. */
function linearTask(rows: number, columns: number, seed: number): TrainingSet<Matrix> {
  const inputs = matrix(rows, columns, seed);
  const at = (row: number, column: number): number => inputs.data[row * columns + column] ?? 0;
  return {
    inputs,
    targets: Array.from({ length: rows }, (_, row) =>
      targetsFromComponents({
        green: 60 + 10 * at(row, 0),
        dead: 40 + 5 * at(row, 1),
        clover: 30 + 4 * at(row, 2) - 3 * at(row, 0),
      }),
    ),
    groups: Array.from({ length: rows }, (_, row) => `session ${row % 8}`),
  };
}

describe('ridge regression', () => {
  it('recovers a linear law on photos it has not seen, with few features and with many', async () => {
    for (const columns of [5, 60]) {
      const training = linearTask(80, columns, 1);
      const fresh = linearTask(40, columns, 2);
      const model = await linear.fit(training, context());
      expect(weightedR2(fresh.targets, await model.predict(fresh.inputs))).toBeGreaterThan(0.99);
    }
  });

  it('gives the same coefficients from the primal and the dual equations', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 12 }),
        fc.integer({ min: 1, max: 12 }),
        fc.double({ min: 0.01, max: 10, noNaN: true }),
        fc.integer(),
        (rows, columns, penalty, seed) => {
          const features = matrix(rows, columns, seed);
          const right = matrix(rows, 3, seed + 1);
          const random = randomStream(seed + 2);
          const weights = Array.from({ length: rows }, () => 0.2 + random.uniform());
          const primal = primalPath(features, right, weights)(penalty).data;
          const dual = dualPath(features, right, weights)(penalty).data;
          for (const [index, value] of primal.entries()) expect(dual[index]).toBeCloseTo(value, 7);
        },
      ),
    );
  });

  it('minimises the penalised squares: no small change of a coefficient does better', () => {
    const features = matrix(20, 4, 5);
    const right = matrix(20, 3, 6);
    const weights = Array.from({ length: 20 }, (_, row) => 0.5 + (row % 3));
    const penalty = 0.7;
    const best = primalPath(features, right, weights)(penalty);
    const cost = (coefficients: Float64Array): number => {
      let sum = 0;
      for (let row = 0; row < 20; row++) {
        for (let target = 0; target < 3; target++) {
          let fit = 0;
          for (let k = 0; k < 4; k++)
            fit += (features.data[row * 4 + k] ?? 0) * (coefficients[k * 3 + target] ?? 0);
          sum += ((weights[row] ?? 0) * ((right.data[row * 3 + target] ?? 0) - fit) ** 2) / 4;
        }
      }
      return sum + penalty * coefficients.reduce((total, value) => total + value * value, 0);
    };
    for (const step of [1e-3, -1e-3]) {
      for (let index = 0; index < best.data.length; index++) {
        const moved = best.data.map((value, at) => (at === index ? value + step : value));
        expect(cost(moved)).toBeGreaterThan(cost(best.data));
      }
    }
  });
});

describe('kernel ridge regression', () => {
  it('learns a curve that no line fits', async () => {
    const inputs = matrix(120, 2, 9);
    const masses = Array.from({ length: 120 }, (_, row) => {
      const [x = 0, y = 0] = inputs.data.subarray(row * 2, row * 2 + 2);
      return targetsFromComponents({
        green: 20 + 8 * x * x,
        dead: 10 + 5 * Math.abs(y),
        clover: 5 + 4 * Math.cos(x),
      });
    });
    const pick = (from: number, to: number): TrainingSet<Matrix> => ({
      inputs: { rows: to - from, columns: 2, data: inputs.data.slice(from * 2, to * 2) },
      targets: masses.slice(from, to),
      groups: masses.slice(from, to).map((_, row) => `s${row % 8}`),
    });
    const fresh = pick(80, 120);
    const curved = await (await radial.fit(pick(0, 80), context())).predict(fresh.inputs);
    const straight = await (await linear.fit(pick(0, 80), context())).predict(fresh.inputs);
    expect(weightedR2(fresh.targets, curved)).toBeGreaterThan(0.9);
    expect(weightedR2(fresh.targets, curved)).toBeGreaterThan(weightedR2(fresh.targets, straight) + 0.1);
  });

  it('with the linear kernel predicts what ridge predicts', async () => {
    const training = linearTask(30, 6, 11);
    const fresh = matrix(10, 6, 12);
    const kernel = kernelRidge({
      kind: 'kernel-ridge',
      kernels: ['linear'],
      gammas: [1],
      penalties: [0.3],
      ...shared,
    });
    const plain = ridge({ kind: 'ridge', penalties: [0.3], ...shared });
    const a = await (await kernel.fit(training, context())).predict(fresh);
    const b = await (await plain.fit(training, context())).predict(fresh);
    for (const [row, targets] of a.entries())
      expect(targets.total).toBeCloseTo(b[row]?.total ?? Number.NaN, 6);
  });
});

describe.each([
  ['ridge', linear],
  ['kernel ridge', radial],
])('%s as an estimator', (name, estimator) => {
  it('predicts the same after being written and read', async () => {
    const model = await estimator.fit(linearTask(40, 6, 1), context());
    const fresh = matrix(10, 6, 2);
    const place = join(folder, name);
    mkdirSync(place, { recursive: true });
    await model.write(place);
    expect(await (await estimator.read(place)).predict(fresh)).toEqual(await model.predict(fresh));
  });

  it('records every setting it tried and takes the best', async () => {
    const lines: MetricLine[] = [];
    await estimator.fit(linearTask(40, 6, 1), context(lines));
    // One line a penalty, with one score for each kernel and width.
    const curves = estimator === linear ? 1 : 7;
    expect(lines.map((line) => line.penalty)).toEqual(estimator === linear ? [1e-4, 1e-2, 1] : [1e-3, 1e-1]);
    for (const { penalty: _, ...scores } of lines) {
      expect(Object.keys(scores)).toHaveLength(curves);
      for (const score of Object.values(scores)) expect(score).toBeLessThanOrEqual(1);
    }
  });

  it('gives physical masses even far from everything it was trained on', async () => {
    const model = await estimator.fit(linearTask(40, 6, 1), context());
    const odd = {
      rows: 2,
      columns: 6,
      data: Float64Array.from({ length: 12 }, (_, i) => (i < 6 ? -1e9 : 1e9)),
    };
    for (const targets of await model.predict(odd)) expect(isPhysical(targets, 1e-6)).toBe(true);
  });

  it('ignores a feature that never changes', async () => {
    const training = linearTask(40, 6, 1);
    const data = training.inputs.data.map((value, at) => (at % 6 === 5 ? 3 : value));
    const model = await estimator.fit({ ...training, inputs: { ...training.inputs, data } }, context());
    for (const targets of await model.predict(matrix(5, 6, 4))) expect(isPhysical(targets, 1e-9)).toBe(true);
  });

  it('fits a single session without anything to validate on', async () => {
    const training = { ...linearTask(10, 3, 1), groups: new Array<string>(10).fill('one') };
    const model = await estimator.fit(training, context());
    expect(await model.predict(training.inputs)).toHaveLength(10);
  });

  it('refuses features of another width, and the file of another estimator', async () => {
    const model = await estimator.fit(linearTask(40, 6, 1), context());
    await expect(model.predict(matrix(2, 5, 1))).rejects.toThrow(
      /have 5 columns, but the model was trained on 6/,
    );
    const place = join(folder, `${name} alone`);
    mkdirSync(place, { recursive: true });
    await model.write(place);
    const other = estimator === linear ? radial : linear;
    await expect(other.read(place)).rejects.toThrow(/is a .*ridge model, not/);
  });
});
