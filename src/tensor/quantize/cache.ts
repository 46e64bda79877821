import { createHash } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { openSafetensors, readTensor, type SafetensorsFile } from '../../formats/safetensors/index.ts';
import { InputError } from '../../ground/errors.ts';
import { bytesOf, storedAs } from '../graph/dtype.ts';
import type { Parameter } from '../graph/operator.ts';
import { initialValues, saveTensors } from '../graph/values.ts';
import type { QuantizedWeight } from './weights.ts';

/** Changes when the stored formats do. */
const FORMAT = 2;

/**
 * The file with a weight in a quantised format, written at first use. One that is damaged, which its checksum tells, is
 * written again.
 *
 * @param make quantises the weight
 */
export async function cachedQuantization(
  folder: string,
  weight: Parameter,
  format: string,
  make: () => QuantizedWeight,
): Promise<SafetensorsFile> {
  const path = join(folder, `${fingerprint(weight, format)}.safetensors`);
  if (existsSync(path)) {
    try {
      const file = await openSafetensors(path);
      if (file.metadata.sha256 === (await storedChecksum(file))) return file;
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
    }
  }
  const made = make();
  await saveTensors(path, made, { weight: weight.name, format, sha256: checksum(partsOf(made)) });
  return openSafetensors(path);
}

/** A tensor of a file, by what of it counts. */
interface StoredPart {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

const partsOf = (made: QuantizedWeight): StoredPart[] =>
  Object.entries(made).map(([name, { dtype, shape, values }]) => ({
    name,
    dtype: storedAs(dtype),
    shape,
    bytes: bytesOf(values),
  }));

async function storedChecksum(file: SafetensorsFile): Promise<string> {
  const parts: StoredPart[] = [];
  for (const { name, dtype, shape } of file.tensors.values()) {
    const { buffer, byteOffset, byteLength } = await readTensor(file, name);
    parts.push({ name, dtype, shape, bytes: new Uint8Array(buffer, byteOffset, byteLength) });
  }
  return checksum(parts);
}

/** SHA-256 of tensors with their names, types and shapes, in whatever order they come. */
function checksum(parts: readonly StoredPart[]): string {
  const hash = createHash('sha256');
  for (const { name, dtype, shape, bytes } of [...parts].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    hash.update(`${name} ${dtype} ${shape.join()} `).update(bytes);
  }
  return hash.digest('hex');
}

/** Identifies what is quantised: place and time of the file for weights in one, else the content. */
function fingerprint(weight: Parameter, format: string): string {
  const { initial } = weight.origin;
  const hash = createHash('sha256').update(`${FORMAT} ${format} ${weight.shape.join()} ${weight.dtype} `);
  if (initial.from === 'file') {
    const { size, mtimeMs } = statSync(initial.path);
    hash.update(`${initial.path} ${size} ${mtimeMs} ${initial.offset} ${initial.length}`);
  } else {
    hash.update(bytesOf(initialValues(weight)));
  }
  return hash.digest('hex').slice(0, 40);
}
