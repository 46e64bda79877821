import type { Operation, Tensor } from '../graph/operator.ts';
import { operationsBefore } from '../graph/traverse.ts';

/** A graph made again operation by operation, whatever is before an operation first. Leaves are their own copies. */
export class GraphCopy {
  readonly #copies = new Map<Tensor, Tensor>();
  readonly #make: (operation: Operation, inputs: readonly Tensor[]) => readonly Tensor[];

  /** @param make the outputs of an operation in the copy, from the copies of what it was given */
  constructor(make: (operation: Operation, inputs: readonly Tensor[]) => readonly Tensor[]) {
    this.#make = make;
  }

  /** A tensor in the copy, also one that an operator keeps among its attributes. */
  of = (tensor: Tensor): Tensor => {
    for (const operation of operationsBefore([tensor], this.#copies)) {
      // Made meanwhile, for an operator that keeps a tensor.
      if (this.#copies.has(operation.outputs[0] as Tensor)) continue;
      const outputs = this.#make(operation, operation.inputs.map(this.#known));
      operation.outputs.forEach((old, index) => {
        this.#copies.set(old, outputs[index] as Tensor);
      });
    }
    return this.#known(tensor);
  };

  #known = (tensor: Tensor): Tensor => this.#copies.get(tensor) ?? tensor;
}
