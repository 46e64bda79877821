import { decodeNumbers } from '../../../src/tensor/graph/dtype.ts';
import type { Operation, Tensor } from '../../../src/tensor/graph/operator.ts';
import { operationsBefore } from '../../../src/tensor/graph/traverse.ts';
import { at, type Doubles } from './arrays.ts';
import { RULES } from './rules.ts';

/** Known values of inputs and placeholders. */
export type Known = ReadonlyMap<Tensor, Doubles>;

/**
 * Computes tensors in double precision by walking the graph with naive loops. It shares nothing with the ONNX
 * emission but the graph itself, so that each can convict the other.
 */
export function evaluate(targets: readonly Tensor[], known: Known): Doubles[] {
  const values = new Map(known);
  const value = (tensor: Tensor): Doubles => {
    const found = values.get(tensor);
    if (found) return found;
    if (tensor.origin.kind !== 'constant') throw new Error(`no value for ${tensor.label}`);
    const data = Float64Array.from(decodeNumbers(tensor.dtype, tensor.origin.values));
    const made = { shape: tensor.shape, data };
    values.set(tensor, made);
    return made;
  };
  for (const operation of operationsBefore(targets)) {
    if (operation.outputs.every((output) => values.has(output))) continue;
    const results = run(operation, operation.inputs.map(value), values);
    operation.outputs.forEach((output, index) => {
      const result = results[index];
      if (result) values.set(output, result);
    });
  }
  return targets.map(value);
}

function run(operation: Operation, inputs: readonly Doubles[], values: Known): readonly Doubles[] {
  const { operator, outputs } = operation;
  if (operator.name === 'checkpoint') {
    const { placeholders, body } = operation.attributes as { placeholders: Tensor[]; body: Tensor };
    const known = new Map(values);
    placeholders.forEach((placeholder, index) => {
      known.set(placeholder, at(inputs, index));
    });
    return evaluate([body], known);
  }
  const rule = RULES[operator.name];
  if (rule === undefined) throw new Error(`the reference has no rule for ${operator.name}`);
  return rule(
    inputs,
    operation.attributes,
    outputs.map((output) => output.shape),
  );
}
