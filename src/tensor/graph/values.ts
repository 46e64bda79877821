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
  if (initial.from === 'file') return converted(initial.dtype, parameter.dtype, readFileValue(initial));
  const values = initial.from === 'array' ? initial.values : initial.generate();
  if (values.length !== sizeOf(parameter.shape)) {
    throw new ShapeError(
      `${parameter.name}: ${values.length} values do not fill ${showShape(parameter.shape)}`,
    );
  }
  return values.slice();
}

/** The elements of a file value, read. @throws InputError when the file is too short */
function readFileValue(value: FileValue): TensorArray {
  const bytes = bytesOf(allocate(value.dtype, value.length / bytesPerElement(value.dtype)));
  const file = openSync(value.path, 'r');
  try {
    let done = 0;
    while (done < bytes.length) {
      const count = readSync(file, bytes, done, bytes.length - done, value.offset + done);
      if (count === 0) throw new InputError(value.path, 'the file ends too early', 'fetch or write it again');
      done += count;
    }
  } finally {
    closeSync(file);
  }
  return viewElements(value.dtype, bytes);
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
