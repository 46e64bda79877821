/** What the products of a program are computed in; everything else that needs the digits stays in float32. */
export const PRECISIONS = ['float32', 'float16', 'bfloat16', 'int8'] as const;

export type Precision = (typeof PRECISIONS)[number];

export type HalfPrecision = Extract<Precision, 'float16' | 'bfloat16'>;

/** Operators whose operands are halved: products, as in torch.amp's list of the same purpose. */
const PRODUCTS = ['linear', 'matmul', 'attention'];

/** ONNX Runtime's CUDA kernels of opset 21 take them in float16, not in bfloat16. */
const CONVOLUTIONS = ['convolution', 'transposedConvolution'];

/**
 * Operators that keep or get float32: norms, softmax and every reduction, whose sums lose small terms in half; what
 * leaves half's range or is steep within it; what no provider computes in half.
 */
const IN_SINGLE = [
  ...['layerNorm', 'batchNorm', 'scaleDeviation', 'softmax', 'logSoftmax'],
  ...['sum', 'mean', 'max', 'min', 'sumOfSquares'],
  ...['exponential', 'log', 'power', 'softplus', 'errorFunction', 'sine', 'cosine', 'arcSine'],
  ...['resize', 'sampleGrid'],
];

/** Operators for which ONNX Runtime 1.30 has no CUDA kernel of bfloat16 at opset 21. */
const NOT_IN_BFLOAT16 = [
  ...CONVOLUTIONS,
  ...['equal', 'greater', 'greaterOrEqual', 'less', 'lessOrEqual', 'isFinite'],
  ...['halfOnePlus', 'relu6', 'pad', 'maxPool', 'averagePool'],
];

/** Operators that only move numbers: what they give is as round as what they got. */
export const MOVES: ReadonlySet<string> = new Set([
  ...['reshape', 'transpose', 'expand', 'slice', 'split', 'concat', 'gather', 'pad', 'stopGradient', 'after'],
]);

/** Operators whose operands come as they were: a block's body is a graph of its own, made for them. */
export const KEPT: ReadonlySet<string> = new Set(['checkpoint']);

/** How autocast treats operators by name; those in neither list go with the widest of their operands. */
interface Lists {
  readonly products: ReadonlySet<string>;
  readonly single: ReadonlySet<string>;
}

export const LISTS: Readonly<Record<HalfPrecision, Lists>> = {
  float16: { products: new Set([...PRODUCTS, ...CONVOLUTIONS]), single: new Set(IN_SINGLE) },
  bfloat16: { products: new Set(PRODUCTS), single: new Set([...IN_SINGLE, ...NOT_IN_BFLOAT16]) },
};
