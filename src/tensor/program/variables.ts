import { ShapeError } from '../../ground/errors.ts';
import { allocate, type TensorArray } from '../graph/dtype.ts';
import { describe, type Parameter } from '../graph/operator.ts';
import { showShape, sizeOf } from '../graph/shape.ts';
import { initialValues, startWith, type TensorData } from '../graph/values.ts';
import { Arena, bytesTaken, MOST_BYTES } from './arena.ts';
import { runtimeValue } from './feeds.ts';
import type { Tensor as Value } from './runtime.ts';

interface Slot {
  readonly parameter: Parameter;
  current: Value;
  /** Where the next value is written; ONNX Runtime must never read and write one buffer in the same run. */
  spare: Value | undefined;
  /** Where it was settled, and stays. */
  home: Home | undefined;
}

/** Where variables of one size lie that kernels take together. */
export interface Home {
  readonly memory: WebAssembly.Memory;
  /** Arrays of the same size, for what a kernel takes besides. */
  readonly buffers: readonly Float32Array<ArrayBuffer>[];
}

/** Variables that are to lie in one memory. */
export interface Household {
  /** Elements of each. */
  readonly size: number;
  readonly variables: readonly Parameter[];
  /** How many arrays of the same size must lie beside them. */
  readonly buffers: number;
}

/** Small enough that the system gives it easily, large enough that a few do for the largest network. */
const ARENA_BYTES = 2 ** 30;

/**
 * The current values of trainable parameters and of everything else that training carries from step to step
 * (moments, averages, statistics). Programs read from it and write updates back; several programs share one.
 * Values that ONNX Runtime updates live twice, and a step swaps the two buffers; those that kernels update have one
 * place, where they stay.
 */
export class Variables {
  readonly #slots = new Map<string, Slot>();
  #queue: Promise<unknown> = Promise.resolve();

  /** The current elements; made from the parameter's initial value at first use. Do not keep across steps. */
  values(parameter: Parameter): TensorArray {
    return this.#slot(parameter).current.data as TensorArray;
  }

  /** Replaces the elements. @throws ShapeError when the count differs */
  set(parameter: Parameter, values: TensorArray): void {
    const target = this.values(parameter);
    if (values.length !== target.length || values.constructor !== target.constructor) {
      throw new ShapeError(
        `${describe(parameter)} cannot hold ${values.constructor.name} of ${values.length}`,
      );
    }
    (target as Float32Array).set(values as Float32Array);
  }

  /** All values held, by name, in order of first use. */
  snapshot(): Record<string, TensorData> {
    return Object.fromEntries(
      [...this.#slots.values()].map(({ parameter: { name, dtype, shape }, current }) => [
        name,
        { dtype, shape, values: current.data as TensorArray },
      ]),
    );
  }

  /**
   * Takes values by name, as `snapshot` gave them, for the parameters listed.
   *
   * @throws ShapeError when one is missing or misshapen
   */
  restore(parameters: Iterable<Parameter>, from: Readonly<Record<string, TensorData>>): void {
    for (const parameter of parameters) {
      const data = from[parameter.name];
      if (data === undefined) throw new ShapeError(`saved state has no ${describe(parameter)}; start afresh`);
      if (data.dtype !== parameter.dtype || data.values.length !== sizeOf(parameter.shape)) {
        const saved = `${data.dtype}${showShape(data.shape)}`;
        throw new ShapeError(`saved state has ${saved} for ${describe(parameter)}; start afresh`);
      }
      this.set(parameter, data.values);
    }
  }

  /** For programs: the value to feed. */
  feed(parameter: Parameter): Value {
    return this.#slot(parameter).current;
  }

  /** For programs: the buffer the next value goes to. */
  target(parameter: Parameter): Value {
    const slot = this.#slot(parameter);
    slot.spare ??= runtimeValue(parameter, allocate(parameter.dtype, sizeOf(parameter.shape)));
    return slot.spare;
  }

  /** For programs: makes what was written the current value. */
  swap(parameter: Parameter): void {
    const slot = this.#slot(parameter);
    const written = this.target(parameter);
    if (slot.home) {
      this.set(parameter, written.data as TensorArray);
      return;
    }
    slot.spare = slot.current;
    slot.current = written;
  }

  /**
   * For programs: moves the float32 variables of each household into one memory, where no other program has done so
   * yet. `undefined` for one whose variables live apart already, have too few buffers, share a home with another
   * household asked for, or do not fit.
   */
  settle(households: readonly Household[]): (Home | undefined)[] {
    const homeless = households.filter(({ variables }) => variables.every((v) => !this.#known(v)?.home));
    for (const neighbours of byArena(homeless)) this.#moveIn(neighbours);
    const taken = new Set<Home>();
    return households.map(({ variables, buffers }) => {
      const [home, ...others] = new Set(variables.map((variable) => this.#slot(variable).home));
      if (home === undefined || others.length > 0 || home.buffers.length < buffers || taken.has(home))
        return undefined;
      taken.add(home);
      return home;
    });
  }

  #moveIn(households: readonly Household[]): void {
    const arena = arenaOf(households.reduce((total, household) => total + bytesOf(household), 0));
    if (arena === undefined) return;
    for (const { size, variables, buffers } of households) {
      const home = {
        memory: arena.memory,
        buffers: Array.from({ length: buffers }, () => arena.take(size)),
      };
      for (const parameter of variables) {
        const known = this.#known(parameter);
        const values = arena.take(size);
        if (known) values.set(known.current.data as Float32Array);
        else startWith(parameter, values);
        const current = runtimeValue(parameter, values);
        this.#slots.set(parameter.name, { parameter, current, spare: undefined, home });
      }
    }
  }

  /** Runs one piece of work at a time, so that steps begun together do not mix. */
  exclusively<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(work, work);
    this.#queue = result.catch(() => undefined);
    return result;
  }

  #slot(parameter: Parameter): Slot {
    const known = this.#known(parameter);
    if (known) return known;
    const current = runtimeValue(parameter, initialValues(parameter));
    const slot: Slot = { parameter, current, spare: undefined, home: undefined };
    this.#slots.set(parameter.name, slot);
    return slot;
  }

  /** The slot of a parameter that has been used; undefined: it has not. */
  #known(parameter: Parameter): Slot | undefined {
    const known = this.#slots.get(parameter.name);
    if (known === undefined || known.parameter === parameter) return known;
    throw new ShapeError(`two different parameters are called "${parameter.name}"; share one, or rename`);
  }
}

const bytesOf = ({ size, variables, buffers }: Household): number =>
  (variables.length + buffers) * bytesTaken(size);

/** Households in order, as many at a time as an arena holds; what no memory can hold is left out. */
function byArena(households: readonly Household[]): Household[][] {
  const arenas: Household[][] = [];
  let free = 0;
  for (const household of households) {
    const bytes = bytesOf(household);
    if (bytes > MOST_BYTES) continue;
    if (bytes > free) {
      arenas.push([]);
      free = ARENA_BYTES;
    }
    arenas.at(-1)?.push(household);
    free -= bytes;
  }
  return arenas;
}

/** Undefined where the system gives no more: WebAssembly reserves more addresses than it uses. */
function arenaOf(bytes: number): Arena | undefined {
  try {
    return new Arena(bytes);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
