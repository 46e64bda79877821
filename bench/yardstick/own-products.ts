import { randomStream } from '../../src/ground/random.ts';
import { apply, isParameter, type Operation } from '../../src/tensor/graph/operator.ts';
import { operationsBefore } from '../../src/tensor/graph/traverse.ts';
import {
  concat,
  type Feed,
  input,
  linear,
  matmul,
  type Parameter,
  parameter,
  reshape,
  type Shape,
  sizeOf,
  slice,
  type Tensor,
} from '../../src/tensor/index.ts';
import { matrixOperations } from './operations.ts';

/** What convolutions are measured by: the MLP of a ViT-L at 518. */
const PRODUCT = { rows: 1370, inner: 1024, columns: 4096 } as const;

/** A program's worth of matrix products. */
export interface Products {
  /** A few elements of each product, so that none is left out and none is fetched. */
  readonly y: Tensor;
  readonly feeds: Readonly<Record<string, Feed>>;
  /** Floating point operations. */
  readonly operations: number;
}

/**
 * The matrix products that an output needs, and nothing else: every linear layer with its own weight, both
 * products of every attention, one program. Its rate is what ONNX Runtime reaches on this machine where nothing
 * but products is to be done. A single weight used again and again would be faster by a tenth, because it stays
 * in the cache, but no network is like that. Convolutions, whose products are inside, count as large products.
 */
export function ownProducts(output: Tensor): Products {
  const activations = new Map<string, Tensor>();
  const activation = (shape: Shape): Tensor => {
    const name = `a${shape.join('x')}`;
    const known = activations.get(name) ?? input(name, shape);
    activations.set(name, known);
    return known;
  };
  const products: Tensor[] = [];
  operationsBefore([output]).forEach((operation, index) => {
    products.push(...productsOf(operation, activation, index));
  });
  const known = products.length > 0 ? matrixOperations(concatenated(products)) : 0;
  const rest = largeProducts(matrixOperations(output) - known, activation, products.length > 0 ? 0 : 1);
  products.push(...rest);
  const y = concatenated(products);
  const feeds = Object.fromEntries([...activations].map(([name, { shape }]) => [name, noise(shape)]));
  return { y, feeds, operations: matrixOperations(y) };
}

function productsOf(
  { operator, inputs, attributes, outputs }: Operation,
  activation: (shape: Shape) => Tensor,
  index: number,
): Tensor[] {
  const [a, b] = inputs as [Tensor, Tensor];
  const weightOr = (x: Tensor): Tensor => (isParameter(x) && !x.variable ? x : activation(x.shape));
  switch (operator.name) {
    case 'linear':
      return [linear(activation(a.shape), isParameter(b) ? b : weightOf(`w${index}`, b.shape))];
    case 'matmul':
      return [apply(operator, [weightOr(a), weightOr(b)], attributes)];
    case 'attention': {
      const { heads } = attributes as { readonly heads: number };
      const [batch = 1, queries = 1, dim = 1] = (outputs[0] as Tensor).shape;
      const keys = b.shape[1] as number;
      const byHead = (tokens: number): Tensor => activation([batch * heads, tokens, dim / heads]);
      // A scale of its own, or ONNX Runtime would see that all layers' are the same.
      const scale = 1 / (queries + index);
      const scores = matmul(byHead(queries), byHead(keys), { transposeB: true, scale });
      return [matmul(scores, byHead(keys))];
    }
    default:
      return [];
  }
}

/** As many of the large products as make up the operations given, two by two, and so many pairs at least. */
function largeProducts(
  operations: number,
  activation: (shape: Shape) => Tensor,
  leastPairs: number,
): Tensor[] {
  const { rows, inner, columns } = PRODUCT;
  const pairs = Math.max(leastPairs, Math.round(operations / (4 * rows * inner * columns)));
  if (pairs < 1) return [];
  const [up, down] = [weightOf('up', [columns, inner]), weightOf('down', [inner, columns])];
  let y = activation([rows, inner]);
  for (let pair = 0; pair < pairs; pair++) y = linear(linear(y, up), down);
  return [y];
}

/** A random frozen matrix [out, in] whose products neither grow nor vanish, however many follow one another. */
function weightOf(name: string, shape: Shape): Parameter {
  const gain = Math.sqrt(12 / (shape.at(-1) ?? 1));
  const generate = () => noise(shape).map((value) => gain * value);
  return parameter(name, { shape, trainable: false }, { from: 'generator', generate });
}

function concatenated(products: readonly Tensor[]): Tensor {
  const corners = products.map((product) => {
    const corner = product.shape.map((_, axis) => [axis, [0, 1]] as const);
    return reshape(slice(product, Object.fromEntries(corner)), [1]);
  });
  return concat(corners, 0);
}

/** Numbers in ±½, the same for the same shape. */
export function noise(shape: Shape): Float32Array {
  const random = randomStream(sizeOf(shape));
  return Float32Array.from({ length: sizeOf(shape) }, () => random.uniform() - 0.5);
}
