import { ShapeError } from '../../ground/errors.ts';
import { isFloating } from '../graph/dtype.ts';
import { constant } from '../graph/leaves.ts';
import { describe, type Operation, operationOf, type Tensor } from '../graph/operator.ts';
import { broadcastShapes, sameShape, showShape } from '../graph/shape.ts';
import { operationsAfter, operationsBefore } from '../graph/traverse.ts';
import { add } from '../operators/elementwise.ts';
import { sumTo } from '../operators/reduction.ts';

/**
 * Reverse-mode gradients of a scalar. Extends the graph by the backward pass of exactly those operations
 * that lie between `sources` and `loss`; nothing is made for frozen parts.
 *
 * @param loss scalar, floating
 * @param sources parameters, inputs or any other tensors on the way
 * @returns one tensor per source, of its shape and dtype
 * @throws ShapeError when the loss is not a scalar, a source does not influence it, or an operator on the way
 *   has no gradient
 */
export function gradients(loss: Tensor, sources: readonly Tensor[]): Tensor[] {
  if (loss.shape.length !== 0) {
    throw new ShapeError(`gradients need a scalar, not ${describe(loss)}; take its mean or sum first`);
  }
  return pullBack(loss, constant(1, [], loss.dtype), sources);
}

/**
 * The vector–Jacobian product: gradients of `sum(output · cotangent)`.
 *
 * @param cotangent of the output's shape
 * @throws ShapeError as {@link gradients}
 */
export function pullBack(output: Tensor, cotangent: Tensor, sources: readonly Tensor[]): Tensor[] {
  const found = pullBackTo(output, cotangent, sources);
  return sources.map((source) => {
    const gradient = found.get(source);
    if (gradient === undefined) {
      throw new ShapeError(`${describe(source)} does not influence ${describe(output)}; leave it out`);
    }
    return gradient;
  });
}

/**
 * As {@link pullBack}, for sources that may not influence the output, or only by ways no gradient takes: those
 * are absent from the result.
 *
 * @param boundary tensors that count as given, even if they depend on sources
 */
export function pullBackTo(
  output: Tensor,
  cotangent: Tensor,
  sources: readonly Tensor[],
  boundary: ReadonlySet<Tensor> = new Set(),
): ReadonlyMap<Tensor, Tensor> {
  if (!sameShape(output.shape, cotangent.shape)) {
    throw new ShapeError(`cotangent ${showShape(cotangent.shape)} does not fit ${describe(output)}`);
  }
  const order = operationsBefore([output], boundary);
  const between = operationsAfter(order, new Set(sources));
  const wanted = new Set(sources);
  const flows = (tensor: Tensor): boolean => {
    const operation = operationOf(tensor);
    return isFloating(tensor.dtype) && (wanted.has(tensor) || (!!operation && between.has(operation)));
  };
  const collected = new Map<Tensor, Tensor>([[output, cotangent]]);
  for (const operation of [...order].reverse()) {
    if (!between.has(operation)) continue;
    for (const [tensor, gradient] of inputGradients(operation, collected, flows)) {
      const before = collected.get(tensor);
      collected.set(tensor, before === undefined ? gradient : add(before, gradient));
    }
  }
  return collected;
}

function inputGradients(
  operation: Operation,
  collected: ReadonlyMap<Tensor, Tensor>,
  flows: (tensor: Tensor) => boolean,
): [Tensor, Tensor][] {
  const arrived = operation.outputs.map((tensor) => collected.get(tensor));
  const first = arrived.find((gradient) => gradient !== undefined);
  const output = operation.outputs[0];
  if (first === undefined || output === undefined) return [];
  const { operator, inputs, attributes, outputs } = operation;
  if (!inputs.some(flows)) return [];
  if (operator.gradient === undefined) {
    const names = inputs.map(describe).join(', ');
    throw new ShapeError(
      `${operator.name} has no gradient, but lies between ${names} and the loss; freeze them`,
    );
  }
  const rules = operator.gradient({
    inputs,
    attributes,
    output,
    outputs,
    gradient: arrived[0] ?? first,
    gradients: arrived,
    wants: flows,
  });
  const result: [Tensor, Tensor][] = [];
  inputs.forEach((tensor, index) => {
    const rule = rules[index];
    if (rule === undefined || !flows(tensor)) return;
    const gradient = rule();
    if (gradient !== undefined) result.push([tensor, shapedAs(tensor, gradient, operator.name)]);
  });
  return result;
}

/** A rule's gradient, summed over whatever axes of the operand broadcasting added or stretched. */
function shapedAs(operand: Tensor, gradient: Tensor, name: string): Tensor {
  const broadcast = broadcastShapes(operand.shape, gradient.shape);
  if (gradient.dtype !== operand.dtype || !broadcast || !sameShape(broadcast, gradient.shape)) {
    throw new ShapeError(`gradient of ${name} is ${describe(gradient)} for ${describe(operand)}`);
  }
  return sumTo(gradient, operand.shape);
}
