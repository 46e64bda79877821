/**
 * Writes small WebAssembly modules: loops over arrays that JavaScript takes several times as long for. Opcodes are
 * those of the core specification, version 2 (chapter 5, binary format). Values are given as code that puts them on
 * the stack.
 */
export type Code = readonly number[];

/** Types by the specification's numbers; `vector` is a v128. */
const TYPES = { i32: 0x7f, f32: 0x7d, f64: 0x7c, vector: 0x7b } as const;
type Type = keyof typeof TYPES;

/** A function of i32 parameters, f32 ones after them, and no result. */
export interface FunctionDefinition {
  readonly name: string;
  /** Names of parameters, all i32. */
  readonly parameters: readonly string[];
  /** Names of further ones, all f32. */
  readonly numbers?: readonly string[];
  readonly locals: Readonly<Record<string, Type>>;
  readonly body: (scope: Scope) => readonly Code[];
}

/** The variables of a function by name. */
export interface Scope {
  get(name: string): Code;
  set(name: string, value: Code): Code;
  /** Adds to a variable. */
  step(name: string, by: number): Code;
  /** Repeats while one i32 variable, taken as unsigned, is below another. */
  whileBelow(name: string, end: string, body: readonly Code[]): Code;
  /** Ends the innermost {@link whileBelow} where an i32 is not 0; it stands in its body, not within a `when` there. */
  leaveWhen(condition: Code): Code;
  /** Runs only where an i32 is not 0. */
  when(condition: Code, body: readonly Code[]): Code;
  /** Runs another function of the module. */
  call(name: string, ...values: readonly Code[]): Code;
}

const operation =
  (...opcode: number[]) =>
  (...operands: readonly Code[]): Code => [...operands.flat(), ...opcode];

/** Reads what lies `offset` bytes after an address; alignment is a hint only, so that none is promised. */
const load =
  (...opcode: number[]) =>
  (address: Code, offset = 0): Code => [...address, ...opcode, 0, ...unsigned(offset)];

/** Writes there. */
const store =
  (...opcode: number[]) =>
  (address: Code, value: Code, offset = 0): Code => [...address, ...value, ...opcode, 0, ...unsigned(offset)];

export const constant = (value: number): Code => [0x41, ...signed(value)];
export const add = operation(0x6a);
export const shiftLeft = operation(0x74);
export const loadByte = load(0x2d);
export const loadShort = load(0x2f);
export const loadInteger = load(0x28);
export const loadDouble = load(0x2b);
export const storeDouble = store(0x39);
export const double = (value: number): Code => [0x44, ...new Uint8Array(Float64Array.of(value).buffer)];
export const addDoubles = operation(0xa0);
export const subtractDoubles = operation(0xa1);
export const multiplyDoubles = operation(0xa2);
export const subtract = operation(0x6b);
/** Bits of two integers, and comparisons that give 1 or 0. */
export const bitsOf = operation(0x71);
export const isZero = operation(0x45);
export const isBelow = operation(0x48);
export const isAtLeast = operation(0x4e);
export const isAboveDouble = operation(0x64);
/** A signed integer as a double. */
export const asDouble = operation(0xb7);

