import { availableParallelism } from 'node:os';
import { basename, dirname, extname, join } from 'node:path';
import { environment } from '../../ground/environment.ts';
import { InputError, messageOf } from '../../ground/errors.ts';
import { writeFileAtomically } from '../../ground/files.ts';
import { fileFingerprint, valueFingerprint } from '../../ground/fingerprint.ts';
import { readText } from '../../ground/whole-file.ts';
import {
  download,
  isObjectLocation,
  openStore,
  type Store,
  type StoredObject,
  StoreUnreachable,
  storedObject,
} from '../../storage/index.ts';
import type { PhotoFile } from '../../vision/photos/index.ts';
import { describedBeside, WEIGHTS_IN_FOLDERS } from '../../vision/weights/index.ts';
import type { PhotoProblem } from './answer.ts';
import { requireSeen } from './out-of-reach.ts';
import type { UnitPhoto } from './spec.ts';

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
 * @throws NotSeenHere for a folder that the planning machine sees and this one does not, which is no photo's fault
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
        if (!photo.lost) requireSeen(dirname(origin), 'where photos lie', 'put the photos into a bucket');
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

/**
 * Weights that lie in a store of objects, or a folder of such there, fetched into the cache in pieces with what lies beside
 * them and may say what they are: a folder for each state of all of it. Others as they are named.
 *
 * @throws InputError when they are not those of the hash
 */
export async function fetchedBackbone(backbone: string, sha256?: string): Promise<string> {
  if (!isObjectLocation(backbone)) return backbone;
  const { store, weights } = await storedWeights(backbone);
  const names = [...new Set(describedBeside(weights.key).map((place) => basename(place)))];
  const beside = (await Promise.all(names.map((name) => store.facts(name)))).filter(
    (facts) => facts !== null,
  );
  const state = valueFingerprint([weights, ...beside].map(({ key, version }) => [key, version]));
  const folder = join(environment().cacheFolder, 'objects', state.slice(0, 32));
  // They are small, and a damaged one says something else of the weights.
  for (const { key, version } of beside) await download(store, key, join(folder, key), { version });
  const { key, version } = weights;
  const path = join(folder, key);
  // Beside the folder, in which nothing else may lie that could say something of the weights.
  const fetched = `${folder}.sha256`;
  const expected = sha256 ?? (await readText(fetched).catch(() => ''));
  if ((await fileFingerprint(path).catch(() => null)) !== expected) {
    await download(store, key, path, { version, ...(sha256 !== undefined && { sha256 }) });
    await writeFileAtomically(fetched, await fileFingerprint(path));
  }
  return path;
}

/** The object of weights that a location names, or that its folder holds. @throws InputError where there is none */
async function storedWeights(
  location: string,
): Promise<{ readonly store: Store; readonly weights: StoredObject }> {
  const named = storedObject(location);
  const folder = openStore(location);
  for (const { store, key } of [named, ...WEIGHTS_IN_FOLDERS.map((name) => ({ store: folder, key: name }))]) {
    const weights = key === '' ? null : await store.facts(key);
    if (weights) return { store, weights };
  }
  throw new InputError(location, 'there is no such object', 'check its name');
}
