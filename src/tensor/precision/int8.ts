import { encodeNumbers } from '../graph/dtype.ts';
import {
  applyAll,
  type Emission,
  int,
  ints,
  isParameter,
  type Operation,
  type Operator,
  type Tensor,
} from '../graph/operator.ts';
import { lengthAt } from '../graph/shape.ts';
import { multiply } from '../operators/elementwise.ts';
import { adaptedParts, linear, matmul } from '../operators/matmul.ts';
import { GraphCopy } from './graph-copy.ts';

/**
 * The same graph with products of many rows and a linear layer's weight in int8, as SwitchBack trains (Wortsman et al.
 * 2023, "Stable and low-precision training for large-scale vision-language models"): the layer's result and the
 * gradient of what it is given. The gradient of the weight, all else and every result stay in float32.
 *
 * @param roots come back in their own dtype and shape
 */
export function withInt8Products(roots: readonly Tensor[]): readonly Tensor[] {
  const copy = new GraphCopy((operation, inputs) => converted(operation, inputs, copy.of));
  return roots.map(copy.of);
}

/**
 * Operators that a copy in another dtype takes apart, which would cost what they save: a layer's probabilities kept for
 * the backward pass of attention, a product a factor of an adapter. Here dtypes stay.
 */
const WHOLE: ReadonlySet<string> = new Set(['attentionBackward', 'adaptedLinear']);

function converted(
  operation: Operation,
  inputs: readonly Tensor[],
  copy: (tensor: Tensor) => Tensor,
): readonly Tensor[] {
  const { operator, attributes } = operation;
  const product = int8Product(operation, inputs);
  if (product) return product;
  const isSame = inputs.every((x, index) => x === operation.inputs[index]);
  if (isSame && operator.name !== 'checkpoint') return operation.outputs;
  if (WHOLE.has(operator.name)) return operator.rebuild?.(inputs, attributes) ?? operation.outputs;
  return operator.inCopy?.(inputs, attributes, copy) ?? applyAll(operator, inputs, attributes);
}

/** A product that pays in int8, in int8; undefined for all else. */
function int8Product(
  { operator, attributes }: Operation,
  inputs: readonly Tensor[],
): readonly Tensor[] | undefined {
  const [x, weight, down, up, ownBias] = inputs as [Tensor, Tensor, Tensor, Tensor, Tensor | undefined];
  if (operator.name === 'linear') {
    const bias = inputs[2];
    return pays(x, weight) ? product({ x, weight, turned: true, ...(bias && { added: bias }) }) : undefined;
  }
  if (operator.name === 'adaptedLinear') {
    if (!pays(x, weight)) return undefined;
    const { scale } = attributes as { readonly scale: number };
    const low = multiply(matmul(x, down, { transposeB: true }), scale);
    return product({ x, weight, turned: true, added: linear(low, up, ownBias) });
  }
  if (operator.name !== 'matmul' || !isPlain(attributes)) return undefined;
  const adapted = adaptedParts(weight);
  const whole = adapted?.weight ?? weight;
  if (!isParameter(whole) || !pays(x, whole)) return undefined;
  if (!adapted) return product({ x, weight, turned: false });
  const added = matmul(matmul(x, adapted.up), adapted.down, { scale: adapted.scale });
  return product({ x, weight: whole, turned: false, added });
}

const isPlain = (attributes: unknown): boolean => {
  const { transposeA, transposeB, scale } = attributes as {
    readonly [name in 'transposeA' | 'transposeB']: boolean;
  } & { readonly scale: number };
  return !(transposeA || transposeB) && scale === 1;
};

/** Fewer rows, as those of heads, and thinner weights, as adapters, are not worth rounding. */
const LEAST_ROWS = 64;
const LEAST_WIDTH = 32;

const pays = (x: Tensor, weight: Tensor): boolean =>
  x.dtype === 'float32' &&
  x.shape.length === 2 &&
  weight.shape.length === 2 &&
  lengthAt(x.shape, 0) >= LEAST_ROWS &&
  weight.shape.every((length) => length >= LEAST_WIDTH);

interface Product {
  /** `[rows, inner]` */
  readonly x: Tensor;
  /** `[columns, inner]` where it is turned, `[inner, columns]` where not. */
  readonly weight: Tensor;
  readonly turned: boolean;
  /** `[columns]` or `[rows, columns]` in float32, added to the product. */
  readonly added?: Tensor;
}

