import { InputError } from '../ground/errors.ts';

/** A store gives no answer: nothing is said of what is in it. */
export class StoreUnreachable extends InputError {
  override name = 'StoreUnreachable';
}

/** Something that is stored, without its content. */
export interface StoredObject {
  /** Its path below the store's own. */
  readonly key: string;
  readonly byteLength: number;
  /** Changes with the content: an ETag, or a file's size and time of change. */
  readonly version: string;
}

/** Part of an object's bytes: from `start` up to, without, `end`. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * A place that all machines see: a folder, or a prefix of a bucket. Objects appear whole or not at all. What fails for a
 * moment is tried again; what fails for good is an InputError that names the object.
 */
export interface Store {
  /** As a person writes it: `s3://bucket/prefix`, or a folder's path. */
  readonly location: string;
  /** Everything whose key begins with `prefix`, in the order of the keys' code units. */
  list(prefix: string): AsyncGenerator<StoredObject>;
  /** Null where there is none. */
  facts(key: string): Promise<StoredObject | null>;
  /**
   * @param version what it must still be
   * @returns null where there is none, or it is of another version
   */
  read(key: string, options?: ReadOptions): Promise<Uint8Array | null>;
  put(key: string, content: string | Uint8Array): Promise<void>;
  /** Stores a file of any size, whose SHA-256 is known. */
  upload(key: string, path: string, sha256: string): Promise<void>;
  /** Stores what nobody has stored before. @returns whether it was this call that did */
  create(key: string, content: string): Promise<boolean>;
  remove(key: string): Promise<void>;
}

export interface ReadOptions {
  readonly range?: ByteRange;
  readonly version?: string;
}
