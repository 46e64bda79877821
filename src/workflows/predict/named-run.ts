import { stat } from 'node:fs/promises';
import { InputError, UsageError } from '../../ground/errors.ts';
import { BUNDLED_RUNS } from '../../runs/bundled-runs.ts';
import { isRunFolder } from '../../runs/run-folder.ts';
import { isStoredRun } from '../../runs/stored-run.ts';
import { isObjectLocation } from '../../storage/index.ts';
import { isPhotoName, listPhotos } from '../../vision/photos/index.ts';

/** What a person who names paths asks of which run. */
export interface NamedRun {
  /** A run folder, `s3://…` of one, or the name of a run that comes with sward; null where none is named. */
  readonly run: string | null;
  readonly photos: readonly string[];
}

/**
 * Tells a run from photos: the first path is one when it is the folder of a run or the name of one that comes with
 * sward (`./starter` is a folder of that name).
 *
 * @param mayBeGone whether photos may have been removed since their list was made
 * @throws InputError when the first path is nothing at all
 * @throws UsageError when a run is named where photos belong
 */
export async function namedRun(paths: readonly string[], mayBeGone = false): Promise<NamedRun> {
  const [first, ...others] = paths;
  if (first === undefined) return { run: null, photos: [] };
  const isRun = BUNDLED_RUNS.includes(first) || (await isRunFolder(first)) || (await isStoredRun(first));
  const photos = isRun ? others : paths;
  for (const path of photos) {
    if (!(await isRunFolder(path))) continue;
    throw new UsageError(
      isRun
        ? `${path} is a run, as ${first} is; name one run, then photos`
        : `${path} is a run; it comes first: sward predict ${path} ${paths.filter((other) => other !== path).join(' ')}`,
    );
  }
  if (isRun) return { run: first, photos };
  if (mayBeGone || isObjectLocation(first)) return { run: null, photos };
  const facts = await stat(first).catch(() => null);
  if (facts === null && !isPhotoName(first)) {
    throw new InputError(first, 'there is no such run, photo or folder', 'check the path');
  }
  // A folder that is no run and holds no photo may be a run whose files are lost.
  if (facts?.isDirectory() && others.length > 0 && (await listPhotos(first)).photos.length === 0) {
    throw new InputError(first, 'is no run folder, and no photo lies in it', 'check the path');
  }
  return { run: null, photos };
}