const product = ({ x, weight, turned, added }: Product): readonly Tensor[] =>
  applyAll(INT8_PRODUCT, [x, weight, ...(added ? [added] : [])], { turned });

/** The middle of unsigned bytes, which stands for 0: what ONNX Runtime's fast kernel takes beside signed weights. */
const MIDDLE = 128;

/**
 * Every row of the first factor is rounded to whole multiples of its own peak / 127 (a gradient's rows differ by
 * orders of magnitude), and every column of the weight. Weights that never change are rounded and laid out when the
 * session opens (ONNX Runtime's constant folding); those that are trained anew at every run, for the gradient with one
 * scale for all, since numbers of a column lie apart.
 */
const INT8_PRODUCT: Operator<readonly Tensor[], { readonly turned: boolean }> = {
  name: 'int8Product',
  outputs: ([x, weight], { turned }) => {
    const columns = lengthAt((weight as Tensor).shape, turned ? 0 : 1);
    return [{ dtype: 'float32', shape: [lengthAt((x as Tensor).shape, 0), columns] }];
  },
  emit(emission, [x = '', w = '', added], { inputs: [rows, weight], attributes: { turned } }) {
    const { node } = emission;
    const scales = scaleOf(emission, x, rows as Tensor, 1);
    const count = lengthAt((rows as Tensor).shape, 0);
    const flat = node('Reshape', [scales, emission.indices([count])]);
    const middle = emission.constant(
      { dtype: 'uint8', shape: [count] },
      encodeNumbers('uint8', new Array(count).fill(MIDDLE)),
    );
    const rounded = node('QuantizeLinear', [x, flat, middle], { axis: int(0) });
    const { values, scale } = roundedWeight(emission, w, weight as Tensor, turned);
    const one = emission.constant({ dtype: 'float32', shape: [] }, encodeNumbers('float32', [1]));
    const zero = emission.constant({ dtype: 'uint8', shape: [] }, encodeNumbers('uint8', [MIDDLE]));
    const whole = node('MatMulIntegerToFloat', [rounded, values, one, scale, zero], {}, 'com.microsoft');
    const result = node('Mul', [whole, scales]);
    return [added === undefined ? result : node('Add', [result, added])];
  },
};

function roundedWeight(
  emission: Emission,
  name: string,
  weight: Tensor,
  turned: boolean,
): { readonly values: string; readonly scale: string } {
  const { node } = emission;
  const isFixed = isParameter(weight) && !weight.variable;
  const along = turned ? 1 : isFixed ? 0 : undefined;
  const peaks = scaleOf(emission, name, weight, along);
  const count = along === undefined ? 1 : lengthAt(weight.shape, 1 - along);
  const scale = node('Reshape', [peaks, emission.indices(along === undefined ? [] : [count])]);
  const zeros = emission.constant(
    { dtype: 'int8', shape: along === undefined ? [] : [count] },
    encodeNumbers('int8', new Array(count).fill(0)),
  );
  const axis = along === undefined ? {} : { axis: int(1 - along) };
  const values = node('QuantizeLinear', [name, scale, zeros], axis);
  return { values: turned ? node('Transpose', [values], { perm: ints([1, 0]) }) : values, scale };
}

/** Below every peak that matters, so that rows of zeros divide by something. */
const LEAST_PEAK = 1e-30;

/** The largest magnitude along an axis, or of all, / 127, with that axis kept at length 1. */
function scaleOf(
  { node, indices, constant }: Emission,
  name: string,
  x: Tensor,
  axis: number | undefined,
): string {
  const axes = axis === undefined ? x.shape.map((_, at) => at) : [axis];
  const reduced = (opType: string): string => node(opType, [name, indices(axes)], { keepdims: int(1) });
  const number = (value: number): string =>
    constant({ dtype: 'float32', shape: [] }, encodeNumbers('float32', [value]));
  // Two passes that only read cost less than one that writes magnitudes.
  const peak = node('Max', [reduced('ReduceMax'), node('Neg', [reduced('ReduceMin')]), number(LEAST_PEAK)]);
  return node('Mul', [peak, number(1 / 127)]);
}
