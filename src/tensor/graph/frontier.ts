import { operationOf, type Tensor } from './operator.ts';
import { operationsBefore } from './traverse.ts';

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
  const known = new Map<Tensor, Standing>();
  const standingOf = (tensor: Tensor): Standing =>
    known.get(tensor) ??
    (tensor === input
      ? 'settled'
      : tensor.origin.kind !== 'operation' && changes(tensor)
        ? 'changing'
        : 'apart');
  const frontier = new Set<Tensor>();
  for (const { inputs, outputs } of operationsBefore([output])) {
    const standings = inputs.map(standingOf);
    const own = standings.includes('changing')
      ? 'changing'
      : standings.includes('settled')
        ? 'settled'
        : 'apart';
    for (const made of outputs) known.set(made, own);
    if (own !== 'changing') continue;
    inputs.forEach((tensor, index) => {
      if (standings[index] === 'settled') frontier.add(tensor);
    });
  }
  if (standingOf(output) === 'settled') frontier.add(output);
  return [...frontier].flatMap((end) =>
    summands(end, output).filter((tensor) => standingOf(tensor) === 'settled'),
  );
}

/**
 * What a sum that one operation alone reads is made of, in place of the sum: ONNX Runtime joins it with a norm that
 * reads it, and then rounds otherwise than the two apart.
 */
function summands(end: Tensor, output: Tensor): readonly Tensor[] {
  const before = operationOf(end);
  if (before?.operator.name !== 'add' || end === output) return [end];
  const readers = operationsBefore([output]).filter(({ inputs }) => inputs.includes(end));
  return readers.length === 1 ? before.inputs : [end];
}

/** A tensor depends on the input and on nothing that changes; on something that changes; or on neither. */
type Standing = 'settled' | 'changing' | 'apart';

/** How many operations tensors depend on. */
export const operationCount = (tensors: readonly Tensor[]): number => operationsBefore(tensors).length;

/** Whether a tensor is computed, and neither fed nor kept. */
export const isComputed = (tensor: Tensor): boolean => operationOf(tensor) !== undefined;