/** Sixteen bytes. */
export const loadVector = load(0xfd, 0x00);
export const storeVector = store(0xfd, 0x0b);
/** Sixteen zero bytes. */
export const noVector: Code = [0xfd, 0x0c, ...new Array<number>(16).fill(0)];
/** Two doubles at once. */
export const addPairs = operation(0xfd, 0xf0, 0x01);
export const subtractPairs = operation(0xfd, 0xf1, 0x01);
export const multiplyPairs = operation(0xfd, 0xf2, 0x01);
export const dividePairs = operation(0xfd, 0xf3, 0x01);
export const absolutePairs = operation(0xfd, 0xec, 0x01);
/** Where the first is below the second the second, else the first. */
export const largerPairs = operation(0xfd, 0xf7, 0x01);
/** Of two doubles at once, all bits set where the comparison holds. */
export const equalPairs = operation(0xfd, 0x47);
export const unequalPairs = operation(0xfd, 0x48);
export const belowPairs = operation(0xfd, 0x49);
export const atLeastPairs = operation(0xfd, 0x4c);
/** Bits that both, either, or only the first of two vectors have. */
export const bothBits = operation(0xfd, 0x4e);
export const onlyFirstBits = operation(0xfd, 0x4f);
export const eitherBits = operation(0xfd, 0x50);
/** Whether any bit is set. */
export const hasBits = operation(0xfd, 0x53);
/** Two bits: those of the signs of the two doubles. */
export const signsOfPair = operation(0xfd, 0xc4, 0x01);
/** Twice the same double. */
export const repeatedDouble = operation(0xfd, 0x14);
export const firstOfPair = operation(0xfd, 0x21, 0);
export const secondOfPair = operation(0xfd, 0x21, 1);
/** Twice the same double. */
export const loadRepeatedDouble = load(0xfd, 0x0a);
/** Two doubles. */
export const pairOf = (first: number, second: number): Code => [
  ...[0xfd, 0x0c],
  ...new Uint8Array(Float64Array.of(first, second).buffer),
];
/** Bytes of the doubles of a pair. */
const FIRST = [0, 1, 2, 3, 4, 5, 6, 7] as const;
const SECOND = [8, 9, 10, 11, 12, 13, 14, 15] as const;
/** Four times the same number of single precision. */
export const repeatedNumber = operation(0xfd, 0x13);
/** Four numbers of single precision at once, each rounded correctly. */
export const absoluteNumbers = operation(0xfd, 0xe0, 0x01);
export const negatedNumbers = operation(0xfd, 0xe1, 0x01);
export const rootsOfNumbers = operation(0xfd, 0xe3, 0x01);
export const addNumbers = operation(0xfd, 0xe4, 0x01);
export const subtractNumbers = operation(0xfd, 0xe5, 0x01);
export const multiplyNumbers = operation(0xfd, 0xe6, 0x01);
export const divideNumbers = operation(0xfd, 0xe7, 0x01);
/** Four times the same integer. */
export const loadRepeated = load(0xfd, 0x09);
/** Stores the first 4 bytes. */
export const storeFirstInteger = (address: Code, vector: Code): Code => [
  ...address,
  ...vector,
  ...[0xfd, 0x5a, 0, 0, 0],
];
/** Bytes of a vector by their numbers; 255 for a zero. */
export const pickBytes = (vector: Code, numbers: readonly number[]): Code => [
  ...vector,
  ...[0xfd, 0x0c, ...numbers],
  ...[0xfd, 0x0e],
];
/** Bytes of two vectors by their numbers, 16 and more for those of the second. */
export const mixBytes = (first: Code, second: Code, numbers: readonly number[]): Code => [
  ...first,
  ...second,
  ...[0xfd, 0x0d, ...numbers],
];
/** The first, or second, doubles of two pairs. */
export const firstsOf = (one: Code, other: Code): Code =>
  mixBytes(one, other, [...FIRST, ...FIRST.map((byte) => byte + 16)]);
export const secondsOf = (one: Code, other: Code): Code =>
  mixBytes(one, other, [...SECOND, ...SECOND.map((byte) => byte + 16)]);
export const secondTwice = (pair: Code): Code => secondsOf(pair, pair);
/** The first, or last, 8 bytes as shorts. */
export const firstBytesAsShorts = operation(0xfd, 0x89, 0x01);
export const lastBytesAsShorts = operation(0xfd, 0x8a, 0x01);
/** Four integers, each the sum of two products of neighbouring signed shorts. */
export const sumOfTwoProducts = operation(0xfd, 0xba, 0x01);
/** Four times the same integer. */
export const repeated = operation(0xfd, 0x11);
export const addIntegers = operation(0xfd, 0xae, 0x01);
export const shiftIntegersLeft = operation(0xfd, 0xab, 0x01);
/** Shifts the sign along. */
export const shiftIntegersRight = operation(0xfd, 0xac, 0x01);
/** Eight signed shorts of two vectors of integers; where one is too large or small, the nearest. */
export const asShorts = operation(0xfd, 0x85, 0x01);
/** Sixteen bytes of two vectors of signed shorts; where one is below 0 or above 255, the nearest. */
export const asBytes = operation(0xfd, 0x66);

