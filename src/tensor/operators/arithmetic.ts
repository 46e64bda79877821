import { ShapeError } from '../../ground/errors.ts';
import { requireFloating } from '../graph/dtype.ts';
import { apply, type GradientRule, type Operator } from '../graph/operator.ts';
import { broadcastShapes } from '../graph/shape.ts';
import { constant, describe, type Tensor } from '../graph/tensor.ts';
import { greater, where } from './comparison.ts';
import { log, negate, sign } from './elementwise.ts';
import { sumTo } from './reduction.ts';

/** A tensor, or a number that becomes a scalar of the other operand's dtype. */
export type Operand = Tensor | number;

export type Pair = readonly [Tensor, Tensor];

/** Both operands as tensors of one dtype. @throws ShapeError for two numbers or two dtypes */
export function operandPair(a: Operand, b: Operand, name: string): Pair {
  if (typeof a === 'number') {
    if (typeof b === 'number') throw new ShapeError(`${name} needs at least one tensor`);
    return [constant(a, [], b.dtype), b];
  }
  if (typeof b === 'number') return [a, constant(b, [], a.dtype)];
  if (a.dtype !== b.dtype) {
    throw new ShapeError(`${name}: ${describe(a)} and ${describe(b)} differ in dtype; cast one of them`);
  }
  return [a, b];
}

/** The shape two operands broadcast to. @throws ShapeError naming both */
export function broadcastOf([a, b]: Pair, name: string): number[] {
  const shape = broadcastShapes(a.shape, b.shape);
  if (shape === undefined) {
    throw new ShapeError(`${name}: ${describe(a)} does not broadcast with ${describe(b)}`);
  }
  return shape;
}

/** Gradients of both operands, before they are summed back over broadcast axes. */
type PairRules = (g: Tensor, a: Tensor, b: Tensor, y: Tensor) => readonly [() => Tensor, () => Tensor];

function binary(name: string, opType: string, rules: PairRules): Operator<Pair, undefined> {
  return {
    name,
    elementwise: true,
    outputs: (pair) => [{ dtype: pair[0].dtype, shape: broadcastOf(pair, name) }],
    emit: (emission, inputs) => [emission.node(opType, inputs)],
    gradient({ inputs: [a, b], gradient, output }): readonly GradientRule[] {
      const [left, right] = rules(gradient, a, b, output);
      return [() => sumTo(left(), a.shape), () => sumTo(right(), b.shape)];
    },
  };
}

/** 1 where a > b, ½ where they are equal, 0 where a < b: at a tie both operands get half, as in torch. */
const share = (a: Tensor, b: Tensor): Tensor => multiply(add(sign(subtract(a, b)), 1), 0.5);

const ADD = binary('add', 'Add', (g) => [() => g, () => g]);
const SUBTRACT = binary('subtract', 'Sub', (g) => [() => g, () => negate(g)]);
const MULTIPLY = binary('multiply', 'Mul', (g, a, b) => [() => multiply(g, b), () => multiply(g, a)]);
const DIVIDE = binary('divide', 'Div', (g, _, b, y) => [
  () => divide(g, b),
  () => negate(divide(multiply(g, y), b)),
]);
const POWER = binary('power', 'Pow', (g, a, b, y) => [
  () => multiply(g, multiply(b, power(a, subtract(b, 1)))),
  // a^b ln a, taken as 0 where a ≤ 0, for which the logarithm is undefined.
  () => multiply(g, multiply(y, log(where(greater(a, 0), a, 1)))),
]);
const MAXIMUM = binary('maximum', 'Max', (g, a, b) => [
  () => multiply(g, share(a, b)),
  () => multiply(g, share(b, a)),
]);
const MINIMUM = binary('minimum', 'Min', (g, a, b) => [
  () => multiply(g, share(b, a)),
  () => multiply(g, share(a, b)),
]);

/** Elementwise sum with broadcasting. */
export const add = (a: Operand, b: Operand): Tensor => apply(ADD, operandPair(a, b, 'add'), undefined);

/** Elementwise difference with broadcasting. */
export const subtract = (a: Operand, b: Operand): Tensor =>
  apply(SUBTRACT, operandPair(a, b, 'subtract'), undefined);

/** Elementwise product with broadcasting. */
export const multiply = (a: Operand, b: Operand): Tensor =>
  apply(MULTIPLY, operandPair(a, b, 'multiply'), undefined);

/** Elementwise quotient with broadcasting. */
export const divide = (a: Operand, b: Operand): Tensor =>
  apply(DIVIDE, operandPair(a, b, 'divide'), undefined);

/** `a` to the power `b`, elementwise with broadcasting; a negative `a` needs a whole `b`. */
export const power = (a: Operand, b: Operand): Tensor => apply(POWER, operandPair(a, b, 'power'), undefined);

/** The larger of two, elementwise with broadcasting; the gradient is halved at a tie. */
export const maximum = (a: Operand, b: Operand): Tensor =>
  apply(MAXIMUM, operandPair(a, b, 'maximum'), undefined);

/** The smaller of two, elementwise with broadcasting; the gradient is halved at a tie. */
export const minimum = (a: Operand, b: Operand): Tensor =>
  apply(MINIMUM, operandPair(a, b, 'minimum'), undefined);

/** `x` kept within [low, high]. */
export const clamp = (x: Tensor, low: number, high: number): Tensor => minimum(maximum(x, low), high);

/** x², as one product. */
export function square(x: Tensor): Tensor {
  requireFloating(x.dtype, 'square');
  return multiply(x, x);
}
