import { encodeNumbers } from '../graph/dtype.ts';
import { float, type Tensor, text } from '../graph/operator.ts';
import {
  add,
  cast,
  errorFunction,
  exponential,
  greater,
  less,
  logicalAnd,
  multiply,
  square,
  subtract,
} from './elementwise.ts';
import { unary } from './pointwise.ts';

type Activation = (x: Tensor) => Tensor;

/** Hyperbolic tangent. */
export const tanh: Activation = unary('tanh', 'Tanh', (g, _, y) => multiply(g, subtract(1, square(y))));

/** 1 / (1 + e⁻ˣ). */
export const sigmoid: Activation = unary('sigmoid', 'Sigmoid', (g, _, y) =>
  multiply(g, multiply(y, subtract(1, y))),
);

/** ln(1 + eˣ): positive and smooth; what mass outputs pass through. */
export const softplus: Activation = unary('softplus', 'Softplus', (g, x) => multiply(g, sigmoid(x)));

/** max(x, 0); the gradient at 0 is 0. */
export const relu: Activation = unary('relu', 'Relu', (g, _, y) => multiply(g, cast(greater(y, 0), g.dtype)));

/**
 * min(max(x, 0), 6); the gradient at 0 and 6 is 0, as torch's. One node, not a maximum and a minimum: ONNX Runtime
 * makes it part of the convolution before it.
 */
export const relu6: Activation = unary(
  'relu6',
  ({ node, constant }, [x], { inputs: [{ dtype }] }) => {
    const bound = (value: number) => constant({ dtype, shape: [] }, encodeNumbers(dtype, [value]));
    return [node('Clip', [x, bound(0), bound(6)])];
  },
  (g, _, y) => multiply(g, cast(logicalAnd(greater(y, 0), less(y, 6)), g.dtype)),
);

/** x·sigmoid(x), also called swish. */
export const silu: Activation = unary(
  'silu',
  ({ node }, [x]) => [node('Mul', [x, node('Sigmoid', [x])])],
  (g, x, y) => {
    const s = sigmoid(x);
    return multiply(g, add(s, multiply(y, subtract(1, s))));
  },
);

/** (1 + x) / 2 in one pass over memory; the clipping to [0, 1] never acts on the range of erf and tanh. */
const halfOnePlus: Activation = unary(
  'halfOnePlus',
  ({ node }, [x]) => [node('HardSigmoid', [x], { alpha: float(0.5), beta: float(0.5) })],
  (g) => multiply(g, 0.5),
);

/** xΦ(x) with the exact normal distribution (timm's and torch's default). */
export const gelu: Activation = unary(
  'gelu',
  ({ node }, [x]) => [node('Gelu', [x], { approximate: text('none') })],
  // d/dx xΦ(x) = Φ(x) + xφ(x); with u = x/√2: (1 + erf u)/2 + x·exp(−u² − ln √(2π)), nine passes over memory.
  (g, x) => {
    const u = multiply(x, Math.SQRT1_2);
    const density = exponential(subtract(-0.5 * Math.log(2 * Math.PI), multiply(u, u)));
    return multiply(g, add(halfOnePlus(errorFunction(u)), multiply(x, density)));
  },
);

/** GELU by the tanh formula (Hugging Face's `gelu_pytorch_tanh`). */
export const geluTanh: Activation = unary(
  'geluTanh',
  ({ node }, [x]) => [node('Gelu', [x], { approximate: text('tanh') })],
  (g, x) => {
    const scale = Math.sqrt(2 / Math.PI);
    const xx = square(x);
    const t = tanh(multiply(multiply(x, add(multiply(xx, 0.044715), 1)), scale));
    const slope = multiply(add(multiply(xx, 3 * 0.044715), 1), scale);
    const bell = multiply(multiply(x, multiply(subtract(1, square(t)), 0.5)), slope);
    return multiply(g, add(halfOnePlus(t), bell));
  },
);
