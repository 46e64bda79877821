import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { InputError } from '../../ground/errors.ts';
import { listPhotos } from '../../vision/photos/index.ts';

/** Photos of classes that are to be told apart. */
export interface ClassPhotos {
  readonly kind: 'classes';
  /** Names of the folders, sorted. */
  readonly classes: readonly string[];
  readonly photos: readonly ClassPhoto[];
}

interface ClassPhoto {
  /** Path below the folder of all, with `/`. */
  readonly name: string;
  readonly path: string;
  /** Its place in `classes`. */
  readonly classIndex: number;
}

/** Names of the sub-folders that stand for classes; hidden ones do not. */
export async function classNames(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .map((entry) => entry.name)
    .sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

/**
 * Photos in one sub-folder a class, as PlantCLEF has them.
 *
 * @throws InputError for a class without photos, or fewer than two classes
 */
export async function readClassFolders(folder: string, classes: readonly string[]): Promise<ClassPhotos> {
  const photos: ClassPhoto[] = [];
  for (const [classIndex, name] of classes.entries()) {
    const paths = await listPhotos(join(folder, name));
    if (paths.length === 0) {
      throw new InputError(
        join(folder, name),
        'this class has no photos in its folder',
        'add photos (not in folders below it), or take the folder away',
      );
    }
    photos.push(...paths.map((path) => ({ name: `${name}/${basename(path)}`, path, classIndex })));
  }
  if (classes.length < 2) {
    const what = `has photos of one class only (${classes[0]}), which nothing can be told from`;
    throw new InputError(folder, what, 'add a sub-folder for each further class');
  }
  return { kind: 'classes', classes, photos };
}
