import { ShapeError } from '../../ground/errors.ts';
import { encodeNumbers, requireFloating } from '../graph/dtype.ts';
import {
  apply,
  describe,
  type Emission,
  float,
  type GradientRule,
  int,
  ints,
  type Operator,
  operationOf,
  type Tensor,
} from '../graph/operator.ts';
import { broadcastShapes, lengthAt, sameShape, sizeOf } from '../graph/shape.ts';
import { add, multiply } from './elementwise.ts';
import { reshape } from './layout.ts';
import type { Pair } from './pointwise.ts';
import { sum } from './reduction.ts';

/** How the two factors are read: with the last two axes exchanged, and the product times `scale`. */
export interface MatmulOptions {
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
  readonly scale?: number;
}

const MATMUL: Operator<Pair, Required<MatmulOptions>> = {
  name: 'matmul',
  outputs([a, b], { transposeA, transposeB }) {
    const [rows, inner] = matrixOf(a, transposeA);
    const [otherInner, columns] = matrixOf(b, transposeB);
    const batch = broadcastShapes(a.shape.slice(0, -2), b.shape.slice(0, -2));
    if (inner !== otherInner || batch === undefined || a.dtype !== b.dtype) {
      const flags = `${transposeA ? ', first transposed' : ''}${transposeB ? ', second transposed' : ''}`;
      throw new ShapeError(`matmul: ${describe(a)} and ${describe(b)} do not fit${flags}`);
    }
    return [{ dtype: a.dtype, shape: [...batch, rows, columns] }];
  },
  emit(emission, inputs, { inputs: [a, b], attributes: { transposeA, transposeB, scale } }) {
    const { node } = emission;
    const transB = int(transposeB ? 1 : 0);
    const transposes = { transA: int(transposeA ? 1 : 0), transB };
    const alpha = float(scale);
    if (a.shape.length === 2 && b.shape.length === 2) {
      const [first, second] = inputs as [string, string];
      const [rows, columns] = [lengthAt(a.shape, transposeA ? 1 : 0), lengthAt(b.shape, transposeB ? 0 : 1)];
      if (transposeA && !transposeB && rows <= THIN && columns > rows) {
        return [turned(emission, node('Gemm', [second, first], { transA: int(1), alpha }), [columns, rows])];
      }
      if (transposeA && isLong(columns, rows)) {
        return [node('Gemm', [turned(emission, first, a.shape), second], { transB, alpha })];
      }
      if (transposeA && !transposeB && isLong(rows, columns)) {
        const product = node('Gemm', [turned(emission, second, b.shape), first], { alpha });
        return [turned(emission, product, [columns, rows])];
      }
      return [node('Gemm', inputs, { ...transposes, alpha })];
    }
    if (!transposeA && !transposeB && scale === 1) return [node('MatMul', inputs)];
    if (!emission.lacks('FusedMatMul')) {
      return [node('FusedMatMul', inputs, { ...transposes, alpha }, 'com.microsoft')];
    }
    const [first, second] = inputs as [string, string];
    const left = transposeA ? swapped(emission, first, a.shape) : first;
    const product = node('MatMul', [left, transposeB ? swapped(emission, second, b.shape) : second]);
    const factor = emission.constant({ dtype: a.dtype, shape: [] }, encodeNumbers(a.dtype, [scale]));
    return [scale === 1 ? product : node('Mul', [product, factor])];
  },
  gradient({ inputs: [a, b], attributes: { transposeA, transposeB, scale }, gradient: g }) {
    const left = (): Tensor =>
      transposeA
        ? matmul(b, g, { transposeA: transposeB, transposeB: true, scale })
        : matmul(g, b, { transposeB: !transposeB, scale });
    const right = (): Tensor =>
      transposeB
        ? matmul(g, a, { transposeA: true, transposeB: transposeA, scale })
        : matmul(a, g, { transposeA: !transposeA, scale });
    return [left, right];
  },
};

/**
 * ONNX Runtime's product transposes its first factor anew for every 128 columns of the result. Where the result
 * is long and the other way small, turning the smaller factor once beforehand saves a tenth: the gradient of a
 * weight `[few out, many in]`, as that of an MLP's second layer, and, by way of the transposed result, of one
 * `[many out, few in]`, as that of its first.
 */
const isLong = (length: number, other: number): boolean => length >= Math.max(LONG, 2 * other);

