import { hash } from 'node:crypto';

/** Hexadecimal digits of a text's hash that count: among a million texts two are alike once in 600 times, which costs a look. */
const MARK_DIGITS = 12;

/** Marks that there is room for at first. */
const FEW = 1024;

/** A number that is the same for the same text, and hardly ever for another. */
export const markOf = (text: string): number =>
  Number.parseInt(hash('sha1', text, 'hex').slice(0, MARK_DIGITS), 16);

/**
 * Finds which of millions of texts may come more than once, in eight bytes a text: who finds some looks at those alone
 * a second time.
 */
export class TextMarks {
  #marks = new Float64Array(FEW);
  #count = 0;

  add(text: string): void {
    if (this.#count === this.#marks.length) {
      const more = new Float64Array(2 * this.#count);
      more.set(this.#marks);
      this.#marks = more;
    }
    this.#marks[this.#count++] = markOf(text);
  }

  /** The marks that were added more than once; every text that comes twice has one of them. */
  repeated(): ReadonlySet<number> {
    // In place: their order means nothing, and a copy would be another eight bytes a text.
    const sorted = this.#marks.subarray(0, this.#count).sort();
    const repeated = new Set<number>();
    for (let place = 1; place < sorted.length; place++) {
      if (sorted[place] === sorted[place - 1]) repeated.add(sorted[place] as number);
    }
    return repeated;
  }
}

/** The texts that come more than once. @param texts gives them, as often as it is called */
export function repeatedTexts(texts: () => Iterable<string>): ReadonlySet<string> {
  const marks = new TextMarks();
  for (const text of texts()) marks.add(text);
  const suspects = marks.repeated();
  const seen = new Set<string>();
  const repeated = new Set<string>();
  if (suspects.size === 0) return repeated;
  for (const text of texts()) {
    if (!suspects.has(markOf(text))) continue;
    if (seen.has(text)) repeated.add(text);
    seen.add(text);
  }
  return repeated;
}
