import type { Tensor } from '../graph/operator.ts';
import type { UpdateChain } from './chain.ts';
import { INSTRUCTIONS } from './instructions.ts';
import {
  access,
  advance,
  type Bytes,
  FUNCTION,
  localGet,
  localSet,
  loopUntilZero,
  MEMORY,
  moduleOf,
  type VectorCode,
  vector,
} from './wasm.ts';

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
    const bytes = codeOf(chain);
    const key = Buffer.from(bytes).toString('base64');
    const module = this.#modules.get(key) ?? new WebAssembly.Module(bytes);
    this.#modules.set(key, module);
    const here = this.#kernels.get(memory) ?? new Map<WebAssembly.Module, Kernel>();
    this.#kernels.set(memory, here);
    const kernel = here.get(module) ?? kernelFrom(module, memory);
    here.set(module, kernel);
    return kernel;
  }
}

function kernelFrom(module: WebAssembly.Module, memory: WebAssembly.Memory): Kernel {
  const { exports } = new WebAssembly.Instance(module, { [MEMORY.module]: { [MEMORY.field]: memory } });
  return exports[FUNCTION] as Kernel;
}

/** A chain as a module: four elements of everything at once, only what enters and leaves touches memory. */
function codeOf(chain: UpdateChain): Uint8Array<ArrayBuffer> {
  const { operations, updates, scalars } = chain;
  const arrays = arraysOf(chain);
  const [count, firstArray, firstScalar] = [0, 1, 1 + arrays.length];
  const parameters = firstScalar + scalars.length;
  const vectors = new Map<Tensor, number>();
  for (const tensor of [...scalars, ...arrays, ...operations.flatMap(({ outputs }) => outputs)]) {
    vectors.set(tensor, parameters + vectors.size);
  }
  const get = (tensor: Tensor): Bytes => localGet(vectors.get(tensor) as number);
  const set = (tensor: Tensor): Bytes => localSet(vectors.get(tensor) as number);
  const taken = new Set(operations.flatMap(({ inputs }) => inputs));
  const spread = scalars.map((scalar, index) => [
    ...localGet(firstScalar + index),
    ...vector('f32x4.splat'),
    ...set(scalar),
  ]);
  const fourAt = (offset: number): Bytes => [
    ...arrays.flatMap((array, index) =>
      taken.has(array)
        ? [...localGet(firstArray + index), ...access('v128.load', offset), ...set(array)]
        : [],
    ),
    ...operations.flatMap(({ operator, inputs, outputs: [output] }) => [
      ...inputs.flatMap(get),
      ...vector(INSTRUCTIONS.get(operator.name) as VectorCode),
      ...set(output as Tensor),
    ]),
    ...updates.flatMap(({ variable, next }) => [
      ...localGet(firstArray + arrays.indexOf(variable)),
      ...get(next),
      ...access('v128.store', offset),
    ]),
  ];
  const round = [
    ...Array.from({ length: UNROLLED }, (_, index) => fourAt(index * VECTOR_BYTES)).flat(),
    ...arrays.flatMap((_, index) => advance(firstArray + index, ROUND_BYTES)),
  ];
  const body = [...spread.flat(), ...loopUntilZero(count, ROUND_BYTES, round)];
  const addresses = ['i32' as const, ...arrays.map(() => 'i32' as const)];
  return moduleOf([...addresses, ...scalars.map(() => 'f32' as const)], vectors.size, body);
}
