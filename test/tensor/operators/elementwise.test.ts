import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { input, type Tensor } from '../../../src/tensor/graph/tensor.ts';
import * as activations from '../../../src/tensor/operators/activation.ts';
import * as arithmetic from '../../../src/tensor/operators/arithmetic.ts';
import { cast, stopGradient } from '../../../src/tensor/operators/cast.ts';
import * as comparisons from '../../../src/tensor/operators/comparison.ts';
import { dropWith } from '../../../src/tensor/operators/dropout.ts';
import * as elementwise from '../../../src/tensor/operators/elementwise.ts';
import { checkGradients, type Operand } from '../reference/check.ts';
import { broadcastingPair, seeds, shapes } from '../shapes.ts';

type Draw = NonNullable<Operand['draw']>;

const positive: Draw = (random) => 0.3 + 2 * random.uniform();
/** Away from 0, where some have a kink. */
const offZero: Draw = (random) => (random.uniform() < 0.5 ? -1 : 1) * (0.05 + 2 * random.uniform());
const wide: Draw = (random) => 3 * random.normal();

const UNARY: Record<string, [map: (x: Tensor) => Tensor, draw: Draw]> = {
  negate: [elementwise.negate, wide],
  absolute: [elementwise.absolute, offZero],
  exponential: [elementwise.exponential, (random) => random.normal()],
  log: [elementwise.log, positive],
  squareRoot: [elementwise.squareRoot, positive],
  inverseSquareRoot: [elementwise.inverseSquareRoot, positive],
  sine: [elementwise.sine, wide],
  cosine: [elementwise.cosine, wide],
  errorFunction: [elementwise.errorFunction, wide],
  tanh: [activations.tanh, wide],
  sigmoid: [activations.sigmoid, wide],
  softplus: [activations.softplus, wide],
  relu: [activations.relu, offZero],
  silu: [activations.silu, wide],
  gelu: [activations.gelu, wide],
  geluTanh: [activations.geluTanh, wide],
  square: [arithmetic.square, wide],
  clamp: [(x) => arithmetic.clamp(x, -0.7, 0.8), wide],
  'power of 3': [(x) => arithmetic.power(x, 3), offZero],
  'power of 0.5': [(x) => arithmetic.power(x, 0.5), positive],
  'a number minus it': [(x) => arithmetic.subtract(2, x), wide],
  'a number over it': [(x) => arithmetic.divide(2, x), offZero],
  'used three times': [(x) => arithmetic.add(arithmetic.multiply(x, x), x), wide],
  'cast there and back': [(x) => cast(cast(x, 'float64'), 'float32'), wide],
};

describe('gradient of an elementwise operator', () => {
  it.each(Object.entries(UNARY))('%s', async (_, [map, draw]) => {
    await fc.assert(
      fc.asyncProperty(shapes(), seeds, (shape, seed) => checkGradients(map, [{ shape, draw }], seed)),
      { numRuns: 10 },
    );
  });
});

const BINARY: Record<string, [map: (a: Tensor, b: Tensor) => Tensor, left: Draw, right: Draw]> = {
  add: [arithmetic.add, wide, wide],
  subtract: [arithmetic.subtract, wide, wide],
  multiply: [arithmetic.multiply, wide, wide],
  divide: [arithmetic.divide, wide, offZero],
  power: [arithmetic.power, positive, wide],
  maximum: [arithmetic.maximum, wide, wide],
  minimum: [arithmetic.minimum, wide, wide],
  where: [(a, b) => comparisons.where(comparisons.greater(a, b), a, arithmetic.multiply(b, 3)), wide, wide],
};

describe('gradient of a broadcasting operator', () => {
  it.each(Object.entries(BINARY))('%s', async (_, [map, left, right]) => {
    await fc.assert(
      fc.asyncProperty(broadcastingPair, seeds, ([a, b], seed) =>
        checkGradients(
          map,
          [
            { shape: a, draw: left },
            { shape: b, draw: right },
          ],
          seed,
        ),
      ),
      { numRuns: 20 },
    );
  });
});

describe('where nothing flows', () => {
  it('a comparison and a stopped gradient count as constants', async () => {
    const expression = (x: Tensor): Tensor =>
      arithmetic.add(
        arithmetic.multiply(x, cast(comparisons.logicalNot(comparisons.less(x, 0)), 'float32')),
        arithmetic.multiply(x, 1),
      );
    await checkGradients(expression, [{ shape: [5], draw: offZero }], 1);
    const stopped = checkGradients((x) => stopGradient(x), [{ shape: [2] }], 1);
    await expect(stopped).rejects.toThrow(/does not influence/);
  });

  it('half the gradient goes to each side of a tie', async () => {
    await expect(
      checkGradients((x) => arithmetic.maximum(x, arithmetic.multiply(x, 1)), [{ shape: [4] }], 2),
    ).resolves.toBeUndefined();
  });

  it('dropping with a mask scales what is kept', async () => {
    const map = (x: Tensor): Tensor => dropWith(x, comparisons.greater(stopGradient(x), 0), 0.5);
    await checkGradients(map, [{ shape: [3, 4], draw: offZero }], 3);
  });
});

describe('operands that do not fit', () => {
  it('are named with both shapes', () => {
    const a = input('tokens', [2, 3]);
    const b = input('bias', [4]);
    expect(() => arithmetic.add(a, b)).toThrow(
      'tokens float32[2, 3] does not broadcast with bias float32[4]',
    );
    expect(() => arithmetic.add(a, cast(b, 'float64'))).toThrow(/differ in dtype/);
    expect(() => comparisons.where(a, a, a)).toThrow(/not bool/);
    expect(() => input('x', [2, 0])).toThrow(/positive whole number/);
  });
});
