import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../../ground/errors.ts';
import { openSafetensors, readTensor, writeSafetensors } from '../../tensor/safetensors/index.ts';
import type { Domain } from './domain.ts';

const DOMAIN = 'domain.safetensors';

/** Writes `domain.safetensors` into a run folder; training inputs in single precision. */
export async function writeDomain(run: string, { mean, scale, support, reference }: Domain): Promise<void> {
  await writeSafetensors(join(run, DOMAIN), [
    { name: 'mean', dtype: 'F64', shape: [mean.length], data: mean },
    { name: 'scale', dtype: 'F64', shape: [scale.length], data: scale },
    { name: 'reference', dtype: 'F64', shape: [reference.length], data: reference },
    {
      name: 'support',
      dtype: 'F32',
      shape: [support.rows, support.columns],
      data: Float32Array.from(support.data),
    },
  ]);
}

/** Reads what {@link writeDomain} wrote; null where a run has none. @throws InputError when it is damaged */
export async function readDomain(run: string): Promise<Domain | null> {
  const path = join(run, DOMAIN);
  if (!(await stat(path).catch(() => null))) return null;
  const file = await openSafetensors(path);
  const doubles = async (name: string): Promise<Float64Array> => {
    const data = await readTensor(file, name);
    if (data instanceof Float64Array) return data;
    throw new InputError(path, `${name} is not of doubles`, 'train the run again');
  };
  const support = await readTensor(file, 'support');
  const [rows, columns] = file.tensors.get('support')?.shape ?? [];
  if (!(support instanceof Float32Array) || rows === undefined || columns === undefined) {
    throw new InputError(path, 'support is not a matrix', 'train the run again');
  }
  return {
    mean: await doubles('mean'),
    scale: await doubles('scale'),
    reference: await doubles('reference'),
    support: { rows, columns, data: Float64Array.from(support) },
  };
}
