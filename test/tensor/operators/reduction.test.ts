import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { randomStream } from '../../../src/ground/random.ts';
import { gradients } from '../../../src/tensor/autodiff/gradients.ts';
import { constant, input } from '../../../src/tensor/graph/leaves.ts';
import type { Tensor } from '../../../src/tensor/graph/operator.ts';
import { gateMaps } from '../../../src/tensor/operators/gating.ts';
import * as normalisation from '../../../src/tensor/operators/normalisation.ts';
import * as reduction from '../../../src/tensor/operators/reduction.ts';
import { compile } from '../../../src/tensor/program/program.ts';
import { checkGradients } from '../reference/check.ts';
import { seeds, shapes } from '../shapes.ts';

const REDUCTIONS = {
  sum: reduction.sum,
  mean: reduction.mean,
  max: reduction.max,
  min: reduction.min,
  sumOfSquares: reduction.sumOfSquares,
  logSumExp: reduction.logSumExp,
  variance: reduction.variance,
};

const shapeAndAxes = shapes(4, 3).chain((shape) =>
  fc.record({
    shape: fc.constant(shape),
    axes: fc.uniqueArray(fc.integer({ min: -shape.length, max: shape.length - 1 }), {
      minLength: 1,
      maxLength: shape.length,
      selector: (axis) => (axis + shape.length) % shape.length,
    }),
    keepAxes: fc.boolean(),
  }),
);

describe('gradient of a reduction', () => {
  it.each(Object.entries(REDUCTIONS))('%s over some axes', async (_, reduce) => {
    await fc.assert(
      fc.asyncProperty(shapeAndAxes, seeds, ({ shape, axes, keepAxes }, seed) =>
        checkGradients((x) => reduce(x, { axes, keepAxes }), [{ shape }], seed),
      ),
      { numRuns: 8 },
    );
  });

  it.each(Object.entries(REDUCTIONS))('%s over all of them', async (_, reduce) => {
    await checkGradients((x) => reduce(x), [{ shape: [3, 1, 2] }], 5);
  });

  it('unbiased variance', async () => {
    await checkGradients((x) => reduction.variance(x, { axes: [0], correction: 1 }), [{ shape: [4, 3] }], 6);
  });

  it('l2Normalize', async () => {
    await fc.assert(
      fc.asyncProperty(shapes(), seeds, (shape, seed) =>
        checkGradients((x) => reduction.l2Normalize(x), [{ shape, draw: (r) => 1 + r.uniform() }], seed),
      ),
      { numRuns: 5 },
    );
  });

  it('shares the gradient of a tie as torch does', async () => {
    const twice = (x: Tensor): Tensor => reduction.sum(reduction.max(x, { axes: [0] }));
    const x = input('x', [3]);
    const [gradient] = gradients(twice(x), [x]);
    const program = await compile({ outputs: { gradient: gradient as Tensor } });
    const result = await program.run({ x: Float32Array.of(2, 1, 2) });
    expect(result.gradient?.values).toEqual(Float32Array.of(0.5, 0, 0.5));
    await program.dispose();
  });
});

