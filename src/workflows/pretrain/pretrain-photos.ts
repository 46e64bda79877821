import { stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { InputError, UsageError } from '../../ground/errors.ts';
import { entriesOf } from '../../ground/whole-file.ts';
import { isPhotoName, type OnLeftOut } from '../../vision/photos/index.ts';
import { type ClassPhotos, classNames, readClassFolders } from './class-folders.ts';
import { type MeasuredPhotos, PHOTO_COLUMN, readPhotoTable } from './photo-table.ts';

/** Photos that a backbone is trained further on, with what is known of them. */
export type PretrainingPhotos = ClassPhotos | MeasuredPhotos;

const LAYOUTS = `give one sub-folder a class, or a CSV with a column ${PHOTO_COLUMN} and measured columns`;

/**
 * Reads photos of classes or with measurements, told apart by looking: a CSV, given or the only one in the folder,
 * says what was measured of the photos beside it; without one sub-folders are classes.
 *
 * @param columns of a table to be trained on; null: all that hold numbers
 * @throws InputError for a path that is neither, and as `readClassFolders` and `readPhotoTable` do
 */
export async function readPretrainingPhotos(
  path: string,
  columns: readonly string[] | null = null,
  onLeftOut?: OnLeftOut,
): Promise<PretrainingPhotos> {
  const facts = await stat(path).catch(() => undefined);
  if (facts === undefined) throw new InputError(path, 'does not exist', 'check the path');
  if (!facts.isDirectory()) {
    if (isTable(path)) return readPhotoTable(path, columns);
    throw new InputError(path, 'is neither a folder nor a CSV', LAYOUTS);
  }
  const names = (await entriesOf(path)).map(({ name }) => name);
  const tables = names.filter((name) => isTable(name) && !name.startsWith('.')).sort();
  if (tables.length > 1) {
    throw new InputError(path, `has several tables (${tables.join(', ')})`, 'name the one to use as PHOTOS');
  }
  if (tables[0] !== undefined) return readPhotoTable(join(path, tables[0]), columns);
  const classes = await classNames(path);
  if (classes.length > 0 && columns) {
    throw new UsageError(`columns=${columns.join(',')} are of a CSV, but ${path} has a sub-folder a class`);
  }
  if (classes.length > 0) return readClassFolders(path, classes, onLeftOut);
  const what = names.some(isPhotoName)
    ? 'has photos, but nothing says what they show'
    : 'has neither sub-folders with photos nor a CSV';
  throw new InputError(path, what, LAYOUTS);
}

const isTable = (name: string): boolean => extname(name).toLowerCase() === '.csv';
