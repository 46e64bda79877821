import type { Parameter, Tensor } from '../graph/operator.ts';
import type { Shape } from '../graph/shape.ts';
import type { Update } from '../graph/update.ts';
import { updateChains } from '../kernels/chain.ts';
import { Kernels } from '../kernels/kernel.ts';
import { bytesTaken } from './arena.ts';
import { runtimeValue } from './feeds.ts';
import type { Tensor as Value } from './runtime.ts';
import type { Variables } from './variables.ts';

/** A result of the session that a kernel reads, and where it is written. */
interface Handover {
  readonly name: string;
  readonly tensor: Tensor;
  readonly values: Float32Array<ArrayBuffer>;
}

/**
 * The updates of a program that kernels do when its session has run. ONNX Runtime would need a pass over memory for
 * each operation of AdamW and a second buffer for each variable; a kernel reads and writes everything once, in place.
 */
export class UpdateKernels {
  /** What the session must give. */
  readonly handovers: readonly Handover[];
  readonly #updated: ReadonlySet<Parameter>;
  readonly #read: ReadonlySet<Parameter>;
  readonly #runs: readonly (() => void)[];

  /**
   * Takes what of the updates kernels can do, and moves the variables to memory that they reach. What this finds no
   * place for stays with the session.
   */
  constructor(outputs: readonly Tensor[], updates: readonly Update[], variables: Variables) {
    const chains = updateChains(outputs, updates);
    const homes = variables.settle(chains.map((chain) => ({ ...chain, buffers: chain.given.length })));
    const kernels = new Kernels();
    const handovers = new Map<Tensor, Handover>();
    const handOver = (tensor: Tensor, values: Float32Array<ArrayBuffer>): Handover => {
      const handover = { name: `given.${handovers.size}`, tensor, values };
      handovers.set(tensor, handover);
      return handover;
    };
    const settled = chains.flatMap((chain, index) => {
      const home = homes[index];
      return home ? [{ chain, home }] : [];
    });
    this.#runs = settled.map(({ chain, home }) => {
      const given = chain.given.map((tensor, place) =>
        handOver(tensor, home.buffers[place] as Float32Array<ArrayBuffer>),
      );
      const scalars = chain.scalars.map(
        (scalar) => handovers.get(scalar) ?? handOver(scalar, new Float32Array(1)),
      );
      const arrays = [
        ...chain.variables.map((variable) => variables.values(variable)),
        ...given.map(({ values }) => values),
      ];
      const addresses = arrays.map(({ byteOffset }) => byteOffset);
      const kernel = kernels.of(chain, home.memory);
      const bytes = bytesTaken(chain.size);
      return () => kernel(bytes, ...addresses, ...scalars.map(({ values }) => values[0] as number));
    });
    this.handovers = [...handovers.values()];
    this.#updated = new Set(settled.flatMap(({ chain }) => chain.updates.map(({ variable }) => variable)));
    this.#read = new Set(settled.flatMap(({ chain }) => chain.variables));
  }

  /** Whether a kernel gives this variable its next value, and not the session. */
  updates(variable: Parameter): boolean {
    return this.#updated.has(variable);
  }

  /** Whether a kernel reads or writes this variable. */
  reaches(variable: Parameter): boolean {
    return this.#read.has(variable);
  }

  run(): void {
    for (const run of this.#runs) run();
  }
}

/** Where the session writes what it hands over. @param shapes those in which it gives results, where they differ */
export const handoverValues = (
  { handovers }: UpdateKernels,
  shapes: Readonly<Record<string, Shape>>,
): Record<string, Value> =>
  Object.fromEntries(
    handovers.map(({ name, tensor: { dtype, shape }, values }) => [
      name,
      runtimeValue({ dtype, shape: shapes[name] ?? shape }, values),
    ]),
  );
