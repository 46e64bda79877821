import { ShapeError } from '../../ground/errors.ts';
import { apply, type Operator } from '../graph/operator.ts';
import { broadcastShapes } from '../graph/shape.ts';
import { constant, describe, type Tensor } from '../graph/tensor.ts';
import { broadcastOf, type Operand, operandPair, type Pair } from './arithmetic.ts';
import { sumTo } from './reduction.ts';

function comparison(name: string, opType: string): Operator<Pair, undefined> {
  return {
    name,
    elementwise: true,
    outputs: (pair) => [{ dtype: 'bool', shape: broadcastOf(pair, name) }],
    emit: ({ node }, inputs) => [node(opType, inputs)],
    gradient: () => [undefined, undefined],
  };
}

const GREATER = comparison('greater', 'Greater');
const GREATER_OR_EQUAL = comparison('greaterOrEqual', 'GreaterOrEqual');
const LESS = comparison('less', 'Less');
const LESS_OR_EQUAL = comparison('lessOrEqual', 'LessOrEqual');
const EQUAL = comparison('equal', 'Equal');
const AND = comparison('logicalAnd', 'And');
const OR = comparison('logicalOr', 'Or');

const NOT: Operator<readonly [Tensor], undefined> = {
  name: 'logicalNot',
  elementwise: true,
  outputs([x]) {
    requireBool(x, 'logicalNot');
    return [{ dtype: 'bool', shape: x.shape }];
  },
  emit: ({ node }, inputs) => [node('Not', inputs)],
  gradient: () => [undefined],
};

const IS_FINITE: Operator<readonly [Tensor], undefined> = {
  name: 'isFinite',
  elementwise: true,
  outputs: ([x]) => [{ dtype: 'bool', shape: x.shape }],
  // x − x is 0 for every finite x, else NaN, which equals nothing.
  emit({ node }, [x]) {
    const difference = node('Sub', [x, x]);
    return [node('Equal', [difference, difference])];
  },
  gradient: () => [undefined],
};

const WHERE: Operator<readonly [Tensor, Tensor, Tensor], undefined> = {
  name: 'where',
  elementwise: true,
  outputs([condition, a, b]) {
    requireBool(condition, 'where');
    const branches = broadcastOf([a, b], 'where');
    const shape = broadcastShapes(condition.shape, branches);
    if (shape === undefined) {
      throw new ShapeError(
        `where: ${describe(condition)} does not broadcast with ${describe(a)} and ${describe(b)}`,
      );
    }
    return [{ dtype: a.dtype, shape }];
  },
  emit: ({ node }, inputs) => [node('Where', inputs)],
  gradient: ({ inputs: [condition, a, b], gradient }) => [
    undefined,
    () => sumTo(where(condition, gradient, 0), a.shape),
    () => sumTo(where(condition, 0, gradient), b.shape),
  ],
};

function requireBool(x: Tensor, name: string): void {
  if (x.dtype !== 'bool') throw new ShapeError(`${name}: ${describe(x)} is not bool; compare it first`);
}

function logicalPair(a: Tensor, b: Tensor, name: string): Pair {
  requireBool(a, name);
  requireBool(b, name);
  return [a, b];
}

/** a > b, as bool. */
export const greater = (a: Operand, b: Operand): Tensor =>
  apply(GREATER, operandPair(a, b, 'greater'), undefined);

/** a ≥ b, as bool. */
export const greaterOrEqual = (a: Operand, b: Operand): Tensor =>
  apply(GREATER_OR_EQUAL, operandPair(a, b, 'greaterOrEqual'), undefined);

/** a < b, as bool. */
export const less = (a: Operand, b: Operand): Tensor => apply(LESS, operandPair(a, b, 'less'), undefined);

/** a ≤ b, as bool. */
export const lessOrEqual = (a: Operand, b: Operand): Tensor =>
  apply(LESS_OR_EQUAL, operandPair(a, b, 'lessOrEqual'), undefined);

/** a = b, as bool. */
export const equal = (a: Operand, b: Operand): Tensor => apply(EQUAL, operandPair(a, b, 'equal'), undefined);

/** Both, for bool tensors. */
export const logicalAnd = (a: Tensor, b: Tensor): Tensor =>
  apply(AND, logicalPair(a, b, 'logicalAnd'), undefined);

/** Either, for bool tensors. */
export const logicalOr = (a: Tensor, b: Tensor): Tensor =>
  apply(OR, logicalPair(a, b, 'logicalOr'), undefined);

/** Not, for a bool tensor. */
export const logicalNot = (x: Tensor): Tensor => apply(NOT, [x], undefined);

/** Whether each element is neither infinite nor NaN. */
export const finite = (x: Tensor): Tensor => apply(IS_FINITE, [x], undefined);

/** `a` where the condition holds, else `b`; all three broadcast. */
export function where(condition: Tensor, a: Operand, b: Operand): Tensor {
  const [left, right] =
    typeof a === 'number' && typeof b === 'number' ? [constant(a), constant(b)] : operandPair(a, b, 'where');
  return apply(WHERE, [condition, left, right], undefined);
}
