import { existsSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pullBack } from '../../../src/tensor/autodiff/gradients.ts';
import { input, parameter } from '../../../src/tensor/graph/leaves.ts';
import type { Tensor } from '../../../src/tensor/graph/operator.ts';
import { operationsBefore } from '../../../src/tensor/graph/traverse.ts';
import { type ConvolutionOptions, convolution } from '../../../src/tensor/operators/convolution.ts';
import { add } from '../../../src/tensor/operators/elementwise.ts';
import { transpose } from '../../../src/tensor/operators/layout.ts';
import { averagePool, globalAveragePool, maxPool } from '../../../src/tensor/operators/pooling.ts';
import { mean } from '../../../src/tensor/operators/reduction.ts';
import { resize, sampleGrid } from '../../../src/tensor/operators/resampling.ts';
import { channelBlockHere } from '../../../src/tensor/program/channel-block.ts';
import { compile } from '../../../src/tensor/program/program.ts';
import { graphsFor } from '../precision/emitted.ts';
import { checkGradients, compareWithRuntime } from '../reference/check.ts';
import { evaluate } from '../reference/interpreter.ts';
import { seeds } from '../shapes.ts';

const upTo = (max: number) => fc.integer({ min: 1, max });

const setting = fc.record({
  batch: upTo(2),
  groups: upTo(3),
  depth: upTo(2),
  perGroup: upTo(2),
  size: fc.tuple(fc.integer({ min: 5, max: 8 }), fc.integer({ min: 5, max: 8 })),
  kernel: fc.tuple(upTo(3), upTo(3)),
  stride: fc.tuple(upTo(4), upTo(4)),
  dilation: fc.tuple(upTo(2), upTo(2)),
  padding: fc.constantFrom<'same' | 0 | 1>('same', 0, 1),
  bias: fc.boolean(),
});

describe('gradient of a convolution', () => {
  it('any stride (also beyond the kernel), dilation, groups, padding', async () => {
    await fc.assert(
      fc.asyncProperty(setting, seeds, (s, seed) => {
        const { stride, dilation, padding, groups } = s;
        return checkGradients(
          (x, w, b) => convolution(x, w, b, { stride, dilation, padding, groups }),
          [
            { shape: [s.batch, groups * s.depth, ...s.size] },
            { shape: [groups * s.perGroup, s.depth, ...s.kernel] },
            ...(s.bias ? [{ shape: [groups * s.perGroup] }] : []),
          ],
          seed,
        );
      }),
      { numRuns: 30 },
    );
  });

  it('depthwise, as ConvNeXt and EfficientNet use it', async () => {
    await checkGradients(
      (x, w) => convolution(x, w, undefined, { groups: 4, padding: 2 }),
      [{ shape: [2, 4, 6, 6] }, { shape: [4, 1, 5, 5] }],
      3,
    );
  });

  it('depthwise with a border wider than the kernel, uneven, or with a step', async () => {
    for (const options of [
      { padding: 3 },
      { padding: { top: 0, left: 2, bottom: 1, right: 0 } },
      { padding: 1, stride: 2 },
      { padding: 2, dilation: 2 },
    ]) {
      await checkGradients(
        (x, w) => convolution(x, w, undefined, { groups: 3, ...options }),
        [{ shape: [2, 3, 6, 7] }, { shape: [3, 1, 3, 2] }],
        6,
      );
    }
  });

  it('depthwise of as many channels as lie together in blocks, read with them last and first', async () => {
    for (const [size, options] of [
      [[3, 4], { padding: 3 }],
      [[4, 3], { padding: 'same', stride: 2 }],
      [[3, 3], { padding: 2, dilation: 2 }],
      [[3, 4], { padding: { top: 0, left: 2, bottom: 1, right: 0 } }],
    ] as const) {
      await checkGradients(
        (x, w, b) => {
          const maps = transpose(x, [0, 3, 1, 2]);
          const y = convolution(maps, w, b, { groups: 32, ...options });
          // Read with its channels last, and as it is.
          return add(transpose(y, [0, 2, 3, 1]), mean(y));
        },
        [{ shape: [1, ...size, 32] }, { shape: [32, 1, 3, 3] }, { shape: [32] }],
        8,
      );
    }
  });

  it('single pixels, and full kernels over batches with an uneven border or dilated', async () => {
    for (const [kernel, options] of [
      [[1, 1], {}],
      [[1, 1], { padding: 1 }],
      [[3, 2], { padding: { top: 2, left: 0, bottom: 1, right: 1 } }],
      [[2, 3], { padding: 1, dilation: [2, 1] }],
    ] as const) {
      await checkGradients(
        (x, w, b) => convolution(x, w, b, options),
        [{ shape: [3, 2, 5, 6] }, { shape: [4, 2, ...kernel] }, { shape: [4] }],
        7,
      );
    }
  });

  it('patches: kernel = stride', async () => {
    await checkGradients(
      (x, w, b) => convolution(x, w, b, { stride: 3 }),
      [{ shape: [2, 3, 6, 9] }, { shape: [5, 3, 3, 3] }, { shape: [5] }],
      4,
    );
  });
});

