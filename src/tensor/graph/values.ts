import { closeSync, openSync, readSync } from 'node:fs';
import {
  openSafetensors,
  readTensor,
  type SafetensorsFile,
  type TensorEntry,
  type TensorToWrite,
  writeSafetensors,
} from '../../formats/safetensors/index.ts';
import { InputError, ShapeError } from '../../ground/errors.ts';
import {
  allocate,
  bytesOf,
  bytesPerElement,
  type DType,
  decodeNumbers,
  dtypeStoredAs,
  encodeNumbers,
  storedAs,
  type TensorArray,
  viewElements,
} from './dtype.ts';
import type { FileValue, Parameter, TensorSpec } from './operator.ts';
import { showShape, sizeOf } from './shape.ts';

/** An array with its shape: what programs return, and take. */
export interface TensorData extends TensorSpec {
  readonly values: TensorArray;
}

/**
 * A parameter's first value, in its own dtype. Always a fresh array.
 *
 * @throws InputError when its file is shorter than it was
 */
export function initialValues(parameter: Parameter): TensorArray {
  const { initial } = parameter.origin;
  const { dtype, shape, name } = parameter;
  if (initial.from === 'file') return converted(initial.dtype, dtype, readFileValue(initial));
  if (initial.from === 'zeros') return allocate(dtype, sizeOf(shape));
  const values = initial.from === 'array' ? initial.values : initial.generate();
  if (values.length !== sizeOf(shape)) {
    throw new ShapeError(`${name}: ${values.length} values do not fill ${showShape(shape)}`);
  }
  return values.slice();
}

/**
 * Gives a float32 array of zeros a parameter's first value.
 *
 * @throws InputError when its file is shorter than it was
 */
export function startWith(parameter: Parameter, zeros: Float32Array<ArrayBuffer>): void {
  const { initial } = parameter.origin;
  if (initial.from === 'file' && initial.dtype === 'float32') readInto(bytesOf(zeros), initial);
  else if (initial.from !== 'zeros') zeros.set(initialValues(parameter) as Float32Array);
}

/** The elements of a file value, read. @throws InputError when the file is too short */
function readFileValue(value: FileValue): TensorArray {
  const bytes = bytesOf(allocate(value.dtype, value.length / bytesPerElement(value.dtype)));
  readInto(bytes, value);
  return viewElements(value.dtype, bytes);
}

function readInto(bytes: Uint8Array, { path, offset }: FileValue): void {
  const file = openSync(path, 'r');
  try {
    let done = 0;
    while (done < bytes.length) {
      const count = readSync(file, bytes, done, bytes.length - done, offset + done);
      if (count === 0) throw new InputError(path, 'the file ends too early', 'fetch or write it again');
      done += count;
    }
  } finally {
    closeSync(file);
  }
}

function converted(from: DType, to: DType, values: TensorArray): TensorArray {
  return from === to ? values : encodeNumbers(to, decodeNumbers(from, values));
}

/** The dtype of a tensor in a file. @throws InputError for one that programs cannot hold */
export function dtypeOf(file: SafetensorsFile, entry: TensorEntry): DType {
  const found = dtypeStoredAs(entry.dtype);
  if (found !== undefined) return found;
  const what = `${entry.dtype} is not supported`;
  throw new InputError(`${file.path} "${entry.name}"`, what, 'store it as F32');
}

/** Where a tensor lies in its file, for use in place. @throws InputError as {@link dtypeOf} */
export function fileValue(file: SafetensorsFile, entry: TensorEntry): FileValue {
  return {
    from: 'file',
    path: file.path,
    dtype: dtypeOf(file, entry),
    offset: entry.byteOffset,
    length: entry.byteLength,
  };
}

/** Writes arrays by name as a safetensors file, atomically. */
export async function saveTensors(
  path: string,
  tensors: Readonly<Record<string, TensorData>>,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  const all = Object.entries(tensors).map(
    ([name, { dtype, shape, values }]) =>
      ({ name, dtype: storedAs(dtype), shape, data: values }) as TensorToWrite,
  );
  await writeSafetensors(path, all, metadata);
}

/** Reads every tensor of a safetensors file. @throws InputError when the file is damaged */
export async function loadTensors(path: string): Promise<{
  readonly tensors: Readonly<Record<string, TensorData>>;
  readonly metadata: Readonly<Record<string, string>>;
}> {
  const file = await openSafetensors(path);
  const tensors: Record<string, TensorData> = {};
  for (const entry of file.tensors.values()) {
    const dtype = dtypeOf(file, entry);
    const values = (await readTensor(file, entry.name)) as TensorData['values'];
    tensors[entry.name] = { dtype, shape: entry.shape, values };
  }
  return { tensors, metadata: { ...file.metadata } };
}
