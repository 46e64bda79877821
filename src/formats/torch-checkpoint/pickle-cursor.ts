/** Reads the arguments of a pickle's instructions, never beyond its bytes. */
export class PickleCursor {
  readonly #bytes: Buffer;
  readonly #problem: (what: string) => Error;
  #position = 0;

  /** @param problem makes the error to throw from a description of what is wrong */
  constructor(bytes: ArrayBuffer, problem: (what: string) => Error) {
    this.#bytes = Buffer.from(bytes);
    this.#problem = problem;
  }

  get position(): number {
    return this.#position;
  }

  /** An unsigned number of 1, 2, 4 or 8 bytes. @throws for one above what a number holds exactly */
  unsigned(length: 1 | 2 | 4 | 8): number {
    const at = this.skip(length);
    const value = length < 8 ? this.#bytes.readUIntLE(at, length) : Number(this.#bytes.readBigUInt64LE(at));
    if (!Number.isSafeInteger(value)) throw this.#problem(`states an absurd length at byte ${at}`);
    return value;
  }

  /** A float of 8 bytes, which pickles store with the highest first. */
  float(): number {
    return this.#bytes.readDoubleBE(this.skip(8));
  }

  /** A signed whole number of `length` bytes; undefined where a number does not hold it exactly. */
  whole(length: number): number | undefined {
    const at = this.skip(length);
    if (length === 0) return 0;
    if (length > 8) return undefined;
    const digits = Buffer.from(this.#bytes.subarray(at, at + length))
      .reverse()
      .toString('hex');
    const number = Number(BigInt.asIntN(8 * length, BigInt(`0x${digits}`)));
    return Number.isSafeInteger(number) ? number : undefined;
  }

  /** Text of `length` bytes in UTF-8; undefined where it is ill-formed. */
  text(length: number): string | undefined {
    const at = this.skip(length);
    try {
      const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
      return decoder.decode(this.#bytes.subarray(at, at + length));
    } catch {
      return undefined;
    }
  }

  /** Text up to the end of the line. */
  line(): string | undefined {
    const end = this.#bytes.indexOf(0x0a, this.#position);
    if (end < 0) throw this.#problem(`ends inside a line at byte ${this.#position}`);
    const text = this.text(end - this.#position);
    this.skip(1);
    return text;
  }

  /** Passes over bytes and says where they begin. */
  skip(length: number): number {
    const at = this.#position;
    if (length > this.#bytes.byteLength - at) throw this.#problem(`ends early, at byte ${at}`);
    this.#position = at + length;
    return at;
  }
}
