import { ShapeError } from '../../ground/errors.ts';
import { allocate, type TensorArray } from '../graph/dtype.ts';
import { describe, type Parameter } from '../graph/operator.ts';
import { showShape, sizeOf } from '../graph/shape.ts';
import { initialValues, type TensorData } from '../graph/values.ts';
import { runtimeValue } from './feeds.ts';
import type { Tensor as Value } from './runtime.ts';

interface Slot {
  readonly parameter: Parameter;
  current: Value;
  /** Where the next value is written; ONNX Runtime must never read and write one buffer in the same run. */
  spare: Value | undefined;
}

/**
 * The current values of trainable parameters and of everything else that training carries from step to step
 * (moments, averages, statistics). Programs read from it and write updates back; several programs share one.
 * Values live twice, and a step swaps the two buffers.
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
    slot.spare = slot.current;
    slot.current = written;
  }

  /** Runs one piece of work at a time, so that steps begun together do not mix. */
  exclusively<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(work, work);
    this.#queue = result.catch(() => undefined);
    return result;
  }

  #slot(parameter: Parameter): Slot {
    const known = this.#slots.get(parameter.name);
    if (known === undefined) {
      const slot: Slot = {
        parameter,
        current: runtimeValue(parameter, initialValues(parameter)),
        spare: undefined,
      };
      this.#slots.set(parameter.name, slot);
      return slot;
    }
    if (known.parameter !== parameter) {
      throw new ShapeError(`two different parameters are called "${parameter.name}"; share one, or rename`);
    }
    return known;
  }
}
