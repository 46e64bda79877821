import { apply, float, text } from '../graph/operator.ts';
import type { Tensor } from '../graph/tensor.ts';
import { add, multiply, square, subtract } from './arithmetic.ts';
import { cast } from './cast.ts';
import { greater } from './comparison.ts';
import { errorFunction, exponential, unary } from './elementwise.ts';

const TANH = unary(
  'tanh',
  (emission, inputs) => [emission.node('Tanh', inputs)],
  (g, _, y) => multiply(g, subtract(1, square(y))),
);
const SIGMOID = unary(
  'sigmoid',
  (emission, inputs) => [emission.node('Sigmoid', inputs)],
  (g, _, y) => multiply(g, multiply(y, subtract(1, y))),
);
const SOFTPLUS = unary(
  'softplus',
  (emission, inputs) => [emission.node('Softplus', inputs)],
  (g, x) => multiply(g, sigmoid(x)),
);
const RELU = unary(
  'relu',
  (emission, inputs) => [emission.node('Relu', inputs)],
  (g, _, y) => multiply(g, cast(greater(y, 0), g.dtype)),
);
const SILU = unary(
  'silu',
  ({ node }, [x]) => [node('Mul', [x, node('Sigmoid', [x])])],
  (g, x, y) => {
    const s = sigmoid(x);
    return multiply(g, add(s, multiply(y, subtract(1, s))));
  },
);
const HALF_ONE_PLUS = unary(
  'halfOnePlus',
  // (1 + x) / 2 in one pass over memory; the clipping to [0, 1] never acts on the range of erf and tanh.
  ({ node }, [x]) => [node('HardSigmoid', [x], { alpha: float(0.5), beta: float(0.5) })],
  (g) => multiply(g, 0.5),
);
const GELU = unary(
  'gelu',
  ({ node }, [x]) => [node('Gelu', [x], { approximate: text('none') })],
  // d/dx xΦ(x) = Φ(x) + xφ(x); with u = x/√2: (1 + erf u)/2 + x·exp(−u² − ln √(2π)), nine passes over memory.
  (g, x) => {
    const u = multiply(x, Math.SQRT1_2);
    const density = exponential(subtract(-0.5 * Math.log(2 * Math.PI), multiply(u, u)));
    return multiply(g, add(apply(HALF_ONE_PLUS, [errorFunction(u)], undefined), multiply(x, density)));
  },
);
const GELU_TANH = unary(
  'geluTanh',
  ({ node }, [x]) => [node('Gelu', [x], { approximate: text('tanh') })],
  (g, x) => {
    const scale = Math.sqrt(2 / Math.PI);
    const xx = square(x);
    const t = tanh(multiply(multiply(x, add(multiply(xx, 0.044715), 1)), scale));
    const slope = multiply(add(multiply(xx, 3 * 0.044715), 1), scale);
    const bell = multiply(multiply(x, multiply(subtract(1, square(t)), 0.5)), slope);
    return multiply(g, add(apply(HALF_ONE_PLUS, [t], undefined), bell));
  },
);

/** Hyperbolic tangent. */
export const tanh = (x: Tensor): Tensor => apply(TANH, [x], undefined);

/** 1 / (1 + e⁻ˣ). */
export const sigmoid = (x: Tensor): Tensor => apply(SIGMOID, [x], undefined);

/** ln(1 + eˣ): positive and smooth; what mass outputs pass through. */
export const softplus = (x: Tensor): Tensor => apply(SOFTPLUS, [x], undefined);

/** max(x, 0); the gradient at 0 is 0. */
export const relu = (x: Tensor): Tensor => apply(RELU, [x], undefined);

/** x·sigmoid(x), also called swish. */
export const silu = (x: Tensor): Tensor => apply(SILU, [x], undefined);

/** xΦ(x) with the exact normal distribution (timm's and torch's default). */
export const gelu = (x: Tensor): Tensor => apply(GELU, [x], undefined);

/** GELU by the tanh formula (Hugging Face's `gelu_pytorch_tanh`). */
export const geluTanh = (x: Tensor): Tensor => apply(GELU_TANH, [x], undefined);
