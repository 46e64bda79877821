import { stat } from 'node:fs/promises';
import { InputError } from '../../ground/errors.ts';
import { BUNDLED_RUNS } from '../../runs/bundled-runs.ts';
import { isRunFolder } from '../../runs/run-folder.ts';
import { isPhotoName, listPhotos } from '../../vision/photos/index.ts';

/** What a person who names paths asks of which run. */
export interface NamedRun {
  /** A run folder or the name of a run that comes with sward; null where none is named. */
  readonly run: string | null;
  readonly photos: readonly string[];
}

/**
 * Tells a run from photos: the first path is one when it is the folder of a run, the name of one that comes with sward,
 * or a folder with no photo in it that stands before photos.
 *
 * @throws InputError when the first path is nothing at all
 */
export async function namedRun(paths: readonly string[]): Promise<NamedRun> {
  const [first, ...others] = paths;
  if (first === undefined) return { run: null, photos: [] };
  const facts = await stat(first).catch(() => null);
  if (facts === null) {
    if (BUNDLED_RUNS.includes(first)) return { run: first, photos: others };
    if (isPhotoName(first)) return { run: null, photos: paths };
    throw new InputError(first, 'there is no such run, photo or folder', 'check the path');
  }
  if (!facts.isDirectory()) return { run: null, photos: paths };
  const isRun =
    (await isRunFolder(first)) || (others.length > 0 && (await listPhotos(first)).photos.length === 0);
  return isRun ? { run: first, photos: others } : { run: null, photos: paths };
}
