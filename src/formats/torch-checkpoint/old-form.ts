import { InputError } from '../../ground/errors.ts';
import { readBytes } from '../../ground/positioned-file.ts';
import { ARRAY_TYPES } from '../tensors/dtypes.ts';
import { damaged, quoted, tensorError } from '../tensors/wording.ts';
import type { ReadableFile } from '../zip-directory.ts';
import type { CheckpointContent } from './content.ts';
import { PickleCursor } from './pickle-cursor.ts';
import { unpickleNext } from './pickle-machine.ts';
import { isKind, type PickleValue } from './pickle-values.ts';
import type { StoredBytes } from './tensor-view.ts';

/*
 * What `torch.save` wrote before PyTorch 1.6, and still writes with `_use_new_zipfile_serialization=False`: five pickles
 * one after another (a number, the protocol, what machine it was, the content, the keys of its storages), then every
 * storage in the order of the keys, its number of elements before it.
 */

/** The number that the first pickle holds. */
const NUMBER = Buffer.from([0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19]);
const PROTOCOL = 1001;
const COUNT_BYTES = 8;

/** Far above any checkpoint's pickles; bounds the memory that a hostile file can claim. */
const MAX_PICKLE_BYTES = 2 ** 26;

/** Whether a file that begins with these bytes is in this form. */
export const isOldForm = (start: Buffer): boolean => start[0] === 0x80 && start.includes(NUMBER);

/** @throws InputError when the file is cut, damaged or of a big-endian machine */
export async function openOldForm(file: ReadableFile): Promise<CheckpointContent> {
  const { path, handle, byteLength } = file;
  const problem = (what: string): InputError => damaged(path, what);
  const bytes = await readBytes(path, handle, 0, Math.min(byteLength, MAX_PICKLE_BYTES));
  const cursor = new PickleCursor(bytes, problem);
  const next = () => unpickleNext(cursor, problem);
  next();
  const protocol = next().value;
  if (protocol !== PROTOCOL) throw problem(`states a protocol other than ${PROTOCOL}`);
  requireLittleEndian(path, next().value);
  const { value, storages } = next();
  const keys = keysOf(next().value);
  if (keys === undefined) throw problem('lists no keys of storages');
  const places = new Map<string, StoredBytes>();
  let position = cursor.position;
  for (const key of keys) {
    const storage = storages.get(key);
    if (storage === undefined) throw problem(`has no use for the storage ${quoted(key)}`);
    if (storage.dtype === null) throw problem(`does not say what the storage ${quoted(key)} holds`);
    const byteOffset = position + COUNT_BYTES;
    position = byteOffset + storage.byteLength;
    if (position > byteLength) throw problem(`the storage ${quoted(key)} does not lie inside the file`);
    const stated = new DataView(await readBytes(path, handle, byteOffset - COUNT_BYTES, COUNT_BYTES));
    const count = storage.byteLength / ARRAY_TYPES[storage.dtype].BYTES_PER_ELEMENT;
    if (stated.getBigInt64(0, true) !== BigInt(count)) {
      throw problem(`the storage ${quoted(key)} has not the ${count} elements its tensors need`);
    }
    places.set(key, { byteOffset, byteLength: storage.byteLength });
  }
  if (position !== byteLength) throw problem(`has ${byteLength - position} bytes after its last storage`);
  return {
    value,
    async storage(name, { key }) {
      const found = places.get(key);
      if (found === undefined)
        throw tensorError(path, name, `is in the storage ${quoted(key)}, which is not there`);
      return found;
    },
  };
}

function requireLittleEndian(path: string, machine: PickleValue): void {
  if (isKind(machine, 'dict') && machine.entries?.get('little_endian') === true) return;
  throw new InputError(path, 'is not of a little-endian machine', 'save it again on a little-endian machine');
}

function keysOf(value: PickleValue): readonly string[] | undefined {
  if (!isKind(value, 'list')) return undefined;
  const keys = value.items.filter((item) => typeof item === 'string');
  return keys.length === value.items.length && new Set(keys).size === keys.length ? keys : undefined;
}
