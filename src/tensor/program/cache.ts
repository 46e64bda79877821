import { type Shape, showShape } from '../graph/shape.ts';

interface Disposable {
  dispose(): Promise<void>;
}

/**
 * Keeps the programs of a model that were compiled for different input shapes. The least recently used one is
 * disposed when there are more than `limit`.
 */
export class ProgramCache<P extends Disposable> {
  readonly #build: (shape: Shape) => Promise<P>;
  readonly #limit: number;
  readonly #programs = new Map<string, Promise<P>>();

  /** @param build compiles the program for a shape */
  constructor(build: (shape: Shape) => Promise<P>, limit = 4) {
    this.#build = build;
    this.#limit = limit;
  }

  /** The program for a shape, compiled at first use. A failed compilation is tried again next time. */
  async for(shape: Shape): Promise<P> {
    const key = showShape(shape);
    const program = this.#programs.get(key) ?? this.#build(shape);
    this.#programs.delete(key);
    this.#programs.set(key, program);
    const [oldest] = this.#programs;
    if (this.#programs.size > this.#limit && oldest) {
      this.#programs.delete(oldest[0]);
      await (await oldest[1]).dispose();
    }
    try {
      return await program;
    } catch (error) {
      if (this.#programs.get(key) === program) this.#programs.delete(key);
      throw error;
    }
  }

  /** Disposes all programs. */
  async dispose(): Promise<void> {
    const programs = [...this.#programs.values()];
    this.#programs.clear();
    await Promise.all(programs.map(async (program) => (await program).dispose()));
  }
}
