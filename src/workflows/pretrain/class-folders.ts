import { basename, join } from 'node:path';
import { countOf } from '../../ground/counts.ts';
import { InputError } from '../../ground/errors.ts';
import { entriesOf } from '../../ground/whole-file.ts';
import { besides, leftOutLine, listPhotos, type OnLeftOut } from '../../vision/photos/index.ts';

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
  return (await entriesOf(folder))
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .map((entry) => entry.name)
    .sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

/**
 * Photos in one sub-folder a class, as PlantCLEF has them. What lies beside the sub-folders is of no class.
 *
 * @throws InputError for a class without photos, or fewer than two classes
 */
export async function readClassFolders(
  folder: string,
  classes: readonly string[],
  onLeftOut: OnLeftOut = () => {},
): Promise<ClassPhotos> {
  const photos: ClassPhoto[] = [];
  const beside = (await listPhotos(folder)).photos.length;
  if (beside > 0) onLeftOut(leftOutLine(folder, `${countOf(beside, 'photo')} (in no sub-folder of a class)`));
  for (const [classIndex, name] of classes.entries()) {
    const own = join(folder, name);
    const listed = await listPhotos(own);
    if (listed.photos.length === 0) {
      throw new InputError(
        own,
        `this class has no photos in its folder${besides(listed.leftOut)}`,
        'add photos (not in folders below it), or take the folder away',
      );
    }
    if (listed.leftOut !== null) onLeftOut(leftOutLine(own, listed.leftOut));
    photos.push(...listed.photos.map((path) => ({ name: `${name}/${basename(path)}`, path, classIndex })));
  }
  if (classes.length < 2) {
    const what = `has photos of one class only (${classes[0]}), which nothing can be told from`;
    throw new InputError(folder, what, 'add a sub-folder for each further class');
  }
  return { kind: 'classes', classes, photos };
}