describe('operators that the gradient of a convolution takes', () => {
  const backward = (x: Tensor, w: Tensor, options: ConvolutionOptions): string[] => {
    const y = convolution(x, w, undefined, options);
    const forward = new Set(operationsBefore([y]));
    const order = operationsBefore(pullBack(y, input('g', y.shape), [x, w]));
    const names = order.flatMap((operation) => (forward.has(operation) ? [] : [operation.operator.name]));
    return names.filter((name) => /convolution|matmul/i.test(name)).sort();
  };
  const x = input('x', [2, 4, 8, 8]);

  it('one product for the weight, with or without a stride', () => {
    const spread = 'transposedConvolution';
    expect(backward(x, input('w', [6, 4, 1, 1]), {})).toEqual(['convolution', 'matmul']);
    expect(backward(x, input('w', [6, 4, 3, 3]), { padding: 1 })).toEqual(['matmul', spread]);
    expect(backward(x, input('w', [6, 4, 2, 2]), { stride: 2 })).toEqual(['matmul', spread]);
  });

  it('no transposed convolution for a dense depthwise one', () => {
    const w = input('w', [4, 1, 3, 3]);
    // The other one's product is that of the weight.
    expect(backward(x, w, { groups: 4, padding: 1 })).toEqual(['convolution', 'matmul']);
    expect(backward(x, w, { groups: 4, padding: 1, stride: 2 })).toContain('transposedConvolution');
  });
});

describe('a depthwise convolution of 32 channels', () => {
  const x = input('x', [1, 6, 6, 32]);
  const shape = [32, 1, 3, 3];
  const nodesOf = async (weight: Tensor): Promise<string[]> => {
    const y = convolution(transpose(x, [0, 3, 1, 2]), weight, undefined, { groups: 32, padding: 1 });
    const [graph] = await graphsFor({}, (options) =>
      compile({ outputs: { y: transpose(y, [0, 2, 3, 1]) } }, options),
    );
    return (graph?.node ?? []).map(({ opType }) => opType).filter((opType) => opType !== 'SequenceEmpty');
  };

  it('goes the way of ONNX Runtime’s own convolutions where its weight is fed, and is left to it elsewhere', async () => {
    const block = await channelBlockHere();
    const fed = await nodesOf(input('w', shape));
    if (block !== undefined) {
      const copies = ['Reshape', 'Transpose', 'Reshape'];
      expect(fed).toEqual([...copies, 'ReorderInput', 'Conv', 'ReorderOutput']);
    }
    const own = parameter('w', { shape, trainable: false }, { from: 'zeros' });
    expect(await nodesOf(own)).toEqual(['Transpose', 'Conv', 'Transpose']);
  });

  it('finds the blocks of this processor, 16 channels with AVX-512', async () => {
    const flags = existsSync('/proc/cpuinfo') ? readFileSync('/proc/cpuinfo', 'utf8') : '';
    if (process.arch !== 'x64' || flags === '') return;
    expect(await channelBlockHere()).toBe(/\bavx512f\b/.test(flags) ? 16 : 8);
  });
});

describe('gradient of pooling', () => {
  it('largest and mean, with stride, padding and uncounted borders', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.tuple(upTo(2), upTo(2), fc.integer({ min: 4, max: 6 }), fc.integer({ min: 4, max: 6 })),
        fc.tuple(upTo(3), upTo(3)),
        fc.tuple(upTo(3), upTo(3)),
        fc.constantFrom('max', 'counted', 'uncounted'),
        fc.boolean(),
        seeds,
        (shape, kernel, stride, kind, padded, seed) => {
          const padding = padded && kernel.every((k) => k > 1) ? 1 : 0;
          return checkGradients(
            (x) =>
              kind === 'max'
                ? maxPool(x, kernel, { stride, padding })
                : averagePool(x, kernel, { stride, padding, countBorder: kind === 'counted' }),
            [{ shape }],
            seed,
          );
        },
      ),
      { numRuns: 20 },
    );
    await checkGradients(globalAveragePool, [{ shape: [2, 3, 4, 5] }], 5);
  });
});

describe('gradient of resizing', () => {
  it('bilinear and bicubic, with and without antialiasing, up and down', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.tuple(upTo(7), upTo(7)),
        fc.tuple(upTo(9), upTo(9)),
        fc.constantFrom<'bilinear' | 'bicubic'>('bilinear', 'bicubic'),
        fc.boolean(),
        seeds,
        (from, to, mode, antialias, seed) =>
          checkGradients((x) => resize(x, to, { mode, antialias }), [{ shape: [1, 2, ...from] }], seed),
      ),
      { numRuns: 25 },
    );
  });
});

describe('grid sampling', () => {
  it.each([true, false])(
    'reads between pixels, zeros outside (corners aligned: %s)',
    async (alignCorners) => {
      const x = input('x', [2, 3, 4, 5]);
      const grid = input('grid', [2, 3, 2, 2]);
      const y = sampleGrid(x, grid, { alignCorners });
      const pixels = Float32Array.from({ length: 120 }, (_, i) => Math.sin(i));
      const places = Float32Array.from({ length: 24 }, (_, i) => 1.2 * Math.cos(3 * i));
      const known = new Map([
        [x, { shape: x.shape, data: Float64Array.from(pixels) }],
        [grid, { shape: grid.shape, data: Float64Array.from(places) }],
      ]);
      await compareWithRuntime([y], [x, grid], [pixels, places], evaluate([y], known));
    },
  );
});

describe('a window that does not fit', () => {
  const x = input('image', [1, 4, 3, 3]);
  it('is refused with both shapes', () => {
    expect(() => convolution(x, input('conv.weight', [2, 3, 1, 1]))).toThrow(
      /conv.weight float32\[2, 3, 1, 1\]/,
    );
    expect(() => convolution(x, input('w', [2, 4, 5, 5]))).toThrow(/5×5 window does not fit image/);
    expect(() => convolution(x, input('w', [3, 2, 1, 1]), undefined, { groups: 2 })).toThrow(/2 groups/);
    expect(() => maxPool(x, 2, { padding: 2 })).toThrow(/smaller than/);
    expect(() => convolution(x, input('w', [2, 4, 1, 1]), undefined, { stride: 0 })).toThrow(/does not fit/);
  });
});
