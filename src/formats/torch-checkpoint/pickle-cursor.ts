/** Reads the arguments of a pickle's instructions, never beyond its bytes. */
export class PickleCursor {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #problem: (what: string) => Error;
  #position = 0;

  /** @param problem makes the error to throw from a description of what is wrong */
  constructor(bytes: Uint8Array, problem: (what: string) => Error) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#problem = problem;
  }

  get position(): number {
    return this.#position;
  }

  /** An unsigned number of 1, 2, 4 or 8 bytes. @throws for one above what a number holds exactly */
  unsigned(length: 1 | 2 | 4 | 8): number {
    const at = this.#take(length);
    if (length === 1) return this.#view.getUint8(at);
    if (length === 2) return this.#view.getUint16(at, true);
    if (length === 4) return this.#view.getUint32(at, true);
    const value = this.#view.getBigUint64(at, true);
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw this.#problem(`states an absurd length at byte ${at}`);
    return Number(value);
  }

  /** A signed number of 4 bytes. */
  signed(): number {
    return this.#view.getInt32(this.#take(4), true);
  }

  /** A float of 8 bytes, which pickles store with the highest first. */
  float(): number {
    return this.#view.getFloat64(this.#take(8), false);
  }

  /** A signed whole number of `length` bytes; undefined where a number does not hold it exactly. */
  whole(length: number): number | undefined {
    const at = this.#take(length);
    if (length > 8) return undefined;
    let value = 0n;
    for (let index = length - 1; index >= 0; index--) {
      value = value * 256n + BigInt(this.#view.getUint8(at + index));
    }
    const number = Number(BigInt.asIntN(8 * length, value));
    return Number.isSafeInteger(number) ? number : undefined;
  }

  /** Text of `length` bytes in UTF-8; undefined where it is ill-formed. */
  text(length: number): string | undefined {
    const at = this.#take(length);
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(
        this.#bytes.subarray(at, at + length),
      );
    } catch {
      return undefined;
    }
  }

  /** Text up to the end of the line. */
  line(): string | undefined {
    const end = this.#bytes.indexOf(0x0a, this.#position);
    if (end < 0) throw this.#problem(`ends inside a line at byte ${this.#position}`);
    const text = this.text(end - this.#position);
    this.#take(1);
    return text;
  }

  skip(length: number): void {
    this.#take(length);
  }

  #take(length: number): number {
    const at = this.#position;
    if (length > this.#bytes.byteLength - at) throw this.#problem(`ends early, at byte ${at}`);
    this.#position = at + length;
    return at;
  }
}
