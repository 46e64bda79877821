import { type Operation, operationOf, type Tensor } from './operator.ts';

/**
 * Every operation that `roots` depend on, each after what it depends on.
 *
 * @param boundary tensors taken as given: what only they depend on is left out
 */
export function operationsBefore(
  roots: Iterable<Tensor>,
  boundary: { readonly has: (tensor: Tensor) => boolean } = new Set(),
): Operation[] {
  const order: Operation[] = [];
  const state = new Map<Operation, 'open' | 'done'>();
  const stack: Operation[] = [];
  const push = (tensor: Tensor): void => {
    const operation = boundary.has(tensor) ? undefined : operationOf(tensor);
    if (operation && !state.has(operation)) stack.push(operation);
  };
  for (const root of roots) {
    push(root);
    // An explicit stack: a deep network would overflow the call stack.
    while (stack.length > 0) {
      const operation = stack[stack.length - 1] as Operation;
      if (state.get(operation) === undefined) {
        state.set(operation, 'open');
        for (let i = operation.inputs.length - 1; i >= 0; i--) push(operation.inputs[i] as Tensor);
      } else {
        stack.pop();
        if (state.get(operation) === 'open') {
          state.set(operation, 'done');
          order.push(operation);
        }
      }
    }
  }
  return order;
}

/** The leaves (inputs, parameters, constants, placeholders) that `roots` depend on, in order of first use. */
export function leavesBefore(roots: readonly Tensor[]): Tensor[] {
  const leaves = new Set<Tensor>();
  const visit = (tensor: Tensor): void => {
    if (tensor.origin.kind !== 'operation') leaves.add(tensor);
  };
  for (const operation of operationsBefore(roots)) operation.inputs.forEach(visit);
  roots.forEach(visit);
  return [...leaves];
}

/** The operations in `order` (inputs first) that depend on any of `sources`. */
export function operationsAfter(
  order: readonly Operation[],
  sources: ReadonlySet<Tensor>,
): ReadonlySet<Operation> {
  const dependent = new Set<Operation>();
  for (const operation of order) {
    const depends = operation.inputs.some((tensor) => {
      const before = operationOf(tensor);
      return sources.has(tensor) || (before !== undefined && dependent.has(before));
    });
    if (depends) dependent.add(operation);
  }
  return dependent;
}
