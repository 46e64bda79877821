import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { constant, input } from '../../../src/tensor/graph/leaves.ts';
import type { Tensor } from '../../../src/tensor/graph/operator.ts';
import * as tensor from '../../../src/tensor/index.ts';
import { add, multiply } from '../../../src/tensor/operators/elementwise.ts';
import { windowMerge, windowPartition } from '../../../src/tensor/operators/layout.ts';
import { checkGradients } from '../reference/check.ts';
import { seeds, shapes } from '../shapes.ts';

const EXPRESSIONS: Record<string, [shape: number[], map: (x: Tensor) => Tensor]> = {
  reshape: [[2, 3, 4], (x) => tensor.reshape(x, [4, -1])],
  transpose: [[2, 3, 4], (x) => tensor.transpose(x, [2, 0, 1])],
  swapAxes: [[2, 3, 4], (x) => tensor.swapAxes(x, 0, -1)],
  expand: [[3, 1], (x) => tensor.expand(x, [2, 3, 4])],
  flatten: [[2, 3, 4], (x) => tensor.flatten(x, 1)],
  insertAxis: [[2, 3], (x) => tensor.insertAxis(x, 1)],
  'concat with itself': [[2, 3], (x) => tensor.concat([x, multiply(x, 2), x], 1)],
  stack: [[2, 3], (x) => tensor.stack([x, multiply(x, x)], 1)],
  split: [[2, 6], (x) => multiply(...(tensor.splitEvenly(x, 2, 1) as [Tensor, Tensor]))],
  'split, parts unused': [[5, 2], (x) => tensor.split(x, [1, 2, 2], 0)[1] as Tensor],
  slice: [[4, 5], (x) => tensor.slice(x, { 0: [1, 3], 1: [-2, 5] })],
  select: [[2, 3, 4], (x) => tensor.select(x, 1, -1)],
  'gather with repeats': [[4, 3], (x) => tensor.gather(x, [1, 1, -1, 0, 1], 0)],
  'gather on an inner axis': [[2, 4, 3], (x) => tensor.gather(x, [3, 0], 1)],
  'gather by a table': [[5, 2], (x) => tensor.gather(x, constant([0, 4, 4, 1], [2, 2], 'int64'), 0)],
  'pad with a value': [[2, 3], (x) => tensor.pad(x, { 0: [1, 0], 1: [2, 1] }, 'constant', 5)],
  'pad by repeating': [[2, 3], (x) => tensor.pad(x, { 0: [1, 2], 1: [2, 1] }, 'edge')],
  'pad by mirroring': [[3, 4], (x) => tensor.pad(x, { 0: [2, 1], 1: [1, 3] }, 'reflect')],
  roll: [[4, 5], (x) => tensor.roll(x, { 0: -1, 1: 7 })],
  flip: [[2, 4], (x) => tensor.flip(x, 1)],
  strided: [[2, 5], (x) => tensor.strided(x, 1, 1, 2)],
  'windows there and back': [
    [2, 4, 6, 3],
    (x) => windowMerge(multiply(windowPartition(x, [2, 3]), windowPartition(x, [2, 3])), [2, 3], [4, 6]),
  ],
};

describe('gradient of a rearrangement', () => {
  it.each(Object.entries(EXPRESSIONS))('%s', async (_, [shape, map]) => {
    await checkGradients(map, [{ shape }], 11);
  });

  it('slice and pad undo each other for any shape', async () => {
    await fc.assert(
      fc.asyncProperty(shapes(3, 3), seeds, (shape, seed) => {
        const margins = Object.fromEntries(shape.map((_, axis) => [axis, [axis, 1] as const]));
        const back = Object.fromEntries(shape.map((length, axis) => [axis, [axis, axis + length] as const]));
        return checkGradients((x) => tensor.slice(tensor.pad(x, margins), back), [{ shape }], seed);
      }),
      { numRuns: 6 },
    );
  });

  it('concat of parts with different lengths', async () => {
    await checkGradients((a, b) => tensor.concat([a, b], -1), [{ shape: [2, 3] }, { shape: [2, 1] }], 12);
  });
});

describe('windows', () => {
  it('hold neighbouring pixels, row by row', () => {
    const x = input('x', [1, 4, 4, 1]);
    expect(windowPartition(x, [2, 2]).shape).toEqual([4, 4, 1]);
    expect(() => windowPartition(x, [3, 3])).toThrow(/3×3/);
  });
});

describe('a rearrangement that cannot be', () => {
  const x = input('x', [2, 3]);
  it('is refused', () => {
    expect(() => tensor.reshape(x, [4])).toThrow('x float32[2, 3] has no room for [4]');
    expect(() => tensor.reshape(x, [-1, 4])).toThrow(/no room/);
    expect(() => tensor.transpose(x, [0, 0])).toThrow(/no order/);
    expect(() => tensor.expand(x, [2, 4])).toThrow(/broadcast/);
    expect(() => tensor.concat([x, input('y', [3, 3])], 1)).toThrow(/y float32\[3, 3\] does not fit x/);
    expect(() => tensor.split(x, [1, 1], 1)).toThrow(/add up/);
    expect(() => tensor.slice(x, { 1: [2, 2] })).toThrow(/not within/);
    expect(() => tensor.slice(x, { 1: [0, 4] })).toThrow(/not within/);
    expect(() => tensor.gather(x, [3], 1)).toThrow(/index 3/);
    expect(() => tensor.pad(x, { 1: [3, 0] }, 'reflect')).toThrow(/does not suit/);
    expect(() => add(x, tensor.insertAxis(x, 5))).toThrow(/axis 5/);
  });
});
