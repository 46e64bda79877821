import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { randomStream } from '../../../src/ground/random.ts';
import type { MetricLine } from '../../../src/learning/estimator.ts';
import { weightedR2 } from '../../../src/pasture/metric.ts';
import { isPhysical, targetsFromComponents } from '../../../src/pasture/physics.ts';
import { rowEstimatorOf } from '../../../src/recipes/registry.ts';
import { DESCRIPTOR_NAMES, viewColumns } from '../../../src/vision/descriptors/index.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { fitRows, predictRows, type TaughtRows } from '../../support/training-rows.ts';
import { resolveRecipe } from '../../support/written-settings.ts';

const folder = temporaryFolder('view-average');
const width = DESCRIPTOR_NAMES.length;

/** Descriptors of noise in which one value of the contrast view tells the mass. */
function task(rows: number, seed: number): TaughtRows {
  const random = randomStream(seed);
  const data = Float64Array.from({ length: rows * width }, () => random.normal());
  const telling = viewColumns('contrast')[3] ?? 0;
  return {
    inputs: { rows, columns: width, data },
    targets: Array.from({ length: rows }, (_, row) =>
      targetsFromComponents({ green: 60 + 15 * (data[row * width + telling] ?? 0), dead: 5, clover: 5 }),
    ),
    groups: Array.from({ length: rows }, (_, row) => `session ${row % 8}`),
  };
}

async function estimatorWith(...changes: string[]) {
  const { estimator } = await resolveRecipe('descriptor-ridge', changes);
  return rowEstimatorOf(estimator);
}

describe('the mean of views', () => {
  it('uses the columns of each view, and only those', async () => {
    const estimator = await estimatorWith();
    const model = await fitRows(estimator, task(80, 1), { random: randomStream(1), record: () => {} });
    const fresh = task(40, 2);
    const before = await predictRows(model, fresh.inputs);
    expect(weightedR2(fresh.targets, before)).toBeGreaterThan(0.5);
    const used = new Set((['contrast', 'form', 'scatter'] as const).flatMap(viewColumns));
    const data = fresh.inputs.data.map((value, at) => (used.has(at % width) ? value : 99));
    expect(await predictRows(model, { ...fresh.inputs, data })).toEqual(before);
  });

  it('is the weighted mean of its members', async () => {
    const members = (weights: readonly [number, number][]): string =>
      `estimator.members=${JSON.stringify(
        weights.map(([index, weight]) => ({
          view: index === 0 ? 'contrast' : 'form',
          weight,
          kernels: ['linear'],
          gammas: [1],
          penalties: [1],
        })),
      )}`;
    const training = task(60, 3);
    const fresh = task(10, 4).inputs;
    const context = { random: randomStream(1), record: () => {} };
    const predictWith = async (change: string) =>
      predictRows(await fitRows(await estimatorWith(change), training, context), fresh);
    const contrast = await predictWith(members([[0, 1]]));
    const form = await predictWith(members([[1, 1]]));
    const both = await predictWith(
      members([
        [0, 3],
        [1, 1],
      ]),
    );
    both.forEach(({ green }, row) => {
      expect(green).toBeCloseTo(0.75 * (contrast[row]?.green ?? 0) + 0.25 * (form[row]?.green ?? 0), 6);
    });
  });

  it('predicts the same after being written and read, and records a curve a view', async () => {
    const estimator = await estimatorWith();
    const lines: MetricLine[] = [];
    const model = await fitRows(estimator, task(40, 5), {
      random: randomStream(1),
      record: (line) => lines.push(line),
    });
    const place = join(folder, 'stored');
    mkdirSync(place, { recursive: true });
    await model.write(place);
    const fresh = task(6, 6).inputs;
    const predictions = await predictRows(model, fresh);
    expect(await predictRows(await estimator.read(place), fresh)).toEqual(predictions);
    for (const targets of predictions) expect(isPhysical(targets, 1e-9)).toBe(true);
    expect(new Set(lines.flatMap(Object.keys))).toEqual(
      new Set([
        'penalty',
        'weighted R², linear, contrast',
        'weighted R², laplacian γ 0.3, form',
        'weighted R², laplacian γ 0.3, scatter',
      ]),
    );
  });

  it('refuses features that are not descriptors', async () => {
    const training = task(10, 1);
    const narrow = { ...training, inputs: { rows: 10, columns: 3, data: new Float64Array(30) } };
    const estimator = await estimatorWith();
    await expect(fitRows(estimator, narrow, { random: randomStream(1), record: () => {} })).rejects.toThrow(
      /have 3 columns/,
    );
  });
});
