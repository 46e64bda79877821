import { describe, expect, it } from 'vitest';
import { besideCovariates, covariateKernel } from '../../../src/estimators/kernel/covariate-kernel.ts';
import { innerProducts, kernelMatrix } from '../../../src/estimators/kernel/kernels.ts';
import type { Matrix } from '../../../src/ground/matrix.ts';
import { randomStream } from '../../../src/ground/random.ts';

function normal(rows: number, columns: number, seed: number): Matrix {
  const random = randomStream(seed);
  return { rows, columns, data: Float64Array.from({ length: rows * columns }, () => random.normal()) };
}

describe('the kernel of a wide network', () => {
  it('is the mean over random units of what their two layers learn', () => {
    const photos = normal(5, 3, 1);
    const kernel = kernelMatrix('relu', 1, innerProducts(photos, photos));
    const units = 200_000;
    const random = randomStream(2);
    const sums = new Float64Array(25);
    for (let unit = 0; unit < units; unit++) {
      const weights = [random.normal(), random.normal(), random.normal()];
      const active = Array.from({ length: 5 }, (_, photo) =>
        Math.max(
          0,
          weights.reduce((sum, weight, at) => sum + weight * (photos.data[photo * 3 + at] ?? 0), 0),
        ),
      );
      for (let at = 0; at < 25; at++) {
        const [left, right] = [Math.floor(at / 5), at % 5];
        const both = active[left] && active[right] ? 1 : 0;
        const product = [0, 1, 2].reduce(
          (sum, column) =>
            sum + (photos.data[left * 3 + column] ?? 0) * (photos.data[right * 3 + column] ?? 0),
          0,
        );
        // The outer layer learns by activations, the inner by inputs of active units; both scaled to E relu² = ½.
        sums[at] = (sums[at] ?? 0) + (2 * ((active[left] ?? 0) * (active[right] ?? 0) + both * product)) / 3;
      }
    }
    for (const [at, sum] of sums.entries()) expect(kernel.data[at]).toBeCloseTo(sum / units, 1);
  });

  it('grows in proportion to a photo, and is nothing where a photo is', () => {
    const [photos, others] = [normal(4, 6, 3), normal(3, 6, 4)];
    const tripled = { ...photos, data: photos.data.map((value) => 3 * value) };
    const once = kernelMatrix('relu', 1, innerProducts(photos, others)).data;
    const thrice = kernelMatrix('relu', 1, innerProducts(tripled, others)).data;
    for (const [at, value] of once.entries()) expect(thrice[at]).toBeCloseTo(3 * value, 10);
    const nothing = { ...photos, data: photos.data.map(() => 0) };
    expect([...kernelMatrix('relu', 1, innerProducts(nothing, others)).data].every((v) => v === 0)).toBe(
      true,
    );
  });

  it('takes covariates as further columns', () => {
    const [photos, heights] = [normal(6, 4, 5), normal(6, 1, 6)];
    const share = 0.2;
    const known = covariateKernel(heights, Array(6).fill(1), { covariateWeight: share / (1 - share) });
    if (!known) throw new Error('no covariates');
    const inner = innerProducts(photos, photos);
    const beside = besideCovariates('relu', 1, inner, known, heights);
    const joined = {
      rows: 6,
      columns: 5,
      data: Float64Array.from({ length: 30 }, (_, at) => {
        const [row, column] = [Math.floor(at / 5), at % 5];
        return column < 4
          ? Math.sqrt(((1 - share) * 5) / 4) * (photos.data[row * 4 + column] ?? 0)
          : Math.sqrt(share * 5) * (known.support.data[row] ?? 0);
      }),
    };
    const expected = kernelMatrix('relu', 1, innerProducts(joined, joined));
    for (const [at, value] of expected.data.entries()) expect(beside.data[at]).toBeCloseTo(value, 10);
  });
});
