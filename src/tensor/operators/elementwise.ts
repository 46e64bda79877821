import { requireFloating } from '../graph/dtype.ts';
import { apply, type Operator } from '../graph/operator.ts';
import type { Tensor } from '../graph/tensor.ts';
import { divide, multiply } from './arithmetic.ts';

type One = readonly [Tensor];

/** An operator of one floating tensor that maps every element by itself. */
export function unary(
  name: string,
  emit: Operator<One, undefined>['emit'],
  rule: (g: Tensor, x: Tensor, y: Tensor) => Tensor,
): Operator<One, undefined> {
  return {
    name,
    elementwise: true,
    outputs([x]) {
      requireFloating(x.dtype, name);
      return [{ dtype: x.dtype, shape: x.shape }];
    },
    emit,
    gradient: ({ inputs: [x], gradient, output }) => [() => rule(gradient, x, output)],
  };
}

/** An elementwise operator that is one ONNX node without attributes. */
const node =
  (opType: string): Operator<One, undefined>['emit'] =>
  (emission, inputs) => [emission.node(opType, inputs)];

const NEGATE = unary('negate', node('Neg'), (g) => negate(g));
const ABSOLUTE = unary('absolute', node('Abs'), (g, x) => multiply(g, sign(x)));
const SIGN: Operator<One, undefined> = {
  name: 'sign',
  elementwise: true,
  outputs: ([x]) => [{ dtype: x.dtype, shape: x.shape }],
  emit: node('Sign'),
  // Piecewise constant: nothing flows.
  gradient: () => [undefined],
};
const EXPONENTIAL = unary('exponential', node('Exp'), (g, _, y) => multiply(g, y));
const LOG = unary('log', node('Log'), (g, x) => divide(g, x));
const SQUARE_ROOT = unary('squareRoot', node('Sqrt'), (g, _, y) => divide(multiply(g, 0.5), y));
const SINE = unary('sine', node('Sin'), (g, x) => multiply(g, cosine(x)));
const COSINE = unary('cosine', node('Cos'), (g, x) => negate(multiply(g, sine(x))));
const ERROR_FUNCTION = unary('errorFunction', node('Erf'), (g, x) =>
  multiply(g, multiply(exponential(negate(multiply(x, x))), 2 / Math.sqrt(Math.PI))),
);

/** −x. */
export const negate = (x: Tensor): Tensor => apply(NEGATE, [x], undefined);

/** |x|; the gradient at 0 is 0. */
export const absolute = (x: Tensor): Tensor => apply(ABSOLUTE, [x], undefined);

/** −1, 0 or 1; no gradient flows through it. */
export const sign = (x: Tensor): Tensor => apply(SIGN, [x], undefined);

/** eˣ. */
export const exponential = (x: Tensor): Tensor => apply(EXPONENTIAL, [x], undefined);

/** Natural logarithm. */
export const log = (x: Tensor): Tensor => apply(LOG, [x], undefined);

/** √x; the gradient at 0 is infinite. */
export const squareRoot = (x: Tensor): Tensor => apply(SQUARE_ROOT, [x], undefined);

/** sin x, radians. */
export const sine = (x: Tensor): Tensor => apply(SINE, [x], undefined);

/** cos x, radians. */
export const cosine = (x: Tensor): Tensor => apply(COSINE, [x], undefined);

/** erf x. */
export const errorFunction = (x: Tensor): Tensor => apply(ERROR_FUNCTION, [x], undefined);

/** 1/√x. */
export const inverseSquareRoot = (x: Tensor): Tensor => divide(1, squareRoot(x));