const LONG = 2048;

/**
 * A product of few rows over many, as the gradient of an adapter's first factor, is taken with its factors exchanged: ONNX
 * Runtime would lay out the whole second factor anew for it, which costs more than the product.
 */
const THIN = 32;

/** A matrix transposed by a node that ONNX Runtime does not see as one, and so does not fuse into the product. */
function turned({ node, indices, restated }: Emission, name: string, shape: readonly number[]): string {
  const [rows, columns] = shape as [number, number];
  const stack = node('Reshape', [name, indices([1, rows, columns])]);
  const transposed = node('Transpose', [stack], { perm: ints([0, 2, 1]) });
  return restated(transposed, [1, columns, rows], [columns, rows]);
}

/** The last two axes exchanged. */
function swapped({ node }: Emission, name: string, { length: rank }: readonly number[]): string {
  const order = Array.from({ length: rank }, (_, axis) => axis);
  return node('Transpose', [name], { perm: ints([...order.slice(0, -2), rank - 1, rank - 2]) });
}

const LINEAR: Operator<readonly Tensor[], undefined> = {
  name: 'linear',
  outputs([x, weight, bias]) {
    const [rows, inner] = matrixOf(x as Tensor, false);
    const [features, otherInner] = matrixOf(weight as Tensor, false);
    const biasFits = bias === undefined || (bias.shape.length === 1 && bias.shape[0] === features);
    if (inner !== otherInner || x?.dtype !== weight?.dtype || !biasFits) {
      const all = [x, weight, bias].flatMap((tensor) => (tensor ? [describe(tensor)] : []));
      throw new ShapeError(`linear: ${all.join(', ')} do not fit [rows, in], [out, in], [out]`);
    }
    return [{ dtype: (x as Tensor).dtype, shape: [rows, features] }];
  },
  emit: ({ node }, inputs) => [node('Gemm', inputs, { transB: int(1) })],
  gradient({ inputs: [x, weight, bias], gradient: g }): readonly GradientRule[] {
    return [
      () => matmul(g, weight as Tensor),
      () => matmul(g, x as Tensor, { transposeA: true }),
      ...(bias ? [() => sum(g, { axes: [0] })] : []),
    ];
  },
};

interface Adapted {
  readonly scale: number;
  /** weight + scale · up · down. */
  readonly sum: Tensor;
  /** The layer and what is added to it, in products of their own: halves would round a small addition to a weight away. */
  readonly apart: () => Tensor;
}

/**
 * A linear layer with a low-rank addition to its weight. One product with the sum of both takes the place of three over
 * all rows, in the backward pass too, and no gradient of a whole weight is made for the two factors.
 */
const ADAPTED_LINEAR: Operator<readonly Tensor[], Adapted> = {
  name: 'adaptedLinear',
  outputs: ([x, weight, , , bias]) => LINEAR.outputs(linearInputs(x, weight, bias), undefined),
  emit: (emission, [x = '', , , , bias], { attributes: { sum: weight } }) => [
    emission.node('Gemm', [x, emission.name(weight), ...(bias ? [bias] : [])], { transB: int(1) }),
  ],
  gradient({ inputs: [x, , down, up, bias], attributes: { scale, sum: weight }, gradient: g }) {
    const low = (): Tensor => matmul(x as Tensor, down as Tensor, { transposeB: true });
    return [
      () => matmul(g, weight),
      () => matmul(g, x as Tensor, { transposeA: true }),
      () => matmul(matmul(g, up as Tensor), x as Tensor, { transposeA: true, scale }),
      () => matmul(g, low(), { transposeA: true, scale }),
      ...(bias ? [() => sum(g, { axes: [0] })] : []),
    ];
  },
  rebuild: ([x, weight, down, up, bias], { scale }) => [
    adapted(x as Tensor, { weight: weight as Tensor, down: down as Tensor, up: up as Tensor, scale }, bias),
  ],
  inCopy: (_, { apart }, copy) => [copy(apart())],
};

const linearInputs = (x?: Tensor, weight?: Tensor, bias?: Tensor): Tensor[] =>
  [x, weight, bias].filter((tensor) => tensor !== undefined);

/** The operator behind `linear`, which compile-time quantisation looks for. */
export const LINEAR_OPERATOR: Operator = LINEAR as Operator;

