import { countOf } from '../../ground/counts.ts';
import type { Framing } from './framed-photos.ts';

/** Photos named where no frame was found. */
const NAMED = 5;

/** Counts photos in which no frame was found, while they come. */
export class FramesCount {
  readonly #named: string[] = [];
  #without = 0;
  #photos = 0;

  add(name: string, framing: Framing): void {
    this.#photos++;
    if (framing !== 'whole') return;
    this.#without++;
    if (this.#named.length < NAMED) this.#named.push(name);
  }

  /** What is told of them; null where each has one, or its part was given. */
  line(): string | null {
    if (this.#without === 0) return null;
    const more = this.#without > NAMED ? ` and ${this.#without - NAMED} more` : '';
    return (
      `no frame was found in ${this.#without} of ${countOf(this.#photos, 'photo')} (${this.#named.join(', ')}${more}): ` +
      'there the whole picture counts'
    );
  }
}

/** As {@link FramesCount.line}, of photos that are all there. */
export function framesLine(
  photos: readonly { readonly name: string; readonly framing: Framing }[],
): string | null {
  const count = new FramesCount();
  for (const { name, framing } of photos) count.add(name, framing);
  return count.line();
}
