import { mkdir, readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { UsageError } from '../../ground/errors.ts';

/** Where everything of a farm lies: the folder that `sward serve --data` names. */
export interface FarmFolder {
  readonly root: string;
  readonly database: string;
  /** Photos, each under its SHA-256. */
  readonly photos: string;
  /** Uploads that are not complete. */
  readonly uploads: string;
  /** Run folders that were added or trained, each under its id. */
  readonly runs: string;
  /** What jobs work with, each under its id. */
  readonly jobs: string;
  /** What can be computed again. */
  readonly cache: string;
  /** What is gone with the next start: bodies of requests, archives being unpacked. */
  readonly scratch: string;
  /** Held by the server that has the folder. */
  readonly lock: string;
}

/** The places of a farm's folder. */
export function farmFolder(root: string): FarmFolder {
  const place = (name: string): string => join(root, name);
  return {
    root,
    database: place('sward.db'),
    photos: place('photos'),
    uploads: place('uploads'),
    runs: place('runs'),
    jobs: place('jobs'),
    cache: place('cache'),
    scratch: place('scratch'),
    lock: place('server.lock'),
  };
}

/**
 * Makes the folders that are not there yet, readable by their owner alone.
 *
 * @returns the outermost folder that was made for the farm's own; undefined where that one was there
 */
export async function makeFarmFolder({
  root,
  photos,
  uploads,
  runs,
  jobs,
  cache,
  scratch,
}: FarmFolder): Promise<string | undefined> {
  const made = await mkdir(root, { recursive: true, mode: 0o700 });
  for (const folder of [photos, uploads, runs, jobs, cache, scratch]) {
    await mkdir(folder, { recursive: true, mode: 0o700 });
  }
  return made;
}

/**
 * Refuses a folder with files of another kind and no farm, as one of somebody's photos is. What systems leave in empty
 * folders (names with a dot in front, `lost+found`) is no such file.
 *
 * @param shown what the folder is called
 * @throws UsageError
 */
export async function requireOwnFolder(folder: FarmFolder, shown: string): Promise<void> {
  const names = await readdir(folder.root).catch((): string[] => []);
  if (names.includes(basename(folder.database))) return;
  const { root, ...places } = folder;
  const own = new Set(Object.values(places).map((place) => basename(place)));
  const foreign = names.filter((name) => !own.has(name) && !name.startsWith('.') && name !== 'lost+found');
  if (foreign.length === 0) return;
  const more = foreign.length > 2 ? `, … ${foreign.length} in all` : '';
  throw new UsageError(
    `--data ${shown}: holds ${foreign.slice(0, 2).join(', ')}${more} and no farm of sward; name a folder of its own, as ${join(shown, 'farm')}`,
  );
}
