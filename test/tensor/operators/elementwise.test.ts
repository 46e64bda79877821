import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { input } from '../../../src/tensor/graph/leaves.ts';
import type { Tensor } from '../../../src/tensor/graph/operator.ts';
import * as tensor from '../../../src/tensor/index.ts';
import { cast, dropWith, stopGradient } from '../../../src/tensor/operators/elementwise.ts';
import { checkGradients, type Operand } from '../reference/check.ts';
import { broadcastingPair, seeds, shapes } from '../shapes.ts';

type Draw = NonNullable<Operand['draw']>;

const positive: Draw = (random) => 0.3 + 2 * random.uniform();
/** Away from 0, where some have a kink. */
const offZero: Draw = (random) => (random.uniform() < 0.5 ? -1 : 1) * (0.05 + 2 * random.uniform());
/** Within the domain of arcsin, away from its ends. */
const within: Draw = (random) => 1.8 * random.uniform() - 0.9;
const wide: Draw = (random) => 3 * random.normal();

const UNARY: Record<string, [map: (x: Tensor) => Tensor, draw: Draw]> = {
  negate: [tensor.negate, wide],
  absolute: [tensor.absolute, offZero],
  exponential: [tensor.exponential, (random) => random.normal()],
  log: [tensor.log, positive],
  squareRoot: [tensor.squareRoot, positive],
  arcSine: [tensor.arcSine, within],
  inverseSquareRoot: [tensor.inverseSquareRoot, positive],
  sine: [tensor.sine, wide],
  cosine: [tensor.cosine, wide],
  errorFunction: [tensor.errorFunction, wide],
  tanh: [tensor.tanh, wide],
  sigmoid: [tensor.sigmoid, wide],
  softplus: [tensor.softplus, wide],
  relu: [tensor.relu, offZero],
  relu6: [(x) => tensor.relu6(tensor.multiply(x, 4)), offZero],
  silu: [tensor.silu, wide],
  gelu: [tensor.gelu, wide],
  geluTanh: [tensor.geluTanh, wide],
  square: [tensor.square, wide],
  clamp: [(x) => tensor.clamp(x, -0.7, 0.8), wide],
  'power of 3': [(x) => tensor.power(x, 3), offZero],
  'power of 0.5': [(x) => tensor.power(x, 0.5), positive],
  'a number minus it': [(x) => tensor.subtract(2, x), wide],
  'a number over it': [(x) => tensor.divide(2, x), offZero],
  'used three times': [(x) => tensor.add(tensor.multiply(x, x), x), wide],
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
  add: [tensor.add, wide, wide],
  subtract: [tensor.subtract, wide, wide],
  multiply: [tensor.multiply, wide, wide],
  divide: [tensor.divide, wide, offZero],
  power: [tensor.power, positive, wide],
  maximum: [tensor.maximum, wide, wide],
  minimum: [tensor.minimum, wide, wide],
  where: [(a, b) => tensor.where(tensor.greater(a, b), a, tensor.multiply(b, 3)), wide, wide],
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
      tensor.add(
        tensor.multiply(x, cast(tensor.logicalNot(tensor.less(x, 0)), 'float32')),
        tensor.multiply(x, 1),
      );
    await checkGradients(expression, [{ shape: [5], draw: offZero }], 1);
    const stopped = checkGradients((x) => stopGradient(x), [{ shape: [2] }], 1);
    await expect(stopped).rejects.toThrow(/does not influence/);
  });

  it('half the gradient goes to each side of a tie', async () => {
    await expect(
      checkGradients((x) => tensor.maximum(x, tensor.multiply(x, 1)), [{ shape: [4] }], 2),
    ).resolves.toBeUndefined();
  });

  it('dropping with a mask scales what is kept', async () => {
    const map = (x: Tensor): Tensor => dropWith(x, tensor.greater(stopGradient(x), 0), 0.5);
    await checkGradients(map, [{ shape: [3, 4], draw: offZero }], 3);
  });
});

describe('operands that do not fit', () => {
  it('are named with both shapes', () => {
    const a = input('tokens', [2, 3]);
    const b = input('bias', [4]);
    expect(() => tensor.add(a, b)).toThrow('tokens float32[2, 3] does not broadcast with bias float32[4]');
    expect(() => tensor.add(a, cast(b, 'float64'))).toThrow(/differ in dtype/);
    expect(() => tensor.where(a, a, a)).toThrow(/not bool/);
    expect(() => input('x', [2, 0])).toThrow(/positive whole number/);
  });
});
