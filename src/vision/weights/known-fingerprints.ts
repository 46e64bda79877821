import { join, resolve } from 'node:path';
import type { SafetensorsFile } from '../../formats/safetensors/index.ts';
import { writeToCache } from '../../ground/cache-file.ts';
import { InputError } from '../../ground/errors.ts';
import { fileFingerprint, valueFingerprint } from '../../ground/fingerprint.ts';
import { readText } from '../../ground/whole-file.ts';

/**
 * SHA-256 of a file's bytes, remembered by its path, size and time of change: reading gigabytes at every start
 * would take longer than starting does. A memory that is damaged, which its own checksum tells, counts as none.
 *
 * @param cacheFolder where sward keeps what it can compute again
 */
export async function rememberedFingerprint(file: NamedVersion, cacheFolder: string): Promise<string> {
  const { memory, key } = memoryOf(file, cacheFolder);
  const known = await readText(memory).catch(() => '');
  const [fingerprint = ''] = known.split(' ');
  if (known === sealed(key, fingerprint)) return fingerprint;
  const found = await fileFingerprint(file.path);
  await writeToCache(memory, sealed(key, found));
  return found;
}

/** Remembers the SHA-256 of a file that was known when it was written. */
export async function rememberFingerprint(
  file: NamedVersion,
  fingerprint: string,
  cacheFolder: string,
): Promise<void> {
  const { memory, key } = memoryOf(file, cacheFolder);
  await writeToCache(memory, sealed(key, fingerprint));
}

/**
 * SHA-256 of a file that was pulled, as {@link rememberedFingerprint}.
 *
 * @param filedAs the SHA-256 that the hub's cache files it under; undefined where it tells none
 * @throws InputError where it has another
 */
export async function pulledFingerprint(
  file: NamedVersion,
  filedAs: string | undefined,
  cacheFolder: string,
): Promise<string> {
  const found = await rememberedFingerprint(file, cacheFolder);
  if (filedAs === undefined || filedAs === found) return found;
  throw new InputError(file.path, 'is damaged: its SHA-256 is another than its name says', 'pull it again');
}

type NamedVersion = Pick<SafetensorsFile, 'path' | 'version'>;

function memoryOf({ path, version }: NamedVersion, cacheFolder: string): { memory: string; key: string } {
  const key = valueFingerprint([resolve(path), version]);
  return { memory: join(cacheFolder, 'weights', 'fingerprints', key), key };
}

/** A fingerprint with what tells that it is still the one of this file. */
const sealed = (key: string, fingerprint: string): string =>
  `${fingerprint} ${valueFingerprint([key, fingerprint])}`;
