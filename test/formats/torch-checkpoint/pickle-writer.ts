/** Something a pickle can be made of; a raw part stands as it is. */
export type Picklable =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | readonly Picklable[]
  | Mapping
  | Tuple
  | Global
  | Call
  | PersistentId
  | Raw;

/** A dict, or an OrderedDict. */
export class Mapping {
  readonly members: readonly (readonly [Picklable, Picklable])[];
  readonly isOrdered: boolean;
  constructor(members: readonly (readonly [Picklable, Picklable])[], isOrdered = false) {
    this.members = members;
    this.isOrdered = isOrdered;
  }

  static of(members: Readonly<Record<string, Picklable>>): Mapping {
    return new Mapping(Object.entries(members));
  }
}

export class Tuple {
  readonly items: readonly Picklable[];
  constructor(...items: readonly Picklable[]) {
    this.items = items;
  }
}

export class Global {
  readonly module: string;
  readonly name: string;
  constructor(module: string, name: string) {
    this.module = module;
    this.name = name;
  }
}

/** A function called with arguments, and the state its result is given where there is one. */
export class Call {
  readonly callee: Picklable;
  readonly args: Tuple;
  readonly state: Picklable | undefined;
  constructor(callee: Picklable, args: Tuple, state?: Picklable) {
    this.callee = callee;
    this.args = args;
    this.state = state;
  }
}

export class PersistentId {
  readonly id: Tuple;
  constructor(id: Tuple) {
    this.id = id;
  }
}

/** Instructions as they are. */
export class Raw {
  readonly bytes: Uint8Array;
  constructor(bytes: Uint8Array | readonly number[]) {
    this.bytes = Uint8Array.from(bytes);
  }
}

/** A pickle as Python writes it in protocol 2 (as torch.save does) or 4, every value memorised where it can be. */
export function pickled(value: Picklable, protocol: 2 | 4 = 2): Buffer {
  const parts: Buffer[] = [Buffer.from([0x80, protocol])];
  if (protocol === 4) parts.push(Buffer.from([0x95, 0, 0, 0, 0, 0, 0, 0, 0]));
  let memorised = 0;
  const op = (code: number, ...argument: readonly number[]): void =>
    void parts.push(Buffer.from([code, ...argument]));
  const memorise = (): void => {
    if (protocol === 4) op(0x94);
    else if (memorised < 256) op(0x71, memorised);
    else parts.push(withLength(0x72, memorised, 4));
    memorised++;
  };
  const text = (content: string): void => {
    const bytes = Buffer.from(content);
    const isShort = protocol === 4 && bytes.length < 256;
    parts.push(withLength(isShort ? 0x8c : 0x58, bytes.length, isShort ? 1 : 4), bytes);
    memorise();
  };
  const global = ({ module, name }: Global): void => {
    if (protocol === 4) {
      text(module);
      text(name);
      op(0x93);
    } else {
      parts.push(Buffer.from(`c${module}\n${name}\n`, 'latin1'));
    }
    memorise();
  };
  const put = (item: Picklable): void => {
    if (item === null) op(0x4e);
    else if (typeof item === 'boolean') op(item ? 0x88 : 0x89);
    else if (typeof item === 'bigint') parts.push(longNumber(item));
    else if (typeof item === 'number') parts.push(plainNumber(item));
    else if (typeof item === 'string') text(item);
    else if (item instanceof Raw) parts.push(Buffer.from(item.bytes));
    else if (item instanceof Uint8Array) parts.push(withLength(0x42, item.length, 4), Buffer.from(item));
    else if (item instanceof Tuple) tuple(item);
    else if (item instanceof Mapping) mapping(item);
    else if (item instanceof Global) global(item);
    else if (item instanceof PersistentId) {
      put(item.id);
      op(0x51);
    } else if (item instanceof Call) call(item);
    else list(item);
  };
  const tuple = ({ items }: Tuple): void => {
    if (items.length > 3) op(0x28);
    for (const item of items) put(item);
    op([0x29, 0x85, 0x86, 0x87][items.length] ?? 0x74);
    if (items.length > 0) memorise();
  };
  const mapping = ({ members, isOrdered }: Mapping): void => {
    if (isOrdered) {
      global(new Global('collections', 'OrderedDict'));
      op(0x29);
      op(0x52);
    } else {
      op(0x7d);
    }
    memorise();
    if (members.length === 0) return;
    op(0x28);
    for (const [key, member] of members) {
      put(key);
      put(member);
    }
    op(0x75);
  };
  const call = ({ callee, args, state }: Call): void => {
    put(callee);
    put(args);
    op(0x52);
    memorise();
    if (state === undefined) return;
    put(state);
    op(0x62);
  };
  const list = (items: readonly Picklable[]): void => {
    op(0x5d);
    memorise();
    op(0x28);
    for (const item of items) put(item);
    op(0x65);
  };
  put(value);
  op(0x2e);
  return Buffer.concat(parts);
}

function withLength(code: number, length: number, bytes: 1 | 4): Buffer {
  const part = Buffer.alloc(1 + bytes, code);
  part.writeUIntLE(length, 1, bytes);
  return part;
}

function plainNumber(value: number): Buffer {
  if (!Number.isInteger(value)) {
    const part = Buffer.alloc(9, 0x47);
    part.writeDoubleBE(value, 1);
    return part;
  }
  if (value >= 0 && value < 256) return Buffer.from([0x4b, value]);
  if (value >= -(2 ** 31) && value < 2 ** 31) {
    const part = Buffer.alloc(5, 0x4a);
    part.writeInt32LE(value, 1);
    return part;
  }
  return longNumber(BigInt(value));
}

function longNumber(value: bigint): Buffer {
  const bytes: number[] = [];
  let rest = value;
  do {
    bytes.push(Number(BigInt.asUintN(8, rest)));
    rest >>= 8n;
  } while (rest !== 0n && rest !== -1n);
  if (rest === 0n && ((bytes.at(-1) as number) & 0x80) !== 0) bytes.push(0);
  return Buffer.from([0x8a, bytes.length, ...bytes]);
}
