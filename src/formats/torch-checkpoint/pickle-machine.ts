import { PickleCursor } from './pickle-cursor.ts';
import { calledValue, persistentValue } from './pickle-globals.ts';
import {
  isKind,
  opaque,
  type PickleDict,
  type PickleList,
  type PickleStorage,
  type PickleValue,
} from './pickle-values.ts';

/** Bounds the memory that a hostile pickle can claim: a checkpoint of 1,000 tensors has some 30,000. */
const MAX_INSTRUCTIONS = 2_000_000;
const OLDEST_PROTOCOL = 2;
const NEWEST_PROTOCOL = 5;
const STOP = 0x2e;

/**
 * The value a pickle describes (Python's `pickletools`, protocols 2 to 5), worked out by a machine that can build
 * containers, numbers and texts and nothing else: classes and functions are names, calling one makes the tensor or
 * mapping it is known for, or an opaque value. Time and memory grow with the length of the pickle alone, however its
 * values hold each other.
 *
 * @param problem makes the error to throw from a description of what is wrong
 */
export const unpickle = (bytes: ArrayBuffer, problem: (what: string) => Error): PickleValue =>
  unpickleNext(new PickleCursor(bytes, problem), problem).value;

/** As {@link unpickle}, of the pickle at the cursor, which goes to its end; with the storages it names, by key. */
export function unpickleNext(
  cursor: PickleCursor,
  problem: (what: string) => Error,
): { readonly value: PickleValue; readonly storages: ReadonlyMap<string, PickleStorage> } {
  const machine = new PickleMachine(cursor, problem);
  for (let count = 0; count < MAX_INSTRUCTIONS; count++) {
    const at = machine.cursor.position;
    const code = machine.cursor.unsigned(1);
    if (code === STOP) return { value: machine.pop(), storages: machine.storages };
    const instruction = INSTRUCTIONS.get(code);
    if (instruction === undefined) {
      throw problem(`holds the unknown instruction 0x${code.toString(16)} at byte ${at}`);
    }
    instruction(machine);
  }
  throw problem(`holds more than ${MAX_INSTRUCTIONS} instructions`);
}

class PickleMachine {
  readonly cursor: PickleCursor;
  readonly memo = new Map<number, PickleValue>();
  readonly storages = new Map<string, PickleStorage>();
  readonly problem: (what: string) => Error;
  readonly #stack: PickleValue[] = [];
  /** How high the stack was at each mark. */
  readonly #marks: number[] = [];

  constructor(cursor: PickleCursor, problem: (what: string) => Error) {
    this.cursor = cursor;
    this.problem = problem;
  }

  push(value: PickleValue): void {
    this.#stack.push(value);
  }

  mark(): void {
    this.#marks.push(this.#stack.length);
  }

  pop(): PickleValue {
    const value = this.top();
    this.#stack.pop();
    return value;
  }

