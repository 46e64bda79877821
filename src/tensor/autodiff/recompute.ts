import { onnxTypeCode } from '../graph/dtype.ts';
import { placeholder } from '../graph/leaves.ts';
import {
  apply,
  applyAll,
  int,
  type Operation,
  type Operator,
  operationOf,
  type Tensor,
} from '../graph/operator.ts';
import { sizeOf } from '../graph/shape.ts';
import { operationsAfter, operationsBefore } from '../graph/traverse.ts';
import { cast } from '../operators/elementwise.ts';
import { pullBackTo } from './gradients.ts';

interface Block {
  readonly placeholders: readonly Tensor[];
  readonly body: Tensor;
}

/** Inputs of a checkpointed block: what it was called with, then the outer tensors it captured. */
const RECOMPUTED: Operator<readonly Tensor[], Block> = {
  name: 'checkpoint',
  outputs: (_, { body }) => [{ dtype: body.dtype, shape: body.shape }],
  emit(emission, inputs, { attributes: { placeholders, body } }) {
    placeholders.forEach((own, index) => {
      emission.bind(own, inputs[index] as string);
    });
    return [emission.name(body)];
  },
  gradient({ inputs, attributes: { placeholders, body }, gradient, wants }) {
    // The recomputation waits for the gradient that needs it; otherwise ONNX Runtime would run it at once, or
    // merge it with the original, and everything would be kept after all.
    let made: (Tensor | undefined)[] | undefined;
    const all = (): (Tensor | undefined)[] => {
      if (made) return made;
      const delayed = new Map(
        placeholders.map((own, index) => [own, after(inputs[index] as Tensor, gradient)]),
      );
      const again = copyOf(body, delayed);
      const given = inputs.map((x, index) => {
        const own = placeholders[index];
        return own ? (delayed.get(own) as Tensor) : x;
      });
      const wanted = given.filter((_, index) => wants(inputs[index] as Tensor));
      const pulled = pullBackTo(again, gradient, wanted, new Set(given));
      made = given.map((source) => pulled.get(source));
      return made;
    };
    return inputs.map((_, index) => () => all()[index]);
  },
  rebuild: (inputs, { placeholders, body }) => {
    // Fresh placeholders, so that the copy of a nested block is emitted for itself.
    const fresh = placeholders.map(placeholderFor);
    const substitutes = new Map([
      ...placeholders.map((old, index) => [old, fresh[index] as Tensor] as const),
      ...capturedBy(body, placeholders).map(
        (x, index) => [x, inputs[placeholders.length + index] as Tensor] as const,
      ),
    ]);
    return applyAll(RECOMPUTED, inputs, { placeholders: fresh, body: copyOf(body, substitutes) });
  },
  inCopy: (inputs, { placeholders, body }, copy) =>
    applyAll(RECOMPUTED, inputs, { placeholders, body: cast(copy(body), body.dtype) }),
};

const AFTER: Operator<readonly [Tensor, Tensor], undefined> = {
  name: 'after',
  outputs: ([x]) => [{ dtype: x.dtype, shape: x.shape }],
  emit(emission, [x, signal], { inputs: [source, other], outputs }) {
    const { node, indices } = emission;
    // A slice of everything, whose start of 0 is formally computed from the signal: it cannot be folded, merged
    // or run before the signal is there. (A reshape would cost nothing, but ONNX Runtime fuses those away.)
    const flat = node('Reshape', [signal, indices([sizeOf(other.shape)])]);
    const one = node('Slice', [flat, indices([0]), indices([1])]);
    const flag = node('Cast', [node('IsNaN', [one])], { to: int(onnxTypeCode('int64')) });
    const start = node('Mul', [flag, indices([0])]);
    const rows = source.shape.length > 0 ? x : node('Reshape', [x, indices([1])]);
    const part = node('Slice', [rows, start, indices([source.shape[0] ?? 1]), indices([0])]);
    const name = source.shape.length > 0 ? part : node('Reshape', [part, indices([])]);
    emission.declare(name, outputs[0] ?? source);
    return [name];
  },
};

const placeholderFor = ({ dtype, shape, label }: Tensor): Tensor => placeholder(dtype, shape, label);

/** `x` itself, but available only once `signal` has been computed. */
const after = (x: Tensor, signal: Tensor): Tensor => apply(AFTER, [x, signal], undefined);

/** Outer tensors that the part of `body` behind the placeholders uses directly. */
function capturedBy(body: Tensor, placeholders: readonly Tensor[]): Tensor[] {
  const order = operationsBefore([body]);
  const own = new Set(placeholders);
  const inside = operationsAfter(order, own);
  const captured = new Set<Tensor>();
  for (const operation of inside) {
    for (const x of operation.inputs) {
      const before = operationOf(x);
      const belongs = own.has(x) || (before !== undefined && inside.has(before));
      if (!belongs && x.origin.kind !== 'constant') captured.add(x);
    }
  }
  return [...captured];
}

/** `output` computed again with some tensors replaced; what does not depend on them is shared. */
export function copyOf(output: Tensor, substitutes: ReadonlyMap<Tensor, Tensor>): Tensor {
  const order = operationsBefore([output]);
  const affected = operationsAfter(order, new Set(substitutes.keys()));
  const copies = new Map(substitutes);
  for (const operation of order) {
    if (!affected.has(operation)) continue;
    const inputs = operation.inputs.map((x) => copies.get(x) ?? x);
    const { operator, attributes } = operation;
    const outputs =
      operator.rebuild?.(inputs, attributes) ??
      applyAll(operator as Operation['operator'], inputs, attributes);
    operation.outputs.forEach((old, index) => {
      if (!substitutes.has(old)) copies.set(old, outputs[index] as Tensor);
    });
  }
  return copies.get(output) ?? output;
}

/**
 * Gradient checkpointing: runs a block so that training keeps only its inputs and computes the inside again in the
 * backward pass (Chen et al. 2016, "Training deep nets with sublinear memory cost"). Costs one more forward pass of the
 * block, saves all its intermediate values. Values and gradients are exactly those of `block(...inputs)`.
 *
 * @param block pure; may use parameters and other outer tensors besides its arguments
 */
export function checkpoint<Inputs extends readonly Tensor[]>(
  block: (...inputs: Inputs) => Tensor,
  ...inputs: Inputs
): Tensor {
  const placeholders = inputs.map(placeholderFor);
  const body = block(...(placeholders as readonly Tensor[] as Inputs));
  const captured = capturedBy(body, placeholders);
  return apply(RECOMPUTED, [...inputs, ...captured], { placeholders, body });
}
