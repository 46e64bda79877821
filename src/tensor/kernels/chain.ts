import { isParameter, type Operation, operationOf, type Parameter, type Tensor } from '../graph/operator.ts';
import { sizeOf } from '../graph/shape.ts';
import { operationsBefore } from '../graph/traverse.ts';
import type { Update } from '../graph/update.ts';
import { isComputable } from './instructions.ts';

/**
 * Elementwise operations that only updates need, over tensors of one size: what AdamW does with a weight, its
 * moments and its gradient. They can wait until everything else is done, and write over what they read.
 */
export interface UpdateChain {
  /** Number of elements of every tensor that is no single number. */
  readonly size: number;
  /** Each after what it needs. */
  readonly operations: readonly Operation[];
  /** What the variables become: results of operations of the chain. */
  readonly updates: readonly Update[];
  /** Variables whose elements the chain reads or writes. */
  readonly variables: readonly Parameter[];
  /** What else comes from outside, element by element: gradients above all. */
  readonly given: readonly Tensor[];
  /** Single numbers from outside. */
  readonly scalars: readonly Tensor[];
}

/**
 * Finds the chains at the end of a program.
 *
 * An operation belongs to one when a kernel can compute it and nobody needs its result but operations of the chain and
 * variables. What shares a tensor shares a chain, so that none reads what another has written already.
 *
 * @param outputs what the program gives besides
 */
export function updateChains(outputs: readonly Tensor[], updates: readonly Update[]): UpdateChain[] {
  const order = operationsBefore([...outputs, ...updates.map(({ next }) => next)]);
  const members = membersOf(order, outputs);
  const ended = updates.filter(({ next }) => members.has(operationOf(next) as Operation));
  const chainOf = new Map<Tensor, Set<Tensor>>();
  const join = (tensors: readonly Tensor[]): void => {
    const joined = new Set(tensors.flatMap((tensor) => [...(chainOf.get(tensor) ?? [tensor])]));
    for (const tensor of joined) chainOf.set(tensor, joined);
  };
  for (const operation of members) join([...operation.inputs.filter(isFull), ...operation.outputs]);
  for (const { variable, next } of ended) join([variable, next]);
  const inOrder = order.filter((operation) => members.has(operation));
  return [...new Set(chainOf.values())].map((tensors) => chainFrom(tensors, inOrder, ended));
}

const isFull = ({ shape }: Tensor): boolean => sizeOf(shape) > 1;

/** Looks from the end: whatever an operation outside of a chain takes is needed there. */
function membersOf(order: readonly Operation[], outputs: readonly Tensor[]): ReadonlySet<Operation> {
  const needed = new Set(outputs);
  const members = new Set<Operation>();
  for (const operation of order.toReversed()) {
    const { inputs, outputs: results } = operation;
    const mayWait =
      isComputable(operation) && results.every((result) => isFull(result) && !needed.has(result));
    if (mayWait) members.add(operation);
    for (const x of inputs) if (!mayWait || !isFull(x)) needed.add(x);
  }
  return members;
}

function chainFrom(
  tensors: ReadonlySet<Tensor>,
  members: readonly Operation[],
  updates: readonly Update[],
): UpdateChain {
  const operations = members.filter(({ outputs }) => tensors.has(outputs[0] as Tensor));
  const made = new Set(operations.flatMap(({ outputs }) => outputs));
  const taken = new Set(operations.flatMap(({ inputs }) => inputs));
  const ended = updates.filter(({ next }) => made.has(next));
  const full = [...tensors].filter((tensor) => !made.has(tensor));
  const variables = full.filter(isVariable);
  return {
    size: sizeOf((full[0] as Tensor).shape),
    operations,
    updates: ended,
    variables,
    given: full.filter((tensor) => !isVariable(tensor)),
    scalars: [...taken].filter((tensor) => !isFull(tensor)),
  };
}

const isVariable = (tensor: Tensor): tensor is Parameter => isParameter(tensor) && tensor.variable;
