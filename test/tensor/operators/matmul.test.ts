import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { input } from '../../../src/tensor/graph/leaves.ts';
import type { Tensor } from '../../../src/tensor/graph/operator.ts';
import { attention } from '../../../src/tensor/operators/attention.ts';
import { adaptedLinear, linear, matmul } from '../../../src/tensor/operators/matmul.ts';
import { checkGradients } from '../reference/check.ts';
import { broadcastingPair, seeds } from '../shapes.ts';

const small = fc.integer({ min: 1, max: 4 });

describe('gradient of a product', () => {
  it('matmul: batched, broadcast, transposed, scaled', async () => {
    await fc.assert(
      fc.asyncProperty(
        broadcastingPair,
        fc.tuple(small, small, small),
        fc.boolean(),
        fc.boolean(),
        fc.boolean(),
        seeds,
        ([left, right], [m, k, n], transposeA, transposeB, flat, seed) =>
          checkGradients(
            (a, b) => matmul(a, b, { transposeA, transposeB, scale: seed % 2 ? 0.5 : 1 }),
            [
              { shape: [...left, ...(transposeA ? [k, m] : [m, k])] },
              { shape: [...(flat ? [] : right), ...(transposeB ? [n, k] : [k, n])] },
            ],
            seed,
          ),
      ),
      { numRuns: 25 },
    );
  });

  it.each([false, true])(
    'matmul: a small transposed factor of a wide product (other transposed: %s)',
    (transposeB) =>
      checkGradients(
        (a, b) => matmul(a, b, { transposeA: true, transposeB, scale: 0.5 }),
        [{ shape: [3, 5] }, { shape: transposeB ? [2048, 3] : [3, 2048] }],
        1,
      ),
  );

  it('matmul: a long transposed factor of a narrow product', () =>
    checkGradients(
      (a, b) => matmul(a, b, { transposeA: true, scale: 0.5 }),
      [{ shape: [3, 2048] }, { shape: [3, 5] }],
      1,
    ));

  it('linear: any leading axes, with and without bias', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(small, { maxLength: 3 }),
        small,
        small,
        fc.boolean(),
        seeds,
        (lead, width, out, withBias, seed) =>
          checkGradients(
            (x, w, b) => linear(x, w, b),
            [{ shape: [...lead, width] }, { shape: [out, width] }, ...(withBias ? [{ shape: [out] }] : [])],
            seed,
          ),
      ),
      { numRuns: 10 },
    );
  });

  it('linear with a low-rank addition to its weight', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(small, { maxLength: 2 }),
        fc.record({ width: small, out: small, rank: fc.integer({ min: 1, max: 2 }) }),
        fc.boolean(),
        seeds,
        (lead, { width, out, rank }, withBias, seed) =>
          checkGradients(
            (...operands) => {
              const [x, weight, down, up, bias] = operands as [Tensor, Tensor, Tensor, Tensor, Tensor?];
              return adaptedLinear(x, { weight, down, up, scale: 1.5 }, bias);
            },
            [
              ...[
                [...lead, width],
                [out, width],
                [rank, width],
                [out, rank],
              ].map((shape) => ({ shape })),
              ...(withBias ? [{ shape: [out] }] : []),
            ],
            seed,
          ),
      ),
      { numRuns: 6 },
    );
  });

  it('matmul: few rows of many columns over a long sum, as the gradient of an adapter', () =>
    checkGradients(
      (a, b) => matmul(a, b, { transposeA: true, scale: 0.5 }),
      [{ shape: [9, 2] }, { shape: [9, 7] }],
      3,
    ));

  it('attention: queries and keys of different number, with and without bias', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({ batch: small, heads: small, width: small, queries: small, keys: small }),
        fc.constantFrom('none', 'full', 'heads', 'keys'),
        seeds,
        ({ batch, heads, width, queries, keys }, kind, seed) => {
          const dim = heads * width;
          const shapes = {
            none: [],
            full: [{ shape: [batch, heads, queries, keys] }],
            heads: [{ shape: [1, heads, queries, keys] }],
            keys: [{ shape: [keys] }],
          };
          return checkGradients(
            (q, k, v, bias) => attention(q, k, v, { heads, ...(bias && { bias }) }),
            [
              { shape: [batch, queries, dim] },
              { shape: [batch, keys, dim] },
              { shape: [batch, keys, dim] },
              ...shapes[kind],
            ],
            seed,
          );
        },
      ),
      { numRuns: 15 },
    );
  });
});

describe('factors that do not fit', () => {
  it('are named with both shapes', () => {
    const x = input('tokens', [2, 5, 3]);
    expect(() => matmul(x, input('w', [4, 6]))).toThrow(/matmul: .*float32\[10, 3\] and w float32\[4, 6\]/);
    expect(() => linear(x, input('fc1.weight', [7, 4]))).toThrow(/fc1.weight float32\[7, 4\]/);
    expect(() => attention(x, x, x, { heads: 2 })).toThrow(/2 heads/);
    expect(() => matmul(x, input('v', [3]))).toThrow(/not a matrix/);
  });
});
