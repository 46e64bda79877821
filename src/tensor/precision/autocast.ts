import { decodeNumbers, encodeNumbers } from '../graph/dtype.ts';
import { constant } from '../graph/leaves.ts';
import {
  apply,
  applyAll,
  type Operation,
  type Operator,
  operationOf,
  type Tensor,
} from '../graph/operator.ts';
import { cast } from '../operators/elementwise.ts';
import type { One } from '../operators/pointwise.ts';
import { GraphCopy } from './graph-copy.ts';
import { type HalfPrecision, KEPT, LISTS, MOVES } from './lists.ts';

export interface AutocastOptions {
  readonly half: HalfPrecision;
  /** Tensors that keep their own dtype, as the gradients that an optimizer is given. */
  readonly precise?: readonly Tensor[];
  /** Whether to round to halves where the provider would not: see {@link ROUNDED}. Default false. */
  readonly rounded?: boolean;
}

/**
 * The same graph with its products in half precision, as torch.amp's autocast: operators of one list get halved
 * operands, those of another float32, all others the widest they are given. Forward and backward pass are one graph
 * and are treated alike; parameters stay as they are and are cast once for all that use them.
 *
 * @param roots come back in their own dtype
 */
export function autocast(roots: readonly Tensor[], options: AutocastOptions): readonly Tensor[] {
  const { copy } = new Autocast(options);
  return roots.map((root) => cast(copy.of(root), root.dtype));
}

/**
 * ONNX Runtime's CPU has hardly a kernel for halves: it casts around each operator, takes casts to half and back out
 * again (microsoft/onnxruntime#8787), and so would compute all in float32 in silence. Clipping it does in halves;
 * between −∞ and ∞ that changes no number, and keeps the casts on both sides.
 */
const ROUNDED: Operator<One, undefined> = {
  name: 'rounded',
  outputs: ([x]) => [{ dtype: x.dtype, shape: x.shape }],
  emit({ node, constant: known }, [x], { inputs: [{ dtype }] }) {
    const bound = (value: number) => known({ dtype, shape: [] }, encodeNumbers(dtype, [value]));
    return [node('Clip', [x, bound(Number.NEGATIVE_INFINITY), bound(Number.POSITIVE_INFINITY)])];
  },
};

class Autocast {
  readonly #half: HalfPrecision;
  readonly #precise: ReadonlySet<Tensor>;
  readonly #isRounded: boolean;
  readonly copy = new GraphCopy((operation, inputs) => this.#converted(operation, inputs));
  /** Casts made, so that two that need the same share it. */
  readonly #casts = new Map<Tensor, Tensor>();

  constructor({ half, precise = [], rounded = false }: AutocastOptions) {
    this.#half = half;
    this.#precise = new Set(precise);
    this.#isRounded = rounded;
  }

  #converted(operation: Operation, copies: readonly Tensor[]): readonly Tensor[] {
    const outputs = this.#applied(operation, copies);
    return operation.outputs.map((old, index) => {
      const made = outputs[index] as Tensor;
      const copy = MOVES.has(operation.operator.name) ? made : this.#round(made);
      return this.#precise.has(old) ? this.#as(copy, old.dtype) : copy;
    });
  }

  #applied(operation: Operation, copies: readonly Tensor[]): readonly Tensor[] {
    const { operator, attributes } = operation;
    const inputs = this.#inputsOf(operation, copies);
    if (operator.inCopy) return operator.inCopy(inputs, attributes, this.copy.of);
    const isSame = inputs.every((x, index) => x === operation.inputs[index]);
    return isSame ? operation.outputs : applyAll(operator, inputs, attributes);
  }

  #inputsOf({ operator, inputs }: Operation, copies: readonly Tensor[]): readonly Tensor[] {
    const { products, single } = LISTS[this.#half];
    if (KEPT.has(operator.name))
      return copies.map((x, index) => this.#as(x, (inputs[index] as Tensor).dtype));
    if (products.has(operator.name)) return this.#all(copies, this.#half);
    if (single.has(operator.name)) return this.#all(copies, 'float32');
    const floats = copies.filter(({ dtype }) => dtype === 'float32');
    const isMixed = floats.length > 0 && copies.some(({ dtype }) => dtype === this.#half);
    if (!isMixed) return copies;
    return this.#all(copies, floats.every(this.#goesAlong) ? this.#half : 'float32');
  }

  /** All operands that are numbers of either precision in one of them; indices and conditions as they are. */
  #all(tensors: readonly Tensor[], dtype: 'float32' | HalfPrecision): readonly Tensor[] {
    return tensors.map((x) => (x.dtype === 'float32' || x.dtype === this.#half ? this.#as(x, dtype) : x));
  }

  /**
   * Whether a float32 operand does not ask for float32: a single number that half precision has room for, and what
   * was made of a condition.
   */
  #goesAlong = (tensor: Tensor): boolean => {
    const { origin } = tensor;
    if (origin.kind !== 'constant') return castSource(tensor)?.dtype === 'bool';
    const numbers = decodeNumbers(tensor.dtype, origin.values);
    return numbers.length === 1 && this.#hasRoomFor(Math.abs(numbers[0] as number));
  };

  /** Whether a magnitude keeps its digits: float16 is denormal below 2⁻¹⁴ and infinite from 65,520 on. */
  #hasRoomFor = (magnitude: number): boolean =>
    this.#half === 'bfloat16' || magnitude === 0 || (magnitude >= 2 ** -14 && magnitude < 65_520);

  #as(tensor: Tensor, dtype: Tensor['dtype']): Tensor {
    if (tensor.dtype === dtype) return tensor;
    const known = this.#casts.get(tensor);
    if (known?.dtype === dtype) return known;
    const made = this.#round(this.#freshly(tensor, dtype));
    this.#casts.set(tensor, made);
    return made;
  }

  #round = (tensor: Tensor): Tensor =>
    this.#isRounded && tensor.dtype === this.#half && operationOf(tensor) !== undefined
      ? apply(ROUNDED, [tensor], undefined)
      : tensor;

  #freshly(tensor: Tensor, dtype: Tensor['dtype']): Tensor {
    const { origin } = tensor;
    if (origin.kind === 'constant' && origin.values.length === 1) {
      return constant(encodeNumbers(dtype, decodeNumbers(tensor.dtype, origin.values)), tensor.shape, dtype);
    }
    const source = castSource(tensor);
    const isWidened = source !== undefined && (source.dtype === 'bool' || source.dtype === dtype);
    return isWidened && tensor.dtype === 'float32' ? cast(source, dtype) : cast(tensor, dtype);
  }
}

/** What a cast was made of. */
const castSource = (tensor: Tensor): Tensor | undefined => {
  const operation = operationOf(tensor);
  return operation?.operator.name === 'cast' ? operation.inputs[0] : undefined;
};
