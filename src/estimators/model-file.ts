import { join } from 'node:path';
import {
  openSafetensors,
  readTensor,
  readTensorAsFloat32,
  writeSafetensors,
} from '../formats/safetensors/index.ts';
import { float16FromFloat32 } from '../formats/tensors/half.ts';
import { InputError } from '../ground/errors.ts';
import type { Matrix } from '../ground/matrix.ts';

const FILE_NAME = 'model.safetensors';
const KIND = 'estimator';

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
 * @throws InputError when the file is missing or damaged, was written by another kind of estimator, or lacks
 *   a matrix
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
  const entries: [string, Matrix][] = [];
  for (const name of [...names, ...further.filter((own) => file.tensors.has(own))]) {
    const { dtype, shape = [] } = file.tensors.get(name) ?? {};
    const data =
      dtype === 'F32' || dtype === 'F16'
        ? Float64Array.from(await readTensorAsFloat32(file, name))
        : await readTensor(file, name);
    const [rows, columns] = shape;
    if (!(data instanceof Float64Array) || rows === undefined || columns === undefined) {
      throw new InputError(path, `${name} is not a matrix of floats`, 'train the run again');
    }
    entries.push([name, { rows, columns, data }]);
  }
  const matrices = Object.fromEntries(entries) as Record<Name, Matrix> & Record<string, Matrix>;
  return { matrices, texts: file.metadata };
}
