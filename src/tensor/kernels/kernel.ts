import {
  type Code,
  type FunctionDefinition,
  functionsOver,
  loadVector,
  moduleOf,
  repeatedNumber,
  storeVector,
} from '../../ground/webassembly.ts';
import type { Tensor } from '../graph/operator.ts';
import type { UpdateChain } from './chain.ts';
import { INSTRUCTIONS } from './instructions.ts';

const VECTOR_BYTES = 16;

/** Vectors of one round, so that a processor has several to work on at once. */
const UNROLLED = 4;

/** Arrays that kernels work on have a multiple of these bytes. */
export const ROUND_BYTES = VECTOR_BYTES * UNROLLED;

/** Computes a chain: how many bytes each array has, the arrays' addresses in `arraysOf`'s order, and the scalars. */
type Kernel = (bytes: number, ...addressesAndScalars: number[]) => void;

/** What of a chain lies in memory. */
export const arraysOf = ({ variables, given }: UpdateChain): readonly Tensor[] => [...variables, ...given];

/** Makes kernels of chains; those of the same form, as AdamW's of all weights are, share their code. */
export class Kernels {
  readonly #modules = new Map<string, WebAssembly.Module>();
  readonly #kernels = new Map<WebAssembly.Memory, Map<WebAssembly.Module, Kernel>>();

  of(chain: UpdateChain, memory: WebAssembly.Memory): Kernel {
    const form = formOf(chain);
    const module = this.#modules.get(form) ?? new WebAssembly.Module(codeOf(chain));
    this.#modules.set(form, module);
    const here = this.#kernels.get(memory) ?? new Map<WebAssembly.Module, Kernel>();
    this.#kernels.set(memory, here);
    const kernel = here.get(module) ?? functionsOver<{ readonly update: Kernel }>(module, memory).update;
    here.set(module, kernel);
    return kernel;
  }
}

/** All tensors of a chain, in the order in which its code counts them. */
const tensorsOf = (chain: UpdateChain): readonly Tensor[] => [
  ...chain.scalars,
  ...arraysOf(chain),
  ...chain.operations.flatMap(({ outputs }) => outputs),
];

/** What its code is made from, as text. */
function formOf(chain: UpdateChain): string {
  const numbers = new Map(tensorsOf(chain).map((tensor, index) => [tensor, index]));
  const numberOf = (tensor: Tensor): number | undefined => numbers.get(tensor);
  return JSON.stringify([
    chain.scalars.length,
    arraysOf(chain).length,
    chain.operations.map(({ operator, inputs }) => [operator.name, ...inputs.map(numberOf)]),
    chain.updates.map(({ variable, next }) => [numberOf(variable), numberOf(next)]),
  ]);
}

/** A chain as a module: four elements of everything at once, only what enters and leaves touches memory. */
const codeOf = (chain: UpdateChain): Uint8Array<ArrayBuffer> => moduleOf([updater(chain)], false);

function updater(chain: UpdateChain): FunctionDefinition {
  const { operations, updates, scalars } = chain;
  const arrays = arraysOf(chain);
  const vectors = new Map(
    tensorsOf(chain).map((tensor, index): [Tensor, string] => [tensor, `vector ${index}`]),
  );
  const vectorOf = (tensor: Tensor): string => vectors.get(tensor) as string;
  const addresses = arrays.map((_, index) => `array ${index}`);
  const numbers = scalars.map((_, index) => `number ${index}`);
  const taken = new Set(operations.flatMap(({ inputs }) => inputs));
  return {
    name: 'update',
    parameters: ['bytes', ...addresses],
    numbers,
    locals: {
      done: 'i32',
      ...Object.fromEntries([...vectors.values()].map((name) => [name, 'vector' as const])),
    },
    body({ get, set, step, whileBelow }) {
      const addressOf = (array: Tensor): Code => get(addresses[arrays.indexOf(array)] as string);
      const fourAt = (offset: number): Code[] => [
        ...arrays.flatMap((array) =>
          taken.has(array) ? [set(vectorOf(array), loadVector(addressOf(array), offset))] : [],
        ),
        ...operations.map(({ operator, inputs, outputs: [output] }) => {
          const instruction = INSTRUCTIONS.get(operator.name) as (...operands: readonly Code[]) => Code;
          return set(vectorOf(output as Tensor), instruction(...inputs.map((x) => get(vectorOf(x)))));
        }),
        ...updates.map(({ variable, next }) => storeVector(addressOf(variable), get(vectorOf(next)), offset)),
      ];
      return [
        ...scalars.map((scalar, index) =>
          set(vectorOf(scalar), repeatedNumber(get(numbers[index] as string))),
        ),
        whileBelow('done', 'bytes', [
          ...Array.from({ length: UNROLLED }, (_, index) => fourAt(index * VECTOR_BYTES)).flat(),
          ...addresses.map((name) => step(name, ROUND_BYTES)),
          step('done', ROUND_BYTES),
        ]),
      ];
    },
  };
}
