import { InputError } from '../../ground/errors.ts';
import { writePartsAtomically } from '../../ground/positioned-file.ts';
import { ARRAY_TYPES, type ArrayOfDtype, type SafetensorsDtype } from '../tensors/dtypes.ts';
import { elementCount } from '../tensors/strided.ts';
import { quoted, shownShape, tensorError } from '../tensors/wording.ts';
import { LENGTH_BYTES, MAX_HEADER_BYTES, METADATA_KEY } from './header.ts';

/** One tensor to store: row-major elements in the array of its dtype. */
export type TensorToWrite = {
  [D in SafetensorsDtype]: {
    readonly name: string;
    readonly dtype: D;
    readonly shape: readonly number[];
    readonly data: ArrayOfDtype[D];
  };
}[SafetensorsDtype];

/**
 * Writes a safetensors file: metadata first, then tensors, header and data alike in the order given, so that
 * the same input gives the same bytes. The header is padded with spaces to a multiple of 8 bytes; the format
 * allows no padding between tensors, so give wide dtypes first where alignment matters. Data goes to disk
 * tensor by tensor without a copy, under a temporary name that is renamed at the end; it must not be changed
 * meanwhile.
 *
 * @param metadata free text stored beside the tensors
 * @throws InputError before anything is written, when a name comes twice or is reserved, or when dtype, shape
 * and data do not fit together
 */
export async function writeSafetensors(
  path: string,
  tensors: Iterable<TensorToWrite>,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  const all = [...tensors];
  checkTensors(path, all);
  const header = headerBytes(path, all, metadata);
  await writePartsAtomically(path, [header, ...all.map(({ data }) => data)]);
}

function checkTensors(path: string, tensors: readonly TensorToWrite[]): void {
  const names = new Set<string>();
  for (const { name, dtype, shape, data } of tensors) {
    if (names.has(name)) throw tensorError(path, name, 'is given twice', 'give each tensor its own name');
    names.add(name);
    if (name === METADATA_KEY) throw tensorError(path, name, 'has a reserved name', 'rename it');
    if (!wellFormed(name)) throw tensorError(path, name, 'has a name that is not Unicode', 'rename it');
    if (!(data instanceof ARRAY_TYPES[dtype])) {
      const what = `holds a ${(data as object).constructor.name}, which does not fit ${dtype}`;
      throw tensorError(path, name, what, 'convert it or give the dtype it has');
    }
    const isShape = shape.every((axis) => Number.isSafeInteger(axis) && axis >= 0);
    if (!isShape || elementCount(shape) !== data.length) {
      const what = `has ${data.length} elements, which do not fit ${shownShape(shape)}`;
      throw tensorError(path, name, what, 'give the shape the data has');
    }
  }
}

/** What stands before the data of tensors that follow each other in this order. @throws InputError as above */
export function headerBytes(
  path: string,
  tensors: readonly Pick<TensorToWrite, 'name' | 'dtype' | 'shape'>[],
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  const members: string[] = [];
  const texts = Object.entries(metadata);
  for (const [key, text] of texts) {
    if (wellFormed(key) && wellFormed(text)) continue;
    throw new InputError(path, `metadata ${quoted(key)} is not Unicode`, 'store it as plain text');
  }
  const notes = texts.map(([key, text]) => member(key, JSON.stringify(text)));
  if (notes.length > 0) members.push(member(METADATA_KEY, `{${notes.join(',')}}`));
  let begin = 0;
  for (const { name, dtype, shape } of tensors) {
    const end = begin + (elementCount(shape) ?? 0) * ARRAY_TYPES[dtype].BYTES_PER_ELEMENT;
    members.push(member(name, JSON.stringify({ dtype, shape, data_offsets: [begin, end] })));
    begin = end;
  }
  const json = Buffer.from(`{${members.join(',')}}`, 'utf8');
  const length = Math.ceil(json.byteLength / 8) * 8;
  if (length > MAX_HEADER_BYTES) {
    throw new InputError(path, `the header would have ${length} bytes`, 'store less metadata');
  }
  const bytes = Buffer.alloc(LENGTH_BYTES + length, ' ');
  bytes.writeBigUInt64LE(BigInt(length), 0);
  json.copy(bytes, LENGTH_BYTES);
  return bytes;
}

// Members are joined as text because as properties of an object names such as "0" would change their order.
const member = (key: string, json: string): string => `${JSON.stringify(key)}:${json}`;

const wellFormed = (text: string): boolean => !/\p{Cs}/u.test(text);
