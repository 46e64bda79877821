import { InputError } from '../../ground/errors.ts';
import { readBytes, withOpenFile } from '../../ground/positioned-file.ts';
import { butKind } from '../content-kind.ts';
import type { TensorFile } from '../tensors/read.ts';
import { damaged, quoted, tensorError } from '../tensors/wording.ts';
import { type ReadableFile, readZipDirectory, startOfEntry, type ZipEntry } from '../zip-directory.ts';
import type { CheckpointContent } from './content.ts';
import { isOldForm, openOldForm } from './old-form.ts';
import { unpickle } from './pickle-machine.ts';
import { isKind, type PickleStorage, type PickleValue } from './pickle-values.ts';
import { findStateDict } from './state-dict.ts';
import { checkedTensor, type StoredBytes, type TorchTensor } from './tensor-view.ts';

const ZIP_MAGIC = Buffer.from('PK\x03\x04', 'latin1');
const EMPTY_ZIP_MAGIC = Buffer.from('PK\x05\x06', 'latin1');

/** What a file that is no ZIP file begins with, what that means and what to do about it. */
const OTHERS: readonly (readonly [magic: Buffer, what: string, remedy: string])[] = [
  [Buffer.from([0x80]), 'is a bare pickle, not a file of torch.save', 'save it with torch.save'],
  [Buffer.from('version https://git-lfs'), 'is a pointer of Git LFS', 'fetch the file itself: git lfs pull'],
  [Buffer.from('<'), 'is a web page', 'download the file itself'],
  [Buffer.from([0x1f, 0x8b]), 'is compressed by gzip', 'unpack it'],
  [Buffer.from('\x89HDF', 'latin1'), 'is an HDF5 file', 'give a file of torch.save or safetensors'],
];

/** Bytes that are enough to tell. */
const START_BYTES = 32;

/** Far above any checkpoint's; bounds the memory that a hostile one can claim. */
const MAX_PICKLE_BYTES = 2 ** 26;
const BYTE_ORDER_BYTES = 16;

/** Views may share and repeat what is stored, up to this many times the file's size and so many bytes more. */
const MOST_REPEATS = 4;
const REPEATS_BESIDE = 2 ** 30;

const SAVE_STATE_DICT = 'save its state dict: torch.save(model.state_dict(), FILE)';

/** A checkpoint whose state dict has been read and checked; no handle is kept, so nothing needs closing. */
export interface TorchCheckpoint extends TensorFile {
  /** Keys under which the state dict was found: `state_dict`, or none. */
  readonly within: readonly string[];
  /** In the file's order, under the names it has. */
  readonly tensors: ReadonlyMap<string, TorchTensor>;
  readonly unreadable: ReadonlyMap<string, string>;
}

/**
 * Reads the state dict of a file that `torch.save` wrote. Its pickle is interpreted, not executed: nothing in it can
 * run. Tensor data are not touched; take them with `readTensor`, or where they lie row by row in the file, from
 * `byteOffset`.
 *
 * @throws InputError when the file is missing, cut, in another form, has no state dict, or contradicts itself
 */
export async function openTorchCheckpoint(path: string): Promise<TorchCheckpoint> {
  return withOpenFile(path, async ({ handle, byteLength, version }) => {
    const file: ReadableFile = { path, handle, byteLength };
    const start = await readBytes(path, handle, 0, Math.min(START_BYTES, byteLength));
    const content = await (isOldForm(Buffer.from(start))
      ? openOldForm(file)
      : openZip(file, Buffer.from(start)));
    const found = findStateDict(content.value);
    if (found === undefined) throw noStateDict(path, content.value);
    const tensors = new Map<string, TorchTensor>();
    const unreadable = new Map<string, string>();
    for (const [name, member] of found.members) {
      if (isKind(member, 'opaque')) {
        unreadable.set(name, member.what);
        continue;
      }
      const storage = await content.storage(name, member.storage);
      tensors.set(name, checkedTensor(path, name, member, storage));
    }
    requireModest(path, tensors.values(), byteLength);
    return { path, byteLength, version, within: found.within, tensors, unreadable };
  });
}

/** The form of PyTorch 1.6 and newer: a ZIP file of a pickle and an entry for every storage. */
async function openZip(file: ReadableFile, start: Buffer): Promise<CheckpointContent> {
  const { path } = file;
  requireZip(path, start);
  const archive = archiveOf(path, await readZipDirectory(file));
  await requireLittleEndian(file, archive);
  const value = unpickle(await contentOf(file, archive.pickle), (what) => {
    return damaged(`${path} entry ${quoted(archive.pickle.name)}`, what);
  });
  const known = new Map<string, StoredBytes>();
  return { value, storage: (name, wanted) => storageOf(file, archive, name, wanted, known) };
}