function matrixOf(x: Tensor, transposed: boolean): [rows: number, columns: number] {
  requireFloating(x.dtype, 'matmul');
  if (x.shape.length < 2) throw new ShapeError(`matmul: ${describe(x)} is not a matrix; reshape it`);
  const rows = lengthAt(x.shape, -2);
  const columns = lengthAt(x.shape, -1);
  return transposed ? [columns, rows] : [rows, columns];
}

/**
 * Matrix product over the last two axes; leading axes broadcast.
 *
 * @param a `[…, m, k]`, or `[…, k, m]` with `transposeA`
 * @param b `[…, k, n]`, or `[…, n, k]` with `transposeB`
 * @returns `[…, m, n]`, times `scale`
 * @throws ShapeError when the inner or leading axes do not fit
 */
export function matmul(a: Tensor, b: Tensor, options: MatmulOptions = {}): Tensor {
  const { transposeA = false, transposeB = false, scale = 1 } = options;
  // One tall product instead of many: faster, and its gradient needs no sum over the batch.
  if (a.shape.length > 2 && b.shape.length === 2 && !transposeA) {
    const tall = reshape(a, [-1, lengthAt(a.shape, -1)]);
    const product = apply(MATMUL, [tall, b], { transposeA, transposeB, scale });
    return reshape(product, [...a.shape.slice(0, -1), lengthAt(product.shape, -1)]);
  }
  return apply(MATMUL, [a, b], { transposeA, transposeB, scale });
}

/**
 * `x · weightᵀ + bias`, with the weight as PyTorch keeps it.
 *
 * @param x `[…, in]`
 * @param weight `[out, in]`
 * @param bias `[out]`
 * @returns `[…, out]`
 * @throws ShapeError when they do not fit
 */
export function linear(x: Tensor, weight: Tensor, bias?: Tensor): Tensor {
  if (x.shape.length === 0) throw new ShapeError(`linear: ${describe(x)} has no features axis`);
  return onRows(x, (rows) => apply(LINEAR, linearInputs(rows, weight, bias), undefined));
}

/** A weight with a low-rank addition: weight + scale · up · down. */
export interface AdaptedWeight {
  /** `[out, in]` */
  readonly weight: Tensor;
  /** `[rank, in]` */
  readonly down: Tensor;
  /** `[out, rank]` */
  readonly up: Tensor;
  readonly scale: number;
}

/**
 * `linear` with a low-rank addition to its weight, as LoRA trains (Hu et al. 2021).
 *
 * @param x `[…, in]`
 * @param bias `[out]`
 * @returns `[…, out]`
 * @throws ShapeError when they do not fit
 */
export function adaptedLinear(x: Tensor, weight: AdaptedWeight, bias?: Tensor): Tensor {
  return onRows(x, (rows) => adapted(rows, weight, bias));
}

function adapted(rows: Tensor, { weight, down, up, scale }: AdaptedWeight, bias?: Tensor): Tensor {
  const whole = add(weight, matmul(up, down, { scale }));
  const inputs = [rows, weight, down, up, ...(bias ? [bias] : [])];
  const apart = (): Tensor =>
    add(linear(rows, weight, bias), multiply(linear(linear(rows, down), up), scale));
  return apply(ADAPTED_LINEAR, inputs, { scale, sum: whole, apart });
}

/** What a weight was made of by `adaptedLinear`; undefined for any other tensor. */
export function adaptedParts(whole: Tensor): AdaptedWeight | undefined {
  const sum = operationOf(whole);
  const addition = sum?.operator.name === 'add' ? operationOf(sum.inputs[1] as Tensor) : undefined;
  if (sum === undefined || addition?.operator !== (MATMUL as Operator)) return undefined;
  const [weight, [up, down]] = [sum.inputs[0] as Tensor, addition.inputs as Pair];
  const { scale, transposeA, transposeB } = addition.attributes as Required<MatmulOptions>;
  const isPlain = !(transposeA || transposeB) && sameShape(weight.shape, whole.shape);
  return isPlain ? { weight, up, down, scale } : undefined;
}

/** What is computed of the rows of a tensor, in the axes that it had. */
function onRows(x: Tensor, compute: (rows: Tensor) => Tensor): Tensor {
  const inner = lengthAt(x.shape, -1);
  const y = compute(reshape(x, [sizeOf(x.shape) / inner, inner]));
  return reshape(y, [...x.shape.slice(0, -1), lengthAt(y.shape, 1)]);
}
