import { join } from 'node:path';
import { openSafetensors, readTensors, writeSafetensors } from '../formats/safetensors/index.ts';
import type { SafetensorsDtype, StoredArray } from '../formats/tensors/dtypes.ts';
import { float16FromFloat32, float32FromFloat16 } from '../formats/tensors/half.ts';
import { InputError } from '../ground/errors.ts';
import type { Matrix } from '../ground/matrix.ts';

const FILE_NAME = 'model.safetensors';
const KIND = 'estimator';
const REMEDY = 'copy the run anew if it was copied, or train it again';

/** Single and half precision. */
type NarrowType = 'F32' | 'F16';

/** What a small model stores: matrices of doubles by name, and texts beside them. */
export interface StoredModel {
  readonly matrices: Readonly<Record<string, Matrix>>;
  /** Types that matrices whose values they hold are stored in, by the matrices' names; the others are doubles. */
  readonly narrow?: Readonly<Record<string, NarrowType>>;
  readonly texts: Readonly<Record<string, string>>;
}

/** Writes `model.safetensors` into a folder, marked with the kind of estimator that can read it. */
export async function writeModelFile(folder: string, kind: string, model: StoredModel): Promise<void> {
  await writeSafetensors(
    join(folder, FILE_NAME),
    Object.entries(model.matrices).map(([name, { rows, columns, data }]) => ({
      name,
      shape: [rows, columns],
      ...elements(data, model.narrow?.[name]),
    })),
    { [KIND]: kind, ...model.texts },
  );
}

function elements(data: Float64Array, narrow: NarrowType | undefined) {
  if (narrow === undefined) return { dtype: 'F64' as const, data };
  const single = Float32Array.from(data);
  return narrow === 'F32'
    ? { dtype: narrow, data: single }
    : { dtype: narrow, data: float16FromFloat32(single) };
}

/**
 * Reads what {@link writeModelFile} wrote.
 *
 * @param names matrices that must be there
 * @param further matrices that may be there
 * @throws InputError when the file is missing or damaged, was written by another kind of estimator, lacks a
 *   matrix, or holds NaN
 */
export async function readModelFile<Name extends string>(
  folder: string,
  kind: string,
  names: readonly Name[],
  further: readonly string[] = [],
): Promise<{
  matrices: Record<Name, Matrix> & Readonly<Record<string, Matrix>>;
  texts: Readonly<Record<string, string>>;
}> {
  const path = join(folder, FILE_NAME);
  const file = await openSafetensors(path);
  if (file.metadata[KIND] !== kind) {
    throw new InputError(
      path,
      `is a ${file.metadata[KIND] ?? 'foreign'} model, not ${kind}`,
      'train the run again',
    );
  }
  const stored = [...names, ...further.filter((own) => file.tensors.has(own))];
  const values = await readTensors(file, stored);
  const entries = stored.map((name, index) => {
    const { dtype, shape = [] } = file.tensors.get(name) ?? {};
    const data = asDoubles(dtype, values[index]);
    const [rows, columns] = shape;
    if (data === null || rows === undefined || columns === undefined) {
      throw new InputError(path, `${name} is not a matrix of floats`, 'train the run again');
    }
    if (data.some(Number.isNaN)) {
      throw new InputError(path, `${name} holds what is no number (NaN)`, REMEDY);
    }
    return [name, { rows, columns, data }];
  });
  const matrices = Object.fromEntries(entries) as Record<Name, Matrix> & Record<string, Matrix>;
  return { matrices, texts: file.metadata };
}

/** Null for what {@link writeModelFile} writes no matrix in. */
function asDoubles(
  dtype: SafetensorsDtype | undefined,
  values: StoredArray | undefined,
): Float64Array | null {
  if (values instanceof Float64Array) return values;
  if (values instanceof Float32Array) return Float64Array.from(values);
  if (dtype === 'F16' && values instanceof Uint16Array) return Float64Array.from(float32FromFloat16(values));
  return null;
}
