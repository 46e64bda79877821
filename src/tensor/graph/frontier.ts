import { type Operation, operationOf, type Tensor } from './operator.ts';
import { leavesBefore, operationsAfter, operationsBefore } from './traverse.ts';

/**
 * Where the part of a graph ends that gives the same for the same input at every run: the tensors computed from `input`
 * and from leaves that stay as they are, which something else uses that changes, or which are the output itself. What
 * they are computed from need not be computed again for an input that was there before.
 *
 * @param changes whether a leaf's values may differ from run to run, as those of trained weights and of masks do
 * @returns in the order in which they are computed; `input` alone where all that uses it changes
 */
export function settledFrontier(
  output: Tensor,
  input: Tensor,
  changes: (leaf: Tensor) => boolean,
): readonly Tensor[] {
  const order = operationsBefore([output]);
  const changingLeaves = leavesBefore([output]).filter((leaf) => leaf !== input && changes(leaf));
  const changing = operationsAfter(order, new Set(changingLeaves));
  const fromInput = operationsAfter(order, new Set([input]));
  const isSettled = (tensor: Tensor): boolean => {
    const before = operationOf(tensor);
    return before === undefined ? tensor === input : fromInput.has(before) && !changing.has(before);
  };
  const ends = new Set([...changing].flatMap(({ inputs }) => inputs.filter(isSettled)));
  if (isSettled(output)) ends.add(output);
  return [...ends].flatMap((end) => (end === output ? [end] : summands(end, order).filter(isSettled)));
}

/**
 * What a sum that one operation alone reads is made of, in place of the sum: ONNX Runtime joins it with a norm that
 * reads it, and then rounds otherwise than the two apart.
 */
function summands(end: Tensor, order: readonly Operation[]): readonly Tensor[] {
  const before = operationOf(end);
  if (before?.operator.name !== 'add') return [end];
  const readers = order.filter(({ inputs }) => inputs.includes(end));
  return readers.length === 1 ? before.inputs : [end];
}
