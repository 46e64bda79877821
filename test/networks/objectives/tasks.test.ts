import { describe, expect, it } from 'vitest';
import { classification } from '../../../src/networks/objectives/classification.ts';
import {
  type LinearTask,
  TARGETS,
  taskFeeds,
  WEIGHTS,
} from '../../../src/networks/objectives/linear-head.ts';
import { regression } from '../../../src/networks/objectives/regression.ts';
import { compile, input } from '../../../src/tensor/index.ts';
import type { BatchMix } from '../../../src/vision/augment/index.ts';

/** The loss a task's graph has for outputs of some photos in a batch of four. */
async function lossOf(
  task: LinearTask,
  items: readonly number[],
  outputs: readonly number[],
  mix?: BatchMix,
): Promise<number> {
  const [batch, { width, weightWidth }] = [4, task];
  const loss = task.loss(
    input('outputs', [batch, width]),
    input(TARGETS, [batch, width]),
    input(WEIGHTS, [batch, weightWidth]),
  );
  const program = await compile({ outputs: { loss } });
  // Rows that only fill the batch answer wildly, which must not matter.
  const full = Float32Array.from({ length: batch * width }, (_, at) => outputs[at] ?? 40 * ((at % 3) - 1));
  const result = await program.run({
    outputs: full,
    ...taskFeeds(task.labels(items, batch, mix)),
  });
  await program.dispose();
  return Number(result.loss?.values[0]);
}

const logSoftmax = (logits: readonly number[]): number[] => {
  const total = Math.log(logits.reduce((sum, value) => sum + Math.exp(value), 0));
  return logits.map((value) => value - total);
};

describe('telling classes apart', () => {
  const classOf = [2, 0, 1, 0];
  const logits = [0.3, -1, 2, 1.5, 0, -0.5];

  it('costs the cross entropy of the photos given, and nothing of the rows that fill the batch', async () => {
    const sharp = classification(classOf, 3, { labelSmoothing: 0 });
    const expected =
      -((logSoftmax([0.3, -1, 2])[2] as number) + (logSoftmax([1.5, 0, -0.5])[0] as number)) / 2;
    expect(await lossOf(sharp, [0, 1], logits)).toBeCloseTo(expected, 5);
  });

  it('spreads the smoothed share over all classes', async () => {
    const smoothed = classification(classOf, 3, { labelSmoothing: 0.3 });
    const [, , own] = logSoftmax([0.3, -1, 2]);
    const all = logSoftmax([0.3, -1, 2]).reduce((sum, value) => sum + value, 0);
    expect(await lossOf(smoothed, [0], logits.slice(0, 3))).toBeCloseTo(
      -(0.7 * (own as number) + 0.1 * all),
      5,
    );
  });

  it('mixes classes as the pictures were mixed', () => {
    const mix: BatchMix = { kind: 'mixup', partners: [1, 0, 2, 3], lambda: 0.75 };
    const { targets } = classification(classOf, 3, { labelSmoothing: 0 }).labels([0, 1], 4, mix);
    expect([...targets.subarray(0, 6)]).toEqual([0.25, 0, 0.75, 0.75, 0, 0.25]);
  });

  it('counts the likeliest class, and the five likeliest where there are more classes', () => {
    const seven = classification([6, 2, 0], 7, { labelSmoothing: 0 });
    const outputs = Float32Array.from([
      ...[0, 1, 2, 3, 4, 5, 6],
      ...[0, 1, 2, 3, 4, 5, 6],
      ...[0, 1, 2, 3, 4, 5, 6],
    ]);
    const { score, line } = seven.validation(outputs, [0, 1, 2], 0.5);
    expect(score).toBeCloseTo(1 / 3);
    expect(line).toEqual({
      'validation loss': 0.5,
      'validation top-1 accuracy': 1 / 3,
      'validation top-5 accuracy': 2 / 3,
    });
    const three = classification(classOf, 3, { labelSmoothing: 0 }).validation(
      Float32Array.from([0, 0, 0]),
      [0],
      1,
    );
    expect(three.score).toBe(0);
    expect(three.line).not.toHaveProperty('validation top-5 accuracy');
  });
});

describe('measured quantities', () => {
  const columns = [
    { name: 'height', mean: 10, deviation: 5 },
    { name: 'clover', mean: 0.5, deviation: 0.25 },
  ];
  const values = [
    [20, 0.25],
    [5, null],
    [15, 1],
  ];
  const objective = regression(values, columns, { beta: 1 });

  it('cost SmoothL1 of their deviations, of what was measured alone', async () => {
    // Deviations 2 and −1 of the first photo, −1 of the second, whose clover nobody measured.
    const errors = [1.5, 0.5, 1];
    const expected = errors.reduce((sum, error) => sum + (error < 1 ? error ** 2 / 2 : error - 0.5), 0) / 3;
    expect(await lossOf(objective, [0, 1], [0.5, -0.5, 0, 30])).toBeCloseTo(expected, 5);
    expect(objective.counted([0, 1])).toBe(3);
  });

  it('know nothing of a mixture of which one half was not measured', () => {
    const mix: BatchMix = { kind: 'mixup', partners: [1, 0, 2, 3], lambda: 0.5 };
    const { targets, weights } = objective.labels([0, 1], 4, mix);
    expect([...weights]).toEqual([4, 0, 4, 0, 0, 0, 0, 0]);
    expect(targets[0]).toBeCloseTo(0.5);
  });

  it('are scored by R² a column about the mean of the photos that validate', () => {
    // Height 20 and 15 for 20, 5 and 15; clover 0.5 and 0.75 for 0.25 and 1.
    const outputs = Float32Array.from([2, 0, -1, 9, 1, 1]);
    const { score, line } = objective.validation(outputs, [0, 1, 2], 0.1);
    expect(line?.['validation R² height']).toBeCloseTo(1);
    expect(line?.['validation R² clover']).toBeCloseTo(1 - (2 * 0.25 ** 2) / (2 * 0.375 ** 2));
    expect(score).toBeCloseTo((1 + (line?.['validation R² clover'] ?? 0)) / 2);
    expect(line?.[objective.scoreName]).toBe(score);
  });
});
