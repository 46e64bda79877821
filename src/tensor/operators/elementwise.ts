import { ShapeError } from '../../ground/errors.ts';
import { type DType, onnxTypeCode, requireFloating } from '../graph/dtype.ts';
import { constant } from '../graph/leaves.ts';
import { apply, describe, int, type Operator, type Tensor } from '../graph/operator.ts';
import { type One, type Pair, pointwise, unary } from './pointwise.ts';

/** A tensor, or a number that becomes a scalar of the other operand's dtype. */
export type Operand = Tensor | number;

type Unary = (x: Tensor) => Tensor;
type Binary = (a: Operand, b: Operand) => Tensor;
type Logical = (a: Tensor, b: Tensor) => Tensor;

/** Both operands as tensors of one dtype. @throws ShapeError for two numbers or two dtypes */
function operandPair(a: Operand, b: Operand, name: string): Pair {
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

function binary(
  name: string,
  opType: string,
  rules: (g: Tensor, a: Tensor, b: Tensor, y: Tensor) => readonly [() => Tensor, () => Tensor],
): Binary {
  const onTensors = pointwise<Pair>(
    name,
    opType,
    ([a]) => a.dtype,
    ({ inputs: [a, b], gradient, output }) => rules(gradient, a, b, output),
  );
  return (a, b) => onTensors(...operandPair(a, b, name));
}

function comparison(name: string, opType: string): Binary {
  const onTensors = pointwise<Pair>(name, opType, () => 'bool');
  return (a, b) => onTensors(...operandPair(a, b, name));
}

const logical = <Inputs extends readonly Tensor[]>(name: string, opType: string) =>
  pointwise<Inputs>(name, opType, (inputs) => {
    for (const x of inputs) requireBool(x, name);
    return 'bool';
  });

function requireBool(x: Tensor, name: string): void {
  if (x.dtype !== 'bool') throw new ShapeError(`${name}: ${describe(x)} is not bool; compare it first`);
}

/** Elementwise sum with broadcasting. */
export const add: Binary = binary('add', 'Add', (g) => [() => g, () => g]);

/** Elementwise difference with broadcasting. */
export const subtract: Binary = binary('subtract', 'Sub', (g) => [() => g, () => negate(g)]);

/** Elementwise product with broadcasting. */
export const multiply: Binary = binary('multiply', 'Mul', (g, a, b) => [
  () => multiply(g, b),
  () => multiply(g, a),
]);

/** Elementwise quotient with broadcasting. */
export const divide: Binary = binary('divide', 'Div', (g, _, b, y) => [
  () => divide(g, b),
  () => negate(divide(multiply(g, y), b)),
]);

/** `a` to the power `b`, elementwise with broadcasting; a negative `a` needs a whole `b`. */
export const power: Binary = binary('power', 'Pow', (g, a, b, y) => [
  () => multiply(g, multiply(b, power(a, subtract(b, 1)))),
  // a^b ln a, taken as 0 where a ≤ 0, for which the logarithm is undefined.
  () => multiply(g, multiply(y, log(where(greater(a, 0), a, 1)))),
]);

/** 1 where a > b, ½ where they are equal, 0 where a < b: at a tie both operands get half, as in torch. */
const share = (a: Tensor, b: Tensor): Tensor => multiply(add(sign(subtract(a, b)), 1), 0.5);

/** The larger of two, elementwise with broadcasting; the gradient is halved at a tie. */
export const maximum: Binary = binary('maximum', 'Max', (g, a, b) => [
  () => multiply(g, share(a, b)),
  () => multiply(g, share(b, a)),
]);

/** The smaller of two, elementwise with broadcasting; the gradient is halved at a tie. */
export const minimum: Binary = binary('minimum', 'Min', (g, a, b) => [
  () => multiply(g, share(b, a)),
  () => multiply(g, share(a, b)),
]);

/** `x` kept within [low, high]. */
export const clamp = (x: Tensor, low: number, high: number): Tensor => minimum(maximum(x, low), high);

/** x², as one product. */
export function square(x: Tensor): Tensor {
  requireFloating(x.dtype, 'square');
  return multiply(x, x);
}

/** −x. */
export const negate: Unary = unary('negate', 'Neg', (g) => negate(g));

/** |x|; the gradient at 0 is 0. */
export const absolute: Unary = unary('absolute', 'Abs', (g, x) => multiply(g, sign(x)));

/** −1, 0 or 1; piecewise constant, so that no gradient flows through it. */
export const sign: Unary = pointwise<One>('sign', 'Sign', ([x]) => x.dtype);

/** eˣ. */
export const exponential: Unary = unary('exponential', 'Exp', (g, _, y) => multiply(g, y));

/** Natural logarithm. */
export const log: Unary = unary('log', 'Log', (g, x) => divide(g, x));

/** √x; the gradient at 0 is infinite. */
export const squareRoot: Unary = unary('squareRoot', 'Sqrt', (g, _, y) => divide(multiply(g, 0.5), y));

/** 1/√x. */
export const inverseSquareRoot = (x: Tensor): Tensor => divide(1, squareRoot(x));

/** sin x, radians. */
export const sine: Unary = unary('sine', 'Sin', (g, x) => multiply(g, cosine(x)));

/** cos x, radians. */
export const cosine: Unary = unary('cosine', 'Cos', (g, x) => negate(multiply(g, sine(x))));

/** arcsin x, radians, of float32 (ONNX Runtime has no other on a CPU); the gradient at ±1 is infinite. */
export const arcSine: Unary = unary('arcSine', 'Asin', (g, x) =>
  multiply(g, inverseSquareRoot(subtract(1, square(x)))),
);

/** erf x. */
export const errorFunction: Unary = unary('errorFunction', 'Erf', (g, x) =>
  multiply(g, multiply(exponential(negate(multiply(x, x))), 2 / Math.sqrt(Math.PI))),
);

/** a > b, as bool. */
export const greater = comparison('greater', 'Greater');

/** a ≥ b, as bool. */
export const greaterOrEqual = comparison('greaterOrEqual', 'GreaterOrEqual');

/** a < b, as bool. */
export const less = comparison('less', 'Less');

/** a ≤ b, as bool. */
export const lessOrEqual = comparison('lessOrEqual', 'LessOrEqual');

/** a = b, as bool. */
export const equal = comparison('equal', 'Equal');

/** Both, for bool tensors. */
export const logicalAnd: Logical = logical<Pair>('logicalAnd', 'And');

/** Either, for bool tensors. */
export const logicalOr: Logical = logical<Pair>('logicalOr', 'Or');

/** Not, for a bool tensor. */
export const logicalNot: Unary = logical<One>('logicalNot', 'Not');

/** Whether each element is neither infinite nor NaN. */
export const finite: Unary = pointwise<One>(
  'isFinite',
  ({ node }, [x]) => {
    // x − x is 0 for every finite x, else NaN, which equals nothing.
    const difference = node('Sub', [x, x]);
    return [node('Equal', [difference, difference])];
  },
  () => 'bool',
);

const select = pointwise<readonly [Tensor, Tensor, Tensor]>(
  'where',
  'Where',
  ([condition, a]) => {
    requireBool(condition, 'where');
    return a.dtype;
  },
  ({ inputs: [condition], gradient }) => [
    undefined,
    () => where(condition, gradient, 0),
    () => where(condition, 0, gradient),
  ],
);

/** `a` where the condition holds, else `b`; all three broadcast. */
export function where(condition: Tensor, a: Operand, b: Operand): Tensor {
  const [left, right] =
    typeof a === 'number' && typeof b === 'number' ? [constant(a), constant(b)] : operandPair(a, b, 'where');
  return select(condition, left, right);
}

const CAST: Operator<One, DType> = {
  name: 'cast',
  elementwise: true,
  outputs: ([x], dtype) => [{ dtype, shape: x.shape }],
  emit: ({ node }, inputs, { attributes }) => [node('Cast', inputs, { to: int(onnxTypeCode(attributes)) })],
  gradient: ({ inputs: [x], gradient }) => [() => cast(gradient, x.dtype)],
};

/** The same values in another dtype; gradients come back in the first. */
export const cast = (x: Tensor, dtype: DType): Tensor => (x.dtype === dtype ? x : apply(CAST, [x], dtype));

const STOP: Operator<One, undefined> = {
  name: 'stopGradient',
  outputs: ([x]) => [{ dtype: x.dtype, shape: x.shape }],
  emit: (_, inputs) => [...inputs],
  gradient: () => [],
};

/** The same value, behind which nothing is trained. */
export const stopGradient = (x: Tensor): Tensor => apply(STOP, [x], undefined);

/**
 * `x · mask / keep`: elements whose mask is 0 are dropped, the others scaled so that the mean stays
 * (Srivastava et al. 2014). A mask with axes of length 1 drops whole rows, as stochastic depth does.
 *
 * @param mask bool, broadcasts to `x`; made by `randomMask`
 * @param keep the probability it was made with
 */
export const dropWith = (x: Tensor, mask: Tensor, keep: number): Tensor =>
  multiply(x, multiply(cast(mask, x.dtype), 1 / keep));
