import { join } from 'node:path';
import { openSafetensors, readTensor, writeSafetensors } from '../formats/safetensors/index.ts';
import { InputError } from '../ground/errors.ts';
import type { Matrix } from '../ground/matrix.ts';

const FILE_NAME = 'model.safetensors';
const KIND = 'estimator';

/** What a small model stores: matrices of doubles by name, and texts beside them. */
export interface StoredModel {
  readonly matrices: Readonly<Record<string, Matrix>>;
  /** Names of matrices whose values single precision holds, and which are stored in it. */
  readonly single?: readonly string[];
  readonly texts: Readonly<Record<string, string>>;
}

/** Writes `model.safetensors` into a folder, marked with the kind of estimator that can read it. */
export async function writeModelFile(folder: string, kind: string, model: StoredModel): Promise<void> {
  await writeSafetensors(
    join(folder, FILE_NAME),
    Object.entries(model.matrices).map(([name, { rows, columns, data }]) => ({
      name,
      shape: [rows, columns],
      ...(model.single?.includes(name)
        ? { dtype: 'F32' as const, data: Float32Array.from(data) }
        : { dtype: 'F64' as const, data }),
    })),
    { [KIND]: kind, ...model.texts },
  );
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
    const values = await readTensor(file, name);
    const data = values instanceof Float32Array ? Float64Array.from(values) : values;
    const [rows, columns] = file.tensors.get(name)?.shape ?? [];
    if (!(data instanceof Float64Array) || rows === undefined || columns === undefined) {
      throw new InputError(path, `${name} is not a matrix of floats`, 'train the run again');
    }
    entries.push([name, { rows, columns, data }]);
  }
  const matrices = Object.fromEntries(entries) as Record<Name, Matrix> & Record<string, Matrix>;
  return { matrices, texts: file.metadata };
}
