import {
  openSafetensors,
  readTensor,
  type SafetensorsDtype,
  type SafetensorsFile,
  type TensorEntry,
  type TensorToWrite,
  writeSafetensors,
} from '../../formats/safetensors/index.ts';
import { InputError } from '../../ground/errors.ts';
import type { DType } from '../graph/dtype.ts';
import type { FileValue } from '../graph/tensor.ts';
import type { TensorData } from './values.ts';

const NAMES = {
  float64: 'F64',
  float32: 'F32',
  float16: 'F16',
  bfloat16: 'BF16',
  int64: 'I64',
  int32: 'I32',
  int8: 'I8',
  uint8: 'U8',
  bool: 'BOOL',
} as const satisfies Record<DType, SafetensorsDtype>;

/** The dtype of a tensor in a file. @throws InputError for one that programs cannot hold */
export function dtypeOf(file: SafetensorsFile, entry: TensorEntry): DType {
  const found = Object.entries(NAMES).find(([, name]) => name === entry.dtype);
  if (found === undefined) {
    throw new InputError(
      `${file.path} "${entry.name}"`,
      `${entry.dtype} is not supported`,
      'store it as F32',
    );
  }
  return found[0] as DType;
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
      ({ name, dtype: NAMES[dtype], shape, data: values }) as TensorToWrite,
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
  return { tensors, metadata: Object.fromEntries(Object.entries(file.metadata)) };
}
