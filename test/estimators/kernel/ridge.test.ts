import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addToRows } from '../../../src/estimators/kernel/kernel-machine.ts';
import { kernelRidge } from '../../../src/estimators/kernel/kernel-ridge.ts';
import { innerProducts, kernelMatrix } from '../../../src/estimators/kernel/kernels.ts';
import { solveKernel } from '../../../src/estimators/kernel/leave-session-out.ts';
import { ridge } from '../../../src/estimators/kernel/ridge.ts';
import { openSafetensors, readTensor } from '../../../src/formats/safetensors/index.ts';
import { multiply } from '../../../src/ground/linear-algebra.ts';
import { type Matrix, takeColumns, takeRows } from '../../../src/ground/matrix.ts';
import { randomStream } from '../../../src/ground/random.ts';
import type { FitContext, MetricLine } from '../../../src/learning/estimator.ts';
import { weightedR2 } from '../../../src/pasture/metric.ts';
import { isPhysical, targetsFromComponents } from '../../../src/pasture/physics.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { fitRows, predictRows, type TaughtRows } from '../../support/training-rows.ts';

const folder = temporaryFolder('ridge');
const shared = { sessionWeight: 0.5, clip: 4 };
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
function linearTask(rows: number, columns: number, seed: number): TaughtRows {
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
      const model = await fitRows(linear, training, context());
      expect(weightedR2(fresh.targets, await predictRows(model, fresh.inputs))).toBeGreaterThan(0.99);
    }
  });

  it('minimises the penalised squares: no small change of a coefficient or the mean does better', async () => {
    const training = linearTask(24, 4, 5);
    const penalty = 0.7;
    const model = await fitRows(
      ridge({ kind: 'ridge', penalties: [penalty], sessionWeight: 0, clip: 100 }),
      training,
      context(),
    );
    const place = join(folder, 'optimum');
    mkdirSync(place, { recursive: true });
    await model.write(place);
    const file = await openSafetensors(join(place, 'model.safetensors'));
    const read = async (name: string): Promise<Float64Array> =>
      (await readTensor(file, name)) as Float64Array;
    const [mean, scale] = [await read('mean'), await read('scale')];
    const cost = (coefficients: Float64Array, intercept: Float64Array): number => {
      let sum = 0;
      training.targets.forEach(({ green, dead, clover }, row) => {
        [green, dead, clover].forEach((mass, target) => {
          let fit = intercept[target] ?? 0;
          for (let k = 0; k < 4; k++) {
            const z = ((training.inputs.data[row * 4 + k] ?? 0) - (mean[k] ?? 0)) * (scale[k] ?? 0);
            fit += z * (coefficients[k * 3 + target] ?? 0);
          }
          sum += (mass - fit) ** 2 / 4;
        });
      });
      return sum + penalty * coefficients.reduce((total, value) => total + value * value, 0);
    };
    const coefficients = await read('coefficients');
    const intercept = await read('intercept');
    const best = cost(coefficients, intercept);
    const moved = (values: Float64Array, index: number, step: number): Float64Array =>
      values.map((value, at) => (at === index ? value + step : value));
    for (const step of [1e-3, -1e-3]) {
      for (const index of coefficients.keys()) {
        expect(cost(moved(coefficients, index, step), intercept)).toBeGreaterThan(best);
      }
      for (const index of intercept.keys()) {
        expect(cost(coefficients, moved(intercept, index, step))).toBeGreaterThan(best);
      }
    }
  });
});

