import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ShapeError } from '../../../src/ground/errors.ts';
import { compile, gradients, input, multiply, sum } from '../../../src/tensor/index.ts';
import { inverse, orderFrom, reorder } from '../../../src/vision/backbones/reorder.ts';

const permutations = fc.integer({ min: 1, max: 12 }).chain((count) =>
  fc.shuffledSubarray(
    Array.from({ length: count }, (_, i) => i),
    { minLength: count, maxLength: count },
  ),
);

describe('tokens in another order', () => {
  it('come to their places, come back, and take their gradients along', async () => {
    await fc.assert(
      fc.asyncProperty(permutations, async (from) => {
        const order = orderFrom(from);
        const x = input('x', [2, from.length, 3]);
        const weight = input('weight', x.shape);
        const there = reorder(x, order);
        const back = reorder(there, inverse(order));
        const [slope] = gradients(sum(multiply(there, weight)), [x]);
        if (slope === undefined) throw new Error('no gradient');
        const program = await compile({ outputs: { there, back, slope } }, { threads: 1 });
        const values = Float32Array.from({ length: 6 * from.length }, (_, i) => i + 1);
        const results = await program.run({ x: values, weight: values });
        await program.dispose();
        const at = (name: string, sample: number, token: number): unknown =>
          results[name]?.values[3 * (sample * from.length + token)];
        const original = (sample: number, token: number): number => 3 * (sample * from.length + token) + 1;
        for (const sample of [0, 1]) {
          from.forEach((source, place) => {
            expect(at('there', sample, place)).toBe(original(sample, source));
            expect(at('back', sample, place)).toBe(original(sample, place));
            expect(at('slope', sample, source)).toBe(original(sample, place));
          });
        }
      }),
      { numRuns: 15 },
    );
  });

  it('must be a permutation of as many tokens as there are', () => {
    expect(() => orderFrom([0, 0])).toThrow(ShapeError);
    expect(() => orderFrom([0, 2])).toThrow(ShapeError);
    expect(() => reorder(input('x', [1, 3, 2]), orderFrom([1, 0]))).toThrow(/has not 2 tokens/);
  });
});
