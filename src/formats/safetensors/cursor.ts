/** A whole number has at most as many digits as Number.MAX_SAFE_INTEGER. */
const MAX_DIGITS = 16;

/**
 * Reads the JSON of a safetensors header member by member, so that each tensor is checked before the next is
 * read: a hostile header of 100 MB of brackets then costs neither memory nor stack. Only what a header may
 * hold is understood: objects, arrays, strings and non-negative whole numbers. Unlike JSON.parse it refuses
 * duplicate keys, and keys never become properties, so `__proto__` is a name as any other.
 */
export class HeaderCursor {
  private readonly text: string;
  private readonly problem: (what: string) => Error;
  private position = 0;

  /** @param problem makes the error to throw from a description of what is wrong */
  constructor(text: string, problem: (what: string) => Error) {
    this.text = text;
    this.problem = problem;
  }

  /** Reads an object; `onMember` is called at each value and must read it. */
  object(onMember: (key: string) => void): void {
    const keys = new Set<string>();
    this.sequence('{', '}', () => {
      const start = this.position;
      const key = this.string();
      if (keys.has(key)) throw this.problem(`the header names a key twice (character ${start})`);
      keys.add(key);
      this.expect(':');
      onMember(key);
    });
  }

  /** Reads an array of at most `limit` non-negative whole numbers. */
  wholeNumbers(limit: number): number[] {
    const numbers: number[] = [];
    this.sequence('[', ']', () => {
      if (numbers.length === limit)
        throw this.problem(`the header lists more than ${limit} numbers in a row`);
      numbers.push(this.wholeNumber());
    });
    return numbers;
  }

  /** Reads a string of well-formed Unicode. */
  string(): string {
    this.skipSpace();
    const start = this.position;
    if (this.text[start] !== '"') throw this.expected('a text in double quotes');
    const end = this.closingQuote(start);
    this.position = end + 1;
    const literal = this.text.slice(start, end + 1);
    let value: unknown;
    try {
      value = JSON.parse(literal);
    } catch {
      throw this.problem(`the header holds an ill-formed text at character ${start}`);
    }
    if (typeof value !== 'string' || /\p{Cs}/u.test(value)) {
      throw this.problem(`the header holds an ill-formed text at character ${start}`);
    }
    return value;
  }

  /** Nothing but white space may follow. */
  end(): void {
    this.skipSpace();
    if (this.position < this.text.length) throw this.expected('the end of the header');
  }

  private wholeNumber(): number {
    this.skipSpace();
    const start = this.position;
    const digits = /^(?:0|[1-9]\d*)(?![\d.eE])/.exec(this.text.slice(start, start + MAX_DIGITS + 1))?.[0];
    if (digits === undefined) throw this.expected('a non-negative whole number');
    const value = Number(digits);
    if (!Number.isSafeInteger(value)) {
      throw this.problem(`the header holds an absurdly large number at character ${start}`);
    }
    this.position = start + digits.length;
    return value;
  }

  private sequence(open: string, close: string, onItem: () => void): void {
    this.expect(open);
    this.skipSpace();
    if (this.text[this.position] === close) {
      this.position++;
      return;
    }
    for (;;) {
      onItem();
      this.skipSpace();
      const separator = this.text[this.position];
      if (separator !== ',' && separator !== close) throw this.expected(`"," or "${close}"`);
      this.position++;
      if (separator === close) return;
    }
  }

  private closingQuote(start: number): number {
    for (let end = this.text.indexOf('"', start + 1); end >= 0; end = this.text.indexOf('"', end + 1)) {
      let slashes = 0;
      while (this.text[end - 1 - slashes] === '\\') slashes++;
      if (slashes % 2 === 0) return end;
    }
    throw this.problem(`the header holds a text without end at character ${start}`);
  }

  private expect(character: string): void {
    this.skipSpace();
    if (this.text[this.position] !== character) throw this.expected(`"${character}"`);
    this.position++;
  }

  private expected(what: string): Error {
    return this.problem(`the header should have ${what} at character ${this.position}`);
  }

  private skipSpace(): void {
    for (;;) {
      const character = this.text[this.position];
      if (character !== ' ' && character !== '\n' && character !== '\r' && character !== '\t') return;
      this.position++;
    }
  }
}