  top(): PickleValue {
    const floor = this.#marks.at(-1) ?? 0;
    if (this.#stack.length <= floor) throw this.problem(`takes a value where none is at ${this.#where()}`);
    return this.#stack[this.#stack.length - 1] as PickleValue;
  }

  /** Takes all values since the last mark, and the mark. */
  popToMark(): PickleValue[] {
    const mark = this.#marks.pop();
    if (mark === undefined) throw this.problem(`goes back to a mark where none is at ${this.#where()}`);
    return this.#stack.splice(mark);
  }

  /** Drops the mark where one is on top, else a value. */
  drop(): void {
    if (this.#marks.at(-1) === this.#stack.length) this.#marks.pop();
    else this.pop();
  }

  popMany(count: number): PickleValue[] {
    return Array.from({ length: count }, () => this.pop()).reverse();
  }

  recall(index: number): void {
    const value = this.memo.get(index);
    if (value === undefined) throw this.problem(`recalls what was not memorised at ${this.#where()}`);
    this.push(value);
  }

  append(items: readonly PickleValue[]): void {
    const target = this.top();
    if (isKind(target, 'list')) for (const item of items) target.items.push(item);
    else if (!isKind(target, 'opaque')) throw this.problem(`appends to what is no list at ${this.#where()}`);
  }

  setItems(items: readonly PickleValue[]): void {
    const target = this.top();
    if (items.length % 2 !== 0) throw this.problem(`sets a key without value at ${this.#where()}`);
    if (isKind(target, 'dict')) {
      target.entries ??= new Map();
      for (let index = 0; index < items.length; index += 2) {
        target.entries.set(items[index] as PickleValue, items[index + 1] as PickleValue);
      }
    } else if (!isKind(target, 'opaque')) {
      throw this.problem(`sets a key of what is no mapping at ${this.#where()}`);
    }
  }

  /** Names a class or function. */
  name(module: unknown, name: unknown): void {
    if (typeof module !== 'string' || typeof name !== 'string') {
      throw this.problem(`names a class by what is no text at ${this.#where()}`);
    }
    this.push({ kind: 'global', name: `${module}.${name}` });
  }

  #where(): string {
    return `byte ${this.cursor.position}`;
  }
}

type Instruction = (machine: PickleMachine) => void;
type Length = 1 | 2 | 4 | 8;

/** Instructions that differ only in how many bytes say a length, an index or a number. */
const sized = (
  lengths: Readonly<Record<number, Length>>,
  run: (machine: PickleMachine, given: number) => void,
): (readonly [number, Instruction])[] =>
  Object.entries(lengths).map(([code, length]) => [
    Number(code),
    (machine) => run(machine, machine.cursor.unsigned(length)),
  ]);

const list = (): PickleList => ({ kind: 'list', items: [] });
const dict = (): PickleDict => ({ kind: 'dict' });
const tuple = (items: readonly PickleValue[]): PickleValue => ({ kind: 'tuple', items });

/** By code; names as in Python's `pickletools`. Those of protocols 0 and 1 alone, extensions and buffers are left out. */
const INSTRUCTIONS: ReadonlyMap<number, Instruction> = new Map<number, Instruction>([
  // PROTO, FRAME
  [0x80, protocol],
  [0x95, (machine) => void machine.cursor.skip(8)],
  // MARK, POP, POP_MARK, DUP
  [0x28, (machine) => machine.mark()],
  [0x30, (machine) => machine.drop()],
  [0x31, (machine) => void machine.popToMark()],
  [0x32, (machine) => machine.push(machine.top())],
  // NONE, NEWTRUE, NEWFALSE
  [0x4e, (machine) => machine.push(null)],
  [0x88, (machine) => machine.push(true)],
  [0x89, (machine) => machine.push(false)],
  // BININT, BINFLOAT
  [0x4a, (machine) => machine.push(machine.cursor.unsigned(4) | 0)],
  [0x47, (machine) => machine.push(machine.cursor.float())],
  // BININT1, BININT2
  ...sized({ 75: 1, 77: 2 }, (machine, value) => machine.push(value)),
  // LONG1, LONG4
  ...sized({ 138: 1, 139: 4 }, (machine, length) => {
    machine.push(machine.cursor.whole(length) ?? opaque('a large number'));
  }),
  // BINSTRING, SHORT_BINSTRING, BINUNICODE, SHORT_BINUNICODE, BINUNICODE8
  ...sized({ 84: 4, 85: 1, 88: 4, 140: 1, 141: 8 }, (machine, length) => {
    machine.push(machine.cursor.text(length) ?? opaque('an ill-formed text'));
  }),
  // BINBYTES, SHORT_BINBYTES, BINBYTES8, BYTEARRAY8
  ...sized({ 66: 4, 67: 1, 142: 8, 150: 8 }, (machine, length) => {
    machine.cursor.skip(length);
    machine.push(opaque('bytes'));
  }),
  // EMPTY_LIST, LIST, APPEND, APPENDS
  [0x5d, (machine) => machine.push(list())],
  [0x6c, (machine) => machine.push({ kind: 'list', items: machine.popToMark() })],
  [0x61, (machine) => machine.append([machine.pop()])],
  [0x65, (machine) => machine.append(machine.popToMark())],
  // EMPTY_TUPLE, TUPLE, TUPLE1, TUPLE2, TUPLE3
  [0x29, (machine) => machine.push(tuple([]))],
  [0x74, (machine) => machine.push(tuple(machine.popToMark()))],
  [0x85, (machine) => machine.push(tuple(machine.popMany(1)))],
  [0x86, (machine) => machine.push(tuple(machine.popMany(2)))],
  [0x87, (machine) => machine.push(tuple(machine.popMany(3)))],
  // EMPTY_DICT, DICT, SETITEM, SETITEMS
  [0x7d, (machine) => machine.push(dict())],
  [0x64, filledDict],
  [0x73, (machine) => machine.setItems(machine.popMany(2))],
  [0x75, (machine) => machine.setItems(machine.popToMark())],
  // EMPTY_SET, ADDITEMS, FROZENSET
  [0x8f, (machine) => machine.push(opaque('a set'))],
  [0x90, (machine) => machine.append(machine.popToMark())],
  [0x91, frozenSet],
  // GLOBAL, STACK_GLOBAL
  [0x63, (machine) => machine.name(machine.cursor.line(), machine.cursor.line())],
  [0x93, (machine) => machine.name(...(machine.popMany(2) as [PickleValue, PickleValue]))],
  // REDUCE, NEWOBJ, NEWOBJ_EX, BUILD
  [0x52, call],
  [0x81, call],
  [0x92, callWithNames],
  [0x62, build],
  // BINPERSID
  [0x51, persistent],
  // BINGET, LONG_BINGET
  ...sized({ 104: 1, 106: 4 }, (machine, index) => machine.recall(index)),
  // BINPUT, LONG_BINPUT
  ...sized({ 113: 1, 114: 4 }, (machine, index) => void machine.memo.set(index, machine.top())),
  // MEMOIZE
  [0x94, (machine) => void machine.memo.set(machine.memo.size, machine.top())],
]);

function protocol(machine: PickleMachine): void {
  const version = machine.cursor.unsigned(1);
  if (version >= OLDEST_PROTOCOL && version <= NEWEST_PROTOCOL) return;
  throw machine.problem(`is of the pickle protocol ${version}, not ${OLDEST_PROTOCOL} to ${NEWEST_PROTOCOL}`);
}

function persistent(machine: PickleMachine): void {
  const value = persistentValue(machine.pop());
  if (isKind(value, 'storage')) machine.storages.set(value.key, value);
  machine.push(value);
}

function filledDict(machine: PickleMachine): void {
  const items = machine.popToMark();
  machine.push(dict());
  machine.setItems(items);
}

function frozenSet(machine: PickleMachine): void {
  machine.popToMark();
  machine.push(opaque('a set'));
}

function call(machine: PickleMachine): void {
  const [callee = null, args = null] = machine.popMany(2);
  machine.push(calledValue(callee, args));
}

/** Arguments by name are not needed. */
function callWithNames(machine: PickleMachine): void {
  machine.pop();
  call(machine);
}

/** What objects remember besides, as a state dict its versions, is not needed. */
function build(machine: PickleMachine): void {
  machine.pop();
  machine.top();
}
