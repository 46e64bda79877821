import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, extname, join, resolve } from 'node:path';
import { configure, environment } from '../../ground/environment.ts';
import { InputError, messageOf, SwardError } from '../../ground/errors.ts';
import { replaceFolder } from '../../ground/files.ts';
import { fileFingerprint, valueFingerprint } from '../../ground/fingerprint.ts';
import { placeUnder } from '../../ground/moved-files.ts';
import { MANIFEST_FILES, readCompleteManifest } from '../../runs/manifest.ts';
import { isBesideAnswers } from '../../runs/run-files.ts';
import {
  download,
  isObjectLocation,
  openStore,
  type StoredObject,
  StoreUnreachable,
  storedObject,
} from '../../storage/index.ts';
import type { PhotoFile } from '../../vision/photos/index.ts';
import type { PhotoProblem } from './answer.ts';
import { JobStore } from './job-store.ts';
import type { StagedFile, UnitPhoto, UnitSpec } from './spec.ts';

/** A photo of a unit where this machine can read it. */
export interface LocalPhoto extends PhotoFile, Pick<UnitPhoto, 'readings' | 'state'> {
  /** Where it lies for all machines. */
  readonly origin: string;
}

/** Objects that are fetched at once: enough to hide how long each answer takes. */
const FETCHED_AT_ONCE = Math.max(8, 2 * availableParallelism());

/**
 * The photos of a unit on this machine: those of a store of objects are fetched, each as it was when the work was planned.
 *
 * @returns also those that could not be fetched, which is no fault of the unit
 * @throws StoreUnreachable where the store does not answer at all
 */
export async function fetchedPhotos(
  photos: readonly UnitPhoto[],
  scratch: string,
): Promise<{ readonly photos: LocalPhoto[]; readonly missing: PhotoProblem[] }> {
  const missing: PhotoProblem[] = [];
  const all: (LocalPhoto | null)[] = [];
  for (let start = 0; start < photos.length; start += FETCHED_AT_ONCE) {
    const some = photos.slice(start, start + FETCHED_AT_ONCE).map(async (photo, place) => {
      const { imageId, path: origin, version, readings, state } = photo;
      const own = {
        imageId,
        origin,
        ...(readings && { readings }),
        ...(state !== undefined && { state }),
      };
      if (!isObjectLocation(origin)) {
        requireFolderOf(photo);
        return { ...own, path: origin };
      }
      const path = join(scratch, 'photos', `${start + place}${extname(origin)}`);
      const { store, key } = storedObject(origin);
      try {
        await download(store, key, path, version === undefined ? {} : { version });
        return { ...own, path };
      } catch (error) {
        if (!(error instanceof InputError) || error instanceof StoreUnreachable) throw error;
        missing.push({ imageId, photo: origin, problem: messageOf(error).replace(`${origin}: `, '') });
        return null;
      }
    });
    all.push(...(await Promise.all(some)));
  }
  return { photos: all.filter((photo) => photo !== null), missing };
}

/** @throws SwardError for a folder that the planning machine sees and this one does not, which is no photo's fault */
function requireFolderOf({ path, lost }: UnitPhoto): void {
  const folder = dirname(path);
  if (lost || existsSync(folder)) return;
  throw new SwardError(
    `this machine sees no ${folder}, where photos lie; mount it there, or put the photos into a bucket`,
  );
}

/**
 * Where files lie that the planning machine knows by its own paths: those that it put into the store are fetched, once
 * a machine, and found there by whoever reads weights; without any, all machines see the same folder.
 */
export async function stagedPath(spec: UnitSpec, scratch: string): Promise<(path: string) => string> {
  if (spec.staged.length === 0) {
    configure({ moved: null });
    return (path) => path;
  }
  const root = join(scratch, '..', `staged-${spec.job}`);
  const jobs = JobStore.of(spec);
  for (const { path, sha256 } of spec.staged) {
    const local = placeUnder(root, path);
    if ((await fileFingerprint(local).catch(() => null)) === sha256) continue;
    await download(jobs.store, jobs.objectKey(sha256), local, { sha256 });
  }
  configure({ moved: { root, folder: spec.folder } });
  return (path) => placeUnder(root, path);
}

/** Puts files into the store, so that machines that do not see them can fetch them. */
export async function stageFiles(jobs: JobStore, paths: readonly string[]): Promise<StagedFile[]> {
  const staged: StagedFile[] = [];
  for (const path of [...new Set(paths.map((one) => resolve(one)))]) {
    const sha256 = await fileFingerprint(path);
    await jobs.putObject(path, sha256);
    staged.push({ path, sha256 });
  }
  return staged;
}

/**
 * Weights that lie in a store of objects, fetched into the cache in pieces; others as they are named.
 *
 * @throws InputError when they are not those of the hash
 */
export async function fetchedBackbone(backbone: string, sha256?: string): Promise<string> {
  if (!isObjectLocation(backbone)) return backbone;
  const { store, key } = storedObject(backbone);
  const facts = await store.facts(key);
  if (!facts) throw new InputError(backbone, 'there is no such object', 'check its name');
  const folder = join(environment().cacheFolder, 'objects', facts.version.replaceAll(/[^\w-]/g, ''));
  const path = join(folder, key);
  const isThere = await fileFingerprint(path).then(
    (found) => sha256 === undefined || found === sha256,
    () => false,
  );
  if (!isThere) await download(store, key, path, { ...(sha256 !== undefined && { sha256 }) });
  // What tensors do not tell of a network stands beside them.
  for (const beside of [`${key.slice(0, key.length - extname(key).length)}.json`, 'config.json']) {
    if (await store.facts(beside)) await download(store, beside, join(folder, beside));
  }
  return path;
}

/** Objects of a run that are fetched at once. */
const RUN_FILES_AT_ONCE = 8;

/**
 * A run that lies in a store of objects, fetched into the cache: a folder for each state that it has been in.
 *
 * @throws InputError where there is none
 */
export async function fetchedRun(location: string): Promise<string> {
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
    await Promise.all(Array.from({ length: RUN_FILES_AT_ONCE }, fetch));
    const { kind } = await readCompleteManifest(aside);
    if (kind !== 'ensemble') return;
    throw new InputError(
      location,
      'is an ensemble, and its members are runs elsewhere',
      'copy all to a folder',
    );
  });
  return folder;
}

/** Whether a run lies there in a store of objects. */
export async function isStoredRun(location: string): Promise<boolean> {
  if (!isObjectLocation(location)) return false;
  const store = openStore(location);
  const found = await Promise.all(MANIFEST_FILES.map((name) => store.facts(name)));
  return found.some((facts) => facts !== null);
}