describe('leave-one-session-out in closed form', () => {
  it('equals fitting anew without each session', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 4, max: 14 }),
        fc.double({ min: 0.05, max: 5, noNaN: true }),
        fc.integer(),
        (rows, penalty, seed) => {
          const features = matrix(rows, 3, seed);
          const values = matrix(rows, 2, seed + 1);
          const sessions = Array.from({ length: rows }, (_, row) => `s${row % 3}`);
          const random = randomStream(seed + 2);
          const noise = sessions.map(() => penalty * (0.5 + random.uniform()));
          const kernel = kernelMatrix('rbf', 0.5, innerProducts(features, features));
          const closed = solveKernel(kernel, noise, values).withoutSessions(sessions);
          for (const session of new Set(sessions)) {
            const kept = sessions.map((_, row) => row).filter((row) => sessions[row] !== session);
            const held = sessions.map((_, row) => row).filter((row) => sessions[row] === session);
            const anew = solveKernel(
              takeColumns(takeRows(kernel, kept), kept),
              kept.map((row) => noise[row] ?? 0),
              takeRows(values, kept),
            );
            const across = takeColumns(takeRows(kernel, held), kept);
            const predicted = addToRows(multiply(across, anew.dual), anew.mean);
            held.forEach((row, index) => {
              for (let output = 0; output < 2; output++) {
                expect(closed.data[row * 2 + output]).toBeCloseTo(
                  predicted.data[index * 2 + output] ?? Number.NaN,
                  6,
                );
              }
            });
          }
        },
      ),
    );
  });

  it('cannot leave out the only session', () => {
    const one = { rows: 2, columns: 2, data: Float64Array.of(1, 0.5, 0.5, 1) };
    const solution = solveKernel(one, [0.1, 0.1], matrix(2, 1, 1));
    expect(() => solution.withoutSessions(['a', 'a'])).toThrow(/only session cannot be left out/);
  });

  it('refuses a system without a penalty that has no single solution', () => {
    const twins = { rows: 2, columns: 2, data: Float64Array.of(1, 1, 1, 1) };
    expect(() => solveKernel(twins, [0, 0], matrix(2, 1, 1))).toThrow(/singular; use a larger penalty/);
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
    const pick = (from: number, to: number): TaughtRows => ({
      inputs: { rows: to - from, columns: 2, data: inputs.data.slice(from * 2, to * 2) },
      targets: masses.slice(from, to),
      groups: masses.slice(from, to).map((_, row) => `s${row % 8}`),
    });
    const fresh = pick(80, 120);
    const curved = await predictRows(await fitRows(radial, pick(0, 80), context()), fresh.inputs);
    const straight = await predictRows(await fitRows(linear, pick(0, 80), context()), fresh.inputs);
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
    const a = await predictRows(await fitRows(kernel, training, context()), fresh);
    const b = await predictRows(await fitRows(plain, training, context()), fresh);
    for (const [row, targets] of a.entries())
      expect(targets.total).toBeCloseTo(b[row]?.total ?? Number.NaN, 6);
  });
});

describe.each([
  ['ridge', linear],
  ['kernel ridge', radial],
])('%s as an estimator', (name, estimator) => {
  it('predicts the same after being written and read', async () => {
    const model = await fitRows(estimator, linearTask(40, 6, 1), context());
    const fresh = matrix(10, 6, 2);
    const place = join(folder, name);
    mkdirSync(place, { recursive: true });
    await model.write(place);
    expect(await predictRows(await estimator.read(place), fresh)).toEqual(await predictRows(model, fresh));
  });

  it('records every setting it tried and takes the best', async () => {
    const lines: MetricLine[] = [];
    await fitRows(estimator, linearTask(40, 6, 1), context(lines));
    // One line a penalty, with one score for each kernel and width.
    const curves = estimator === linear ? 1 : 7;
    expect(lines.map((line) => line.penalty)).toEqual(estimator === linear ? [1e-4, 1e-2, 1] : [1e-3, 1e-1]);
    for (const { penalty: _, ...scores } of lines) {
      expect(Object.keys(scores)).toHaveLength(curves);
      for (const score of Object.values(scores)) expect(score).toBeLessThanOrEqual(1);
    }
  });

  it('gives physical masses even far from everything it was trained on', async () => {
    const model = await fitRows(estimator, linearTask(40, 6, 1), context());
    const odd = {
      rows: 2,
      columns: 6,
      data: Float64Array.from({ length: 12 }, (_, i) => (i < 6 ? -1e9 : 1e9)),
    };
    for (const targets of await predictRows(model, odd)) expect(isPhysical(targets, 1e-6)).toBe(true);
  });

  it('ignores a feature that never changes', async () => {
    const training = linearTask(40, 6, 1);
    const data = training.inputs.data.map((value, at) => (at % 6 === 5 ? 3 : value));
    const model = await fitRows(estimator, { ...training, inputs: { ...training.inputs, data } }, context());
    for (const targets of await predictRows(model, matrix(5, 6, 4)))
      expect(isPhysical(targets, 1e-9)).toBe(true);
  });

  it('fits a single session without anything to validate on', async () => {
    const training = { ...linearTask(10, 3, 1), groups: new Array<string>(10).fill('one') };
    const model = await fitRows(estimator, training, context());
    expect(await predictRows(model, training.inputs)).toHaveLength(10);
  });

  it('refuses features of another width, and the file of another estimator', async () => {
    const model = await fitRows(estimator, linearTask(40, 6, 1), context());
    await expect(predictRows(model, matrix(2, 5, 1))).rejects.toThrow(
      /have 5 columns, but the model was trained on 6/,
    );
    const place = join(folder, `${name} alone`);
    mkdirSync(place, { recursive: true });
    await model.write(place);
    const other = estimator === linear ? radial : linear;
    await expect(other.read(place)).rejects.toThrow(/is a .*ridge model, not/);
  });
});