/** @throws InputError when the first bytes are not those of a ZIP file, saying what they are */
function requireZip(path: string, bytes: Buffer): void {
  const begins = (magic: Buffer): boolean => magic.equals(bytes.subarray(0, magic.byteLength));
  if (begins(ZIP_MAGIC) || begins(EMPTY_ZIP_MAGIC)) return;
  const other = OTHERS.find(([magic]) => begins(magic));
  const [, what, remedy] = other ?? [
    null,
    `is not a file of torch.save${butKind(bytes)}`,
    'give one, or a safetensors file',
  ];
  throw new InputError(path, what, remedy);
}

interface Archive {
  readonly entries: ReadonlyMap<string, ZipEntry>;
  /** The folder inside the archive that all lies in, with a slash. */
  readonly folder: string;
  readonly pickle: ZipEntry;
}

function archiveOf(path: string, entries: ReadonlyMap<string, ZipEntry>): Archive {
  const pickles = [...entries.values()].filter(({ name }) => /^[^/]+\/data\.pkl$/.test(name));
  const [pickle] = pickles;
  if (pickle === undefined || pickles.length > 1) {
    throw new InputError(path, 'is a ZIP file, but not one of torch.save', 'give the file torch.save wrote');
  }
  const folder = pickle.name.slice(0, -'data.pkl'.length);
  if (entries.has(`${folder}constants.pkl`)) {
    throw new InputError(
      path,
      'is a TorchScript archive, which holds a program',
      'save its state dict: torch.save(torch.jit.load(FILE).state_dict(), NEW_FILE)',
    );
  }
  return { entries, folder, pickle };
}

async function requireLittleEndian(file: ReadableFile, { entries, folder }: Archive): Promise<void> {
  const entry = entries.get(`${folder}byteorder`);
  if (entry === undefined) return;
  const start = await startOfEntry(file, entry);
  const length = Math.min(entry.byteLength, BYTE_ORDER_BYTES);
  const order = Buffer.from(await readBytes(file.path, file.handle, start, length)).toString('latin1');
  if (order === 'little') return;
  throw new InputError(
    file.path,
    `has the byte order ${quoted(order)}`,
    'save it again on a little-endian machine',
  );
}

async function contentOf(file: ReadableFile, entry: ZipEntry): Promise<ArrayBuffer> {
  const start = await startOfEntry(file, entry);
  if (entry.byteLength > MAX_PICKLE_BYTES) {
    const what = `has ${entry.byteLength} bytes (at most ${MAX_PICKLE_BYTES} are read)`;
    throw new InputError(`${file.path} entry ${quoted(entry.name)}`, what, SAVE_STATE_DICT);
  }
  return readBytes(file.path, file.handle, start, entry.byteLength);
}

/** Where the bytes of a storage lie. @throws InputError when they are not there, or not as many as stated */
async function storageOf(
  file: ReadableFile,
  { entries, folder }: Archive,
  name: string,
  { key, byteLength }: PickleStorage,
  known: Map<string, StoredBytes>,
): Promise<StoredBytes> {
  const entry = entries.get(`${folder}data/${key}`);
  if (entry === undefined) {
    throw tensorError(file.path, name, `is stored in data/${quoted(key)}, which is not there`);
  }
  if (entry.byteLength !== byteLength) {
    throw tensorError(
      file.path,
      name,
      `needs a storage of ${byteLength} bytes, but data/${quoted(key)} has ${entry.byteLength}`,
    );
  }
  const found = known.get(key) ?? { byteOffset: await startOfEntry(file, entry), byteLength };
  known.set(key, found);
  return found;
}

function noStateDict(path: string, content: PickleValue): InputError {
  if (isKind(content, 'opaque')) {
    return new InputError(path, `holds ${content.what}, not a state dict`, SAVE_STATE_DICT);
  }
  return new InputError(path, 'holds no state dict (tensors by name)', SAVE_STATE_DICT);
}

/** Refuses checkpoints whose tensors repeat a few bytes without end. */
function requireModest(path: string, tensors: Iterable<TorchTensor>, fileBytes: number): void {
  const most = MOST_REPEATS * fileBytes + REPEATS_BESIDE;
  let total = 0;
  for (const { name, byteLength } of tensors) {
    total += byteLength;
    if (total <= most) continue;
    throw tensorError(path, name, `brings the tensors to ${total} bytes, from a file of ${fileBytes}`);
  }
}