describe('gradient of a normalisation', () => {
  const axisOf = shapes(3, 4).chain((shape) =>
    fc.record({ shape: fc.constant(shape), axis: fc.integer({ min: -shape.length, max: shape.length - 1 }) }),
  );

  it.each([
    ['softmax', normalisation.softmax],
    ['logSoftmax', normalisation.logSoftmax],
  ] as const)('%s', async (_, map) => {
    await fc.assert(
      fc.asyncProperty(axisOf, seeds, ({ shape, axis }, seed) =>
        checkGradients((x) => map(x, axis), [{ shape, draw: (r) => 2 * r.normal() }], seed),
      ),
      { numRuns: 6 },
    );
  });

  it('layerNorm, with its weight and bias', async () => {
    await fc.assert(
      fc.asyncProperty(shapes(2, 3), fc.integer({ min: 2, max: 7 }), seeds, (lead, width, seed) =>
        checkGradients(
          (x, w, b) => normalisation.layerNorm(x, w, b, 1e-3),
          [{ shape: [...lead, width] }, { shape: [width] }, { shape: [width] }],
          seed,
        ),
      ),
      { numRuns: 6 },
    );
    await checkGradients((x) => normalisation.layerNorm(x), [{ shape: [2, 6] }], 3);
  });

  const channels = (n: number) => ({ shape: [n] });
  const spread = (n: number) => ({ shape: [n], draw: (r: { uniform(): number }) => 0.5 + r.uniform() });

  it('batchNorm with stored statistics', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 3 }), shapes(2, 3), seeds, (n, rest, seed) =>
        checkGradients(
          (x, weight, bias) => {
            const mean = constant(Array.from({ length: n }, (_, c) => 0.3 * c - 0.2));
            const variance = constant(Array.from({ length: n }, (_, c) => 0.5 + c));
            return normalisation.batchNorm(x, { weight, bias, mean, variance }, 1e-3);
          },
          [{ shape: [2, n, ...rest] }, spread(n), channels(n)],
          seed,
        ),
      ),
      { numRuns: 6 },
    );
  });

  it('batchNorm with the statistics of the batch', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 3 }), shapes(2, 3), seeds, (n, rest, seed) =>
        checkGradients(
          (x, weight, bias) => {
            const state = { weight, bias, mean: bias, variance: bias };
            return normalisation.batchNormTraining(x, state, 1e-2).output;
          },
          [{ shape: [3, n, ...rest] }, spread(n), channels(n)],
          seed,
        ),
      ),
      { numRuns: 5 },
    );
  });
});

describe('batch normalisation by the batch', () => {
  it('keeps its digits where the mean is a thousand deviations from zero', async () => {
    const random = randomStream(8);
    const [batch, channels, pixels] = [2, 3, 500];
    const count = batch * pixels;
    const values = Float32Array.from({ length: channels * count }, () => 1000 + random.normal());
    const x = input('x', [batch, channels, pixels]);
    const of = (value: number): Tensor => constant(new Array(channels).fill(value));
    const state = { weight: of(1), bias: of(0), mean: of(0), variance: of(1) };
    const { output, mean, variance } = normalisation.batchNormTraining(x, state, 0, 1);
    const program = await compile({ outputs: { output, mean, variance } });
    const results = await program.run({ x: values });
    await program.dispose();
    for (let channel = 0; channel < channels; channel++) {
      const mine = [...values.keys()].filter((at) => Math.floor(at / pixels) % channels === channel);
      const numbers = mine.map((at) => values[at] as number);
      const centre = numbers.reduce((a, b) => a + b) / count;
      const spread = numbers.reduce((total, v) => total + (v - centre) ** 2, 0);
      expect(results.mean?.values[channel]).toBeCloseTo(centre, 3);
      expect(results.variance?.values[channel]).toBeCloseTo(spread / (count - 1), 4);
      for (const at of mine.slice(0, 5)) {
        const normal = ((values[at] as number) - centre) / Math.sqrt(spread / count);
        expect(results.output?.values[at]).toBeCloseTo(normal, 3);
      }
    }
  });
});

describe('maps times a number each', () => {
  it('have the gradients of a product, those of the numbers without a map in between', () =>
    checkGradients((x, gate) => gateMaps(x, gate), [{ shape: [2, 3, 4, 5] }, { shape: [2, 3, 1, 1] }], 7));

  it('are refused where there is not one number a map', () => {
    const x = input('x', [2, 3, 4, 5]);
    expect(() => gateMaps(x, input('gate', [1, 3, 1, 1]))).toThrow(
      /gate float32\[1, 3, 1, 1\] has not one number/,
    );
  });
});

describe('what cannot be reduced', () => {
  const x = input('x', [2, 3]);

  it('is refused: no axes, a missing axis, an axis twice, too few elements', () => {
    expect(() => reduction.sum(x, { axes: [] })).toThrow(/no axis given/);
    expect(() => reduction.mean(x, { axes: [2] })).toThrow(/axis 2 does not exist/);
    expect(() => reduction.max(x, { axes: [1, -1] })).toThrow(/twice/);
    expect(() => reduction.variance(input('y', [1]), { correction: 1 })).toThrow(/too few/);
    expect(() => reduction.sum(input('i', [2], 'int64'))).toThrow(/floating/);
  });

  it('parameters of a norm must have its width', () => {
    expect(() => normalisation.layerNorm(x, input('norm.weight', [4]))).toThrow(
      'norm.weight float32[4] does not fit x float32[2, 3]',
    );
  });
});
