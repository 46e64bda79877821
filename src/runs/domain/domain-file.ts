import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { openSafetensors, readTensor, writeSafetensors } from '../../formats/safetensors/index.ts';
import { InputError } from '../../ground/errors.ts';
import { ALIKE_DESCRIPTOR_VERSIONS, DESCRIPTOR_VERSION } from '../../vision/descriptors/index.ts';
import type { Domain } from './domain.ts';

/** What a run was trained on, by features alone. */
export const DOMAIN = 'domain.safetensors';

const subjectSchema = z.object({
  of: z.enum(['inputs', 'descriptors']).catch('inputs'),
  version: z.string().optional(),
});

/** What a record is of: the inputs that the run's estimator reads, or descriptors of the photos. */
export type DomainSubject = z.output<typeof subjectSchema>['of'];

/** A record that was read. */
export interface StoredDomain extends Domain {
  readonly of: DomainSubject;
}

/**
 * Writes `domain.safetensors` into a run folder; training inputs in single precision. A record of descriptors says so
 * in its metadata, with their version; one of several feature sets has the weights of their columns.
 */
export async function writeDomain(
  run: string,
  { mean, scale, weights, support, reference }: Domain,
  of: DomainSubject = 'inputs',
): Promise<void> {
  await writeSafetensors(
    join(run, DOMAIN),
    [
      { name: 'mean', dtype: 'F64', shape: [mean.length], data: mean },
      { name: 'scale', dtype: 'F64', shape: [scale.length], data: scale },
      ...(weights
        ? [{ name: 'weights', dtype: 'F64', shape: [weights.length], data: weights } as const]
        : []),
      { name: 'reference', dtype: 'F64', shape: [reference.length], data: reference },
      {
        name: 'support',
        dtype: 'F32',
        shape: [support.rows, support.columns],
        data: Float32Array.from(support.data),
      },
    ],
    of === 'descriptors' ? { of, version: String(DESCRIPTOR_VERSION) } : {},
  );
}

/**
 * Reads what {@link writeDomain} wrote; null where a run has none, or one of descriptors that are computed otherwise
 * now.
 *
 * @throws InputError when it is damaged
 */
export async function readDomain(run: string): Promise<StoredDomain | null> {
  const path = join(run, DOMAIN);
  if (!(await stat(path).catch(() => null))) return null;
  const file = await openSafetensors(path);
  const { of, version } = subjectSchema.parse(file.metadata);
  if (of === 'descriptors' && !ALIKE_DESCRIPTOR_VERSIONS.map(String).includes(version ?? '')) return null;
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
    of,
    mean: await doubles('mean'),
    scale: await doubles('scale'),
    weights: file.tensors.has('weights') ? await doubles('weights') : null,
    reference: await doubles('reference'),
    support: { rows, columns, data: Float64Array.from(support) },
  };
}
