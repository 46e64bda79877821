import { describe, expect, it } from 'vitest';
import { gradients, pullBack } from '../../../src/tensor/autodiff/gradients.ts';
import { constant, input, parameter } from '../../../src/tensor/graph/leaves.ts';
import type { Tensor } from '../../../src/tensor/graph/operator.ts';
import { operationsBefore } from '../../../src/tensor/graph/traverse.ts';
import { tanh } from '../../../src/tensor/operators/activation.ts';
import { add, multiply } from '../../../src/tensor/operators/elementwise.ts';
import { linear } from '../../../src/tensor/operators/matmul.ts';
import { mean, sum } from '../../../src/tensor/operators/reduction.ts';
import { sampleGrid } from '../../../src/tensor/operators/resampling.ts';

const weight = (name: string, shape: number[]) =>
  parameter(
    name,
    { shape },
    { from: 'generator', generate: () => new Float32Array(shape.reduce((a, b) => a * b, 1)) },
  );

describe('gradients', () => {
  it('compute nothing for what is not asked for', () => {
    const x = input('x', [5, 4]);
    const first = weight('first', [4, 4]);
    const last = weight('last', [3, 4]);
    const deep = linear(tanh(linear(x, first)), last);
    const loss = mean(multiply(deep, deep));
    const products = (sources: Tensor[]): number =>
      operationsBefore(gradients(loss, sources)).filter(({ operator }) => operator.name === 'matmul').length;
    expect(products([last])).toBe(1);
    expect(products([first])).toBe(2);
    expect(products([first, last])).toBe(3);
  });

  it('reach a depth that would overflow the call stack', () => {
    const x = input('x', []);
    let y: Tensor = x;
    for (let i = 0; i < 20_000; i++) y = add(y, x);
    expect(gradients(y, [x])).toHaveLength(1);
  });

  it('need a scalar, a source that matters, and operators that have one', () => {
    const x = input('image', [1, 2, 3, 3]);
    const grid = input('grid', [1, 2, 2, 2]);
    expect(() => gradients(x, [x])).toThrow('gradients need a scalar, not image float32[1, 2, 3, 3]');
    expect(() => gradients(sum(x), [grid])).toThrow(/grid float32\[1, 2, 2, 2\] does not influence/);
    expect(() => gradients(sum(sampleGrid(x, grid)), [x])).toThrow(/sampleGrid has no gradient/);
    expect(() => pullBack(x, constant(1), [x])).toThrow(/does not fit image/);
  });
});

describe('leaves', () => {
  it('are checked when they are made', () => {
    expect(() => constant([1, 2], [3])).toThrow('2 values do not fill [3]');
    expect(() =>
      parameter('ids', { shape: [2], dtype: 'int64' }, { from: 'array', values: new BigInt64Array(2) }),
    ).toThrow(/cannot be trained/);
    expect(() => parameter('w', { shape: [3] }, { from: 'array', values: new Float32Array(2) })).toThrow(
      /w: 2 values/,
    );
  });
});
