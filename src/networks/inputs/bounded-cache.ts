/**
 * Values that cost much to make: those used last stay in memory, up to a limit, the others are made again. Who asks
 * for a value that is being made waits for it.
 */
export class BoundedCache<Value> {
  readonly #limitBytes: number;
  readonly #bytesOf: (value: Value) => number;
  readonly #kept = new Map<string, Promise<Value>>();
  readonly #sizes = new Map<string, number>();
  #bytes = 0;

  /** @param limitBytes memory for kept values; one being made is on top of it */
  constructor(limitBytes: number, bytesOf: (value: Value) => number) {
    this.#limitBytes = limitBytes;
    this.#bytesOf = bytesOf;
  }

  /** The value of a key, made where it is not kept. A failure is not remembered. */
  get(key: string, make: () => Promise<Value>): Promise<Value> {
    const value = this.#kept.get(key) ?? this.#made(key, make);
    this.#kept.delete(key);
    this.#kept.set(key, value);
    return value;
  }

  async #made(key: string, make: () => Promise<Value>): Promise<Value> {
    try {
      const value = await make();
      const size = this.#bytesOf(value);
      this.#sizes.set(key, size);
      this.#bytes += size;
      this.#shrink();
      return value;
    } catch (error) {
      this.#kept.delete(key);
      throw error;
    }
  }

  #shrink(): void {
    for (const key of this.#kept.keys()) {
      if (this.#bytes <= this.#limitBytes) return;
      const size = this.#sizes.get(key);
      // Without a size it is still being made.
      if (size === undefined) continue;
      this.#bytes -= size;
      this.#sizes.delete(key);
      this.#kept.delete(key);
    }
  }
}
