import type { SafetensorsDtype } from '../tensors/dtypes.ts';

/** A list, which grows as the pickle is read and may hold itself. */
export interface PickleList {
  readonly kind: 'list';
  readonly items: PickleValue[];
}

export interface PickleTuple {
  readonly kind: 'tuple';
  readonly items: readonly PickleValue[];
}

/**
 * A mapping; keys that are objects count by identity, which no state dict has. Its entries are made when the first
 * is set: a hostile pickle may have millions of empty mappings.
 */
export interface PickleDict {
  readonly kind: 'dict';
  entries?: Map<PickleValue, PickleValue>;
}

/** A class or function by its full name. It is never imported, let alone called. */
export interface PickleGlobal {
  readonly kind: 'global';
  readonly name: string;
}

/** Numbers in an entry of the file, of which tensors are views. */
export interface PickleStorage {
  readonly kind: 'storage';
  /** The entry is `data/<key>`. */
  readonly key: string;
  /** What its elements are; null where the tensor has to say. */
  readonly dtype: SafetensorsDtype | null;
  readonly byteLength: number;
}

/** A tensor as the pickle describes it; offset and strides in elements, not yet checked against anything. */
export interface PickleTensor {
  readonly kind: 'tensor';
  readonly storage: PickleStorage;
  readonly dtype: SafetensorsDtype;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

/** Whatever a state dict has no use for: bytes, sets, objects of other classes. */
export interface PickleOpaque {
  readonly kind: 'opaque';
  /** What it is, for messages. */
  readonly what: string;
  /** Whether it would have been a tensor, which makes a difference where tensors are looked for. */
  readonly isTensor: boolean;
}

type PickleObject =
  | PickleList
  | PickleTuple
  | PickleDict
  | PickleGlobal
  | PickleStorage
  | PickleTensor
  | PickleOpaque;

export type PickleValue = null | boolean | number | string | PickleObject;

/** Whether a value is an object of a kind. */
export const isKind = <K extends PickleObject['kind']>(
  value: PickleValue | undefined,
  kind: K,
): value is Extract<PickleObject, { kind: K }> =>
  typeof value === 'object' && value !== null && value.kind === kind;

export const opaque = (what: string, isTensor = false): PickleOpaque => ({ kind: 'opaque', what, isTensor });
