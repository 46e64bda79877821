import { PAGE_BYTES } from '../../ground/webassembly.ts';
import { ROUND_BYTES } from '../kernels/kernel.ts';

/** What a 32-bit address reaches. */
export const MOST_BYTES = 2 ** 32 - PAGE_BYTES;

/** What an array takes of an arena: kernels go through it in whole rounds. */
export const bytesTaken = (length: number): number =>
  Math.ceil((length * Float32Array.BYTES_PER_ELEMENT) / ROUND_BYTES) * ROUND_BYTES;

/** Memory that kernels can work on, of a fixed size, handed out array by array. */
export class Arena {
  readonly memory: WebAssembly.Memory;
  #used = 0;

  /** @throws RangeError when the system does not give so much */
  constructor(bytes: number) {
    const pages = Math.ceil(bytes / PAGE_BYTES);
    this.memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  }

  /** The next array, of zeros. */
  take(length: number): Float32Array<ArrayBuffer> {
    const array = new Float32Array(this.memory.buffer, this.#used, length);
    this.#used += bytesTaken(length);
    return array;
  }
}
