import { stat } from 'node:fs/promises';
import { basename, dirname, extname, isAbsolute, join, resolve } from 'node:path';
import { readCsv, rowName } from '../../formats/csv.ts';
import { InputError, UsageError } from '../../ground/errors.ts';
import { isObjectLocation, openStore, storedObject } from '../../storage/index.ts';
import { findPhotos, isPhotoName } from '../../vision/photos/index.ts';
import type { UnitPhoto } from '../units/spec.ts';

/** A photo that machines are to read, and what results call it. */
export interface ListedPhoto extends Pick<UnitPhoto, 'imageId' | 'path' | 'version'> {
  readonly shownPath: string;
  /** Changes when its file does. */
  readonly stamp: string;
}

/**
 * The photos behind what a person named: photos and folders, prefixes of a store of objects (`s3://bucket/flight/`, all
 * below it), and tables (`.csv`) with a column `photo` of either, and `image_id` where they are to be called otherwise.
 *
 * @throws InputError when there is none, or two would have the same id
 */
export async function listedPhotos(
  given: readonly string[],
  tell?: (line: string) => void,
): Promise<ListedPhoto[]> {
  const photos: ListedPhoto[] = [];
  const files = given.filter((path) => !isObjectLocation(path) && !isTable(path));
  for (const path of given) {
    if (isObjectLocation(path)) photos.push(...(await photosBelow(path)));
    else if (isTable(path)) photos.push(...(await photosOfTable(path)));
  }
  if (files.length > 0) {
    for (const photo of await findPhotos(files, tell)) {
      photos.push({ ...photo, path: resolve(photo.path), stamp: await stampOf(photo.path) });
    }
  }
  const seen = new Map<string, string>();
  for (const { imageId, path } of photos) {
    const other = seen.get(imageId);
    if (other !== undefined) {
      throw new InputError(path, `has the same id ${imageId} as ${other}`, 'give a table with image_id');
    }
    seen.set(imageId, path);
  }
  return photos;
}

const isTable = (path: string): boolean => extname(path).toLowerCase() === '.csv';

/** A file that is not there is told of by the machine that is to read it. */
async function stampOf(path: string): Promise<string> {
  const facts = await stat(path).catch(() => null);
  return facts ? `${facts.size} ${facts.mtimeMs}` : '';
}

async function photosBelow(location: string): Promise<ListedPhoto[]> {
  // One object, or everything below a prefix.
  const isOne = isPhotoName(location);
  const { store, key } = isOne ? storedObject(location) : { store: openStore(location), key: '' };
  const photos: ListedPhoto[] = [];
  for await (const found of store.list(key)) {
    if (!isPhotoName(found.key) || (isOne && found.key !== key)) continue;
    photos.push({
      imageId: found.key.slice(0, found.key.length - extname(found.key).length),
      path: `${store.location}/${found.key}`,
      shownPath: found.key,
      version: found.version,
      stamp: found.version,
    });
  }
  if (photos.length > 0) return photos;
  throw new InputError(location, 'there is no photo below it', 'check the bucket and the prefix');
}

async function photosOfTable(path: string): Promise<ListedPhoto[]> {
  const { columns, rows } = await readCsv(path, ['photo']);
  const hasIds = columns.includes('image_id');
  const photos: ListedPhoto[] = [];
  for (const { line, cells } of rows) {
    const photo = cells.photo ?? '';
    if (photo === '')
      throw new InputError(rowName(path, line), 'names no photo', 'give its path or s3:// name');
    const where = isObjectLocation(photo) || isAbsolute(photo) ? photo : join(dirname(resolve(path)), photo);
    photos.push({
      imageId: (hasIds && cells.image_id) || basename(photo, extname(photo)),
      path: where,
      shownPath: photo,
      stamp: isObjectLocation(where) ? '' : await stampOf(where),
    });
  }
  if (photos.length > 0) return photos;
  throw new InputError(path, 'names no photo', 'give a row a photo');
}

/** @throws UsageError for photos of this machine that others, who meet at a store of objects, do not see */
export function requireSeen(photos: readonly ListedPhoto[], store: string): void {
  const own = photos.find(({ path }) => !isObjectLocation(path));
  if (!own || !isObjectLocation(store)) return;
  throw new UsageError(
    `${own.path} lies on this machine, which others do not see; put photos into the bucket and name them s3://…, or give ` +
      'a --store folder that all machines see',
  );
}
