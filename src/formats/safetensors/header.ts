import { InputError } from '../../ground/errors.ts';
import { ARRAY_TYPES, type SafetensorsDtype } from '../tensors/dtypes.ts';
import { elementCount, type TensorEntry } from '../tensors/strided.ts';
import { damaged, quoted, shownShape, tensorError } from '../tensors/wording.ts';
import { HeaderCursor } from './cursor.ts';

/** Bytes before the header: its length as a little-endian 64-bit integer. */
export const LENGTH_BYTES = 8;
/** The format's own limit for the header. */
export const MAX_HEADER_BYTES = 100_000_000;
/** The key beside the tensors that holds free text. */
export const METADATA_KEY = '__metadata__';

/** As many axes as NumPy allows. */
const MAX_AXES = 64;
/** Far above any model; bounds the memory that a hostile header can claim. */
const MAX_ENTRIES = 1_000_000;

/** What a header says. */
export interface Header {
  /** Without prototype, so that no key is inherited. */
  readonly metadata: Readonly<Record<string, string>>;
  /** In the header's order. */
  readonly tensors: ReadonlyMap<string, TensorEntry>;
}

/**
 * The header's length from the first bytes of a file.
 *
 * @throws InputError when it is above the format's limit or reaches beyond the file
 */
export function headerLength(path: string, start: ArrayBuffer, fileBytes: number): number {
  const stated = new DataView(start).getBigUint64(0, true);
  if (stated > BigInt(MAX_HEADER_BYTES)) {
    throw new InputError(
      path,
      `states a header of ${stated} bytes (at most ${MAX_HEADER_BYTES} are allowed)`,
      'is it a safetensors file?',
    );
  }
  const length = Number(stated);
  if (length > fileBytes - LENGTH_BYTES) {
    throw damaged(path, `states a header of ${length} bytes but has ${fileBytes} in all`);
  }
  return length;
}

/**
 * Parses a header and checks it against the size of the file: every tensor has a known dtype, as many bytes
 * as its shape needs, and the tensors fill the rest of the file without overlap or hole.
 *
 * @param header the bytes after the length
 * @throws InputError for anything else, naming the tensor where there is one
 */
export function parseHeader(path: string, header: ArrayBuffer, fileBytes: number): Header {
  const dataStart = LENGTH_BYTES + header.byteLength;
  const metadata: Record<string, string> = Object.create(null);
  const tensors = new Map<string, TensorEntry>();
  const cursor = new HeaderCursor(headerText(path, header), (what) => damaged(path, what));
  cursor.object((key) => {
    if (key === METADATA_KEY) {
      readMetadata(path, cursor, metadata);
    } else {
      if (tensors.size === MAX_ENTRIES) throw tooMany(path, 'tensors');
      tensors.set(key, readEntry(path, cursor, key, dataStart, fileBytes));
    }
  });
  cursor.end();
  checkCoverage(path, tensors.values(), dataStart, fileBytes);
  return { metadata: Object.freeze(metadata), tensors };
}

function headerText(path: string, header: ArrayBuffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(header);
  } catch {
    throw new InputError(path, 'the header is not UTF-8', 'is it a safetensors file?');
  }
}

function readMetadata(path: string, cursor: HeaderCursor, into: Record<string, string>): void {
  let count = 0;
  cursor.object((key) => {
    if (count++ === MAX_ENTRIES) throw tooMany(path, 'metadata keys');
    into[key] = cursor.string();
  });
}

function readEntry(
  path: string,
  cursor: HeaderCursor,
  name: string,
  dataStart: number,
  fileBytes: number,
): TensorEntry {
  const bad = (what: string): InputError => tensorError(path, name, what);
  let dtypeText: string | undefined;
  let shape: number[] | undefined;
  let offsets: number[] | undefined;
  cursor.object((field) => {
    if (field === 'dtype') dtypeText = cursor.string();
    else if (field === 'shape') shape = cursor.wholeNumbers(MAX_AXES);
    else if (field === 'data_offsets') offsets = cursor.wholeNumbers(2);
    else throw bad(`has an unknown field ${quoted(field)}`);
  });
  if (dtypeText === undefined || shape === undefined || offsets === undefined) {
    throw bad('lacks dtype, shape or data_offsets');
  }
  const dtype = knownDtype(path, name, dtypeText);
  const [begin = 0, end = -1] = offsets;
  if (begin > end) throw bad(`has data_offsets ${shownShape(offsets)}, not [begin, end]`);
  const dataBytes = fileBytes - dataStart;
  if (end > dataBytes) throw bad(`ends at byte ${end} of ${dataBytes} bytes of data`);
  const count = elementCount(shape);
  if (count === undefined) throw bad(`has the absurd shape ${shownShape(shape)}`);
  const [byteLength, needed] = [end - begin, count * ARRAY_TYPES[dtype].BYTES_PER_ELEMENT];
  if (needed === byteLength) return { name, dtype, shape, byteOffset: dataStart + begin, byteLength };
  throw bad(`has ${byteLength} bytes but ${dtype} ${shownShape(shape)} needs ${needed}`);
}

function knownDtype(path: string, name: string, text: string): SafetensorsDtype {
  if (Object.hasOwn(ARRAY_TYPES, text)) return text as SafetensorsDtype;
  const known = Object.keys(ARRAY_TYPES).join(', ');
  throw tensorError(path, name, `has the unknown dtype ${quoted(text)}`, `convert it to one of ${known}`);
}

function checkCoverage(
  path: string,
  entries: Iterable<TensorEntry>,
  dataStart: number,
  fileBytes: number,
): void {
  // An empty tensor may share its offset with the one that starts there.
  const inFileOrder = [...entries].sort((a, b) => a.byteOffset - b.byteOffset || a.byteLength - b.byteLength);
  let covered = dataStart;
  for (const { name, byteOffset, byteLength } of inFileOrder) {
    const gap = byteOffset - covered;
    if (gap < 0) throw tensorError(path, name, `overlaps another tensor by ${-gap} bytes`);
    if (gap > 0) throw tensorError(path, name, `follows ${gap} bytes of no tensor`);
    covered = byteOffset + byteLength;
  }
  if (covered < fileBytes) throw damaged(path, `has ${fileBytes - covered} bytes after its last tensor`);
}

function tooMany(path: string, what: string): InputError {
  return new InputError(path, `the header holds more than ${MAX_ENTRIES} ${what}`, 'split the file');
}
