import { createHash } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { openSafetensors, type SafetensorsFile } from '../../formats/safetensors/index.ts';
import { InputError } from '../../ground/errors.ts';
import { bytesOf } from '../graph/dtype.ts';
import type { Parameter } from '../graph/operator.ts';
import { initialValues, saveTensors } from '../graph/values.ts';
import type { QuantizedWeight } from './weights.ts';

/** Changes when the stored formats do. */
const FORMAT = 2;

/**
 * The file with a weight in a quantised format, written at first use. A damaged one is written again.
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
      return await openSafetensors(path);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
    }
  }
  await saveTensors(path, make(), { weight: weight.name, format });
  return openSafetensors(path);
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
