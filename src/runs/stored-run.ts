import { existsSync } from 'node:fs';
import { join, posix, resolve } from 'node:path';
import { environment } from '../ground/environment.ts';
import { InputError } from '../ground/errors.ts';
import { replaceFolder } from '../ground/files.ts';
import { valueFingerprint } from '../ground/fingerprint.ts';
import { bucketOf, download, isObjectLocation, openStore, type StoredObject } from '../storage/index.ts';
import { MANIFEST_FILES } from './manifest.ts';
import { isBesideAnswers } from './run-files.ts';

/** Objects of a run that are fetched at once. */
const FETCHED_AT_ONCE = 8;

/**
 * A run that lies in a store of objects, fetched into the cache: a folder for each state that it has been in. Of an
 * ensemble its members are runs elsewhere.
 *
 * @throws InputError where there is none
 */
async function fetchedRun(location: string): Promise<string> {
  const store = openStore(location);
  const objects: StoredObject[] = [];
  for await (const object of store.list('')) {
    if (!isBesideAnswers(object.key)) objects.push(object);
  }
  if (!objects.some(({ key }) => MANIFEST_FILES.includes(key))) {
    throw new InputError(location, 'holds no run', 'name the prefix that its run.json lies under');
  }
  const state = valueFingerprint(objects.map(({ key, version }) => [key, version]));
  const folder = join(environment().cacheFolder, 'runs', state.slice(0, 32));
  if (existsSync(folder)) return folder;
  await replaceFolder(folder, async (aside) => {
    const waiting = objects.values();
    const fetch = async (): Promise<void> => {
      for (const { key, version } of waiting) await download(store, key, join(aside, key), { version });
    };
    await Promise.all(Array.from({ length: FETCHED_AT_ONCE }, fetch));
  });
  return folder;
}

/** A run's folder on this machine: fetched where it lies in a store of objects, else as it is named. */
export const runHere = async (run: string): Promise<string> =>
  isObjectLocation(run) ? fetchedRun(run) : run;

/** Whether a run lies there in a store of objects. */
export async function isStoredRun(location: string): Promise<boolean> {
  if (!isObjectLocation(location)) return false;
  const store = openStore(location);
  const found = await Promise.all(MANIFEST_FILES.map((name) => store.facts(name)));
  return found.some((facts) => facts !== null);
}

/** Where a path leads that a run names, from where the run lies: a folder, or a prefix of a bucket, out of which none leads. */
export function placeFrom(run: string, path: string): string {
  if (isObjectLocation(path)) return path;
  if (!isObjectLocation(run)) return resolve(run, path);
  const { bucket, prefix } = bucketOf(run);
  return `s3://${bucket}${posix.join('/', prefix, path)}`;
}