/** What memory grows by. */
export const PAGE_BYTES = 65_536;
/** Most pages a memory may have; more than that cannot be addressed. */
export const MOST_PAGES = 65_536;

/**
 * The bytes of a module that exports `functions`, all over the memory imported as `outside.memory`.
 *
 * @param shared whether that memory is shared between threads
 */
export function moduleOf(functions: readonly FunctionDefinition[], shared: boolean): Uint8Array<ArrayBuffer> {
  const types = functions.map(({ parameters, numbers = [] }) => {
    const taken = [...parameters.map(() => [TYPES.i32]), ...numbers.map(() => [TYPES.f32])];
    return [0x60, ...list(taken), 0];
  });
  // Memory of at least one page; for a shared one the most must be told, too.
  const limits = shared ? [3, ...unsigned(1), ...unsigned(MOST_PAGES)] : [0, ...unsigned(1)];
  return Uint8Array.of(
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, list(types)),
    ...section(2, list([[...text('outside'), ...text('memory'), 2, ...limits]])),
    ...section(3, list(functions.map((_, index) => unsigned(index)))),
    ...section(7, list(functions.map(({ name }, index) => [...text(name), 0, ...unsigned(index)]))),
    ...section(10, list(functions.map((definition) => sized(codeOf(definition, functions))))),
  );
}

/** The functions of a module that {@link moduleOf} wrote, over a memory. */
export function functionsOver<Functions>(module: WebAssembly.Module, memory: WebAssembly.Memory): Functions {
  const { exports } = new WebAssembly.Instance(module, { outside: { memory } });
  return exports as Functions;
}

function codeOf(
  { parameters, numbers = [], locals, body }: FunctionDefinition,
  functions: readonly FunctionDefinition[],
): Code {
  const names = [...parameters, ...numbers, ...Object.keys(locals)];
  const index = (name: string): Code => {
    const at = names.indexOf(name);
    if (at < 0) throw new RangeError(`no variable "${name}"`);
    return unsigned(at);
  };
  const scope: Scope = {
    get: (name) => [0x20, ...index(name)],
    set: (name, value) => [...value, 0x21, ...index(name)],
    step: (name, by) => scope.set(name, add(scope.get(name), constant(by))),
    whileBelow: (name, end, steps) => {
      const below = [...scope.get(name), ...scope.get(end), 0x49];
      // if (below) loop … br_if(below) end end
      return [...below, 0x04, 0x40, 0x03, 0x40, ...steps.flat(), ...below, 0x0d, 0, 0x0b, 0x0b];
    },
    leaveWhen: (condition) => [...condition, 0x0d, 1],
    when: (condition, steps) => [...condition, 0x04, 0x40, ...steps.flat(), 0x0b],
    call: (name, ...values) => {
      const called = functions.findIndex((known) => known.name === name);
      if (called < 0) throw new RangeError(`no function "${name}"`);
      return [...values.flat(), 0x10, ...unsigned(called)];
    },
  };
  return [...list(Object.values(locals).map((type) => [1, TYPES[type]])), ...body(scope).flat(), 0x0b];
}

/** An unsigned LEB128 number. */
function unsigned(value: number): Code {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)];
}

/** A signed LEB128 number. */
function signed(value: number): Code {
  return value >= -0x40 && value < 0x40 ? [value & 0x7f] : [(value & 0x7f) | 0x80, ...signed(value >> 7)];
}

const sized = (code: Code): Code => [...unsigned(code.length), ...code];
const list = (items: readonly Code[]): Code => [...unsigned(items.length), ...items.flat()];
const section = (number: number, code: Code): Code => [number, ...sized(code)];
const text = (name: string): Code => sized([...new TextEncoder().encode(name)]);
