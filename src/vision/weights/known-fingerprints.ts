import { join, resolve } from 'node:path';
import type { SafetensorsFile } from '../../formats/safetensors/index.ts';
import { writeToCache } from '../../ground/cache-file.ts';
import { fileFingerprint, valueFingerprint } from '../../ground/fingerprint.ts';
import { readText } from '../../ground/whole-file.ts';

const SHA256 = /^[0-9a-f]{64}$/;

/**
 * SHA-256 of a file's bytes, remembered by its path, size and time of change: reading gigabytes at every start
 * would take longer than starting does.
 *
 * @param cacheFolder where sward keeps what it can compute again
 */
export async function rememberedFingerprint(
  file: Pick<SafetensorsFile, 'path' | 'version'>,
  cacheFolder: string,
): Promise<string> {
  const key = valueFingerprint([resolve(file.path), file.version]);
  const memory = join(cacheFolder, 'weights', 'fingerprints', key);
  const known = await readText(memory).catch(() => '');
  if (SHA256.test(known)) return known;
  const fingerprint = await fileFingerprint(file.path);
  await writeToCache(memory, fingerprint);
  return fingerprint;
}
