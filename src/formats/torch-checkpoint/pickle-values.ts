import type { SafetensorsDtype } from '../tensors/dtypes.ts';

/** A list, which grows as the pickle is read and may hold itself. */
export class PickleList {
  readonly items: PickleValue[] = [];
}

export class PickleTuple {
  readonly items: readonly PickleValue[];
  constructor(items: readonly PickleValue[]) {
    this.items = items;
  }
}

/** A mapping; keys that are objects count by identity, which no state dict has. */
export class PickleDict {
  #entries: Map<PickleValue, PickleValue> | undefined;

  /** Made when first asked for: a hostile pickle may have millions of empty mappings. */
  get entries(): Map<PickleValue, PickleValue> {
    this.#entries ??= new Map();
    return this.#entries;
  }
}

/** A class or function by name. It is never imported, let alone called. */
export class PickleGlobal {
  readonly name: string;
  constructor(module: string, name: string) {
    this.name = `${module}.${name}`;
  }
}

/** Numbers in an entry of the file, of which tensors are views. */
export class PickleStorage {
  /** The entry is `data/<key>`. */
  readonly key: string;
  /** What its elements are; null where the tensor has to say. */
  readonly dtype: SafetensorsDtype | null;
  readonly byteLength: number;
  constructor(key: string, dtype: SafetensorsDtype | null, byteLength: number) {
    this.key = key;
    this.dtype = dtype;
    this.byteLength = byteLength;
  }
}

/** A tensor as the pickle describes it; offset and strides in elements, not yet checked against anything. */
export class PickleTensor {
  readonly storage: PickleStorage;
  readonly dtype: SafetensorsDtype;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  constructor(
    storage: PickleStorage,
    dtype: SafetensorsDtype,
    offset: number,
    shape: readonly number[],
    strides: readonly number[],
  ) {
    this.storage = storage;
    this.dtype = dtype;
    this.offset = offset;
    this.shape = shape;
    this.strides = strides;
  }
}

/** Whatever a state dict has no use for: bytes, sets, objects of other classes. */
export class PickleOpaque {
  /** What it is, for messages. */
  readonly what: string;
  /** Whether it would have been a tensor, which makes a difference where tensors are looked for. */
  readonly isTensor: boolean;
  constructor(what: string, isTensor = false) {
    this.what = what;
    this.isTensor = isTensor;
  }
}

export type PickleValue =
  | null
  | boolean
  | number
  | string
  | PickleList
  | PickleTuple
  | PickleDict
  | PickleGlobal
  | PickleStorage
  | PickleTensor
  | PickleOpaque;
