import { stat } from 'node:fs/promises';
import { basename, dirname, extname, isAbsolute, join, resolve } from 'node:path';
import { readCsv, rowName } from '../../formats/csv.ts';
import { InputError, UsageError } from '../../ground/errors.ts';
import { markOf, TextMarks } from '../../ground/repeated-texts.ts';
import { isObjectLocation, openStore, storedObject } from '../../storage/index.ts';
import { foundPhotos, isPhotoName, type PhotoFile } from '../../vision/photos/index.ts';
import type { UnitPhoto } from '../units/spec.ts';
import { DiskList } from './disk-list.ts';

/** A photo that machines are to read, and what results call it. */
export interface ListedPhoto extends Pick<UnitPhoto, 'imageId' | 'path' | 'version'> {
  readonly shownPath: string;
  /** Changes when its file does. */
  readonly stamp: string;
}

/** A photo as a unit is told of it. */
export const unitPhoto = ({ imageId, path, version, stamp }: ListedPhoto): UnitPhoto => ({
  imageId,
  path,
  ...(version !== undefined && { version }),
  ...(stamp === '' && !isObjectLocation(path) && { lost: true as const }),
});

/** Files whose stamps are taken at once. */
const STAMPED_AT_ONCE = 64;

/**
 * The photos behind what a person named: photos and folders, prefixes of a store of objects (`s3://bucket/flight/`, all
 * below it), and tables (`.csv`) with a column `photo` of either, and `image_id` where they are to be called otherwise.
 *
 * @param store where machines meet
 * @returns a list on the disk, which its owner closes
 * @throws InputError when there is none, or two would have the same id
 * @throws UsageError for photos of this machine that others, who meet at a store of objects, do not see
 */
export async function listedPhotos(
  given: readonly string[],
  store: string,
  tell?: (line: string) => void,
): Promise<DiskList<ListedPhoto>> {
  const files = given.filter((path) => !isObjectLocation(path) && !isTable(path));
  const found = files.length > 0 ? await foundPhotos(files, tell) : [];
  return written(
    (async function* () {
      for (const path of given) {
        if (isObjectLocation(path)) yield* photosBelow(path);
        else if (isTable(path)) yield* photosOfTable(path);
      }
      yield* stamped(found);
    })(),
    store,
  );
}

/** As {@link listedPhotos}, of photos that were found. */
export const listOf = (
  photos: Iterable<PhotoFile & { readonly shownPath?: string }>,
  store: string,
): Promise<DiskList<ListedPhoto>> => written(stamped(photos), store);

async function written(photos: AsyncIterable<ListedPhoto>, store: string): Promise<DiskList<ListedPhoto>> {
  const marks = new TextMarks();
  const isSeen = !isObjectLocation(store);
  const list = await DiskList.write(
    (async function* () {
      for await (const photo of photos) {
        if (!isSeen && !isObjectLocation(photo.path)) throw unseen(photo.path);
        marks.add(photo.imageId);
        yield photo;
      }
    })(),
  );
  try {
    await requireOwnIds(list, marks.repeated());
    return list;
  } catch (error) {
    await list.close();
    throw error;
  }
}

/** @throws InputError when two photos have the same id */
async function requireOwnIds(photos: DiskList<ListedPhoto>, suspects: ReadonlySet<number>): Promise<void> {
  if (suspects.size === 0) return;
  const seen = new Map<string, string>();
  for await (const { imageId, path } of photos) {
    if (!suspects.has(markOf(imageId))) continue;
    const other = seen.get(imageId);
    if (other !== undefined) {
      throw new InputError(path, `has the same id ${imageId} as ${other}`, 'give a table with image_id');
    }
    seen.set(imageId, path);
  }
}

async function* stamped(
  photos: Iterable<PhotoFile & { readonly shownPath?: string }>,
): AsyncGenerator<ListedPhoto> {
  let waiting: Promise<ListedPhoto>[] = [];
  for (const { imageId, path, shownPath = path } of photos) {
    const place = resolve(path);
    waiting.push(stampOf(place).then((stamp) => ({ imageId, path: place, shownPath, stamp })));
    if (waiting.length < STAMPED_AT_ONCE) continue;
    yield* await Promise.all(waiting);
    waiting = [];
  }
  yield* await Promise.all(waiting);
}

const isTable = (path: string): boolean => extname(path).toLowerCase() === '.csv';

/** A file that is not there is told of by the machine that is to read it. */
export async function stampOf(path: string): Promise<string> {
  const facts = await stat(path).catch(() => null);
  return facts ? `${facts.size} ${facts.mtimeMs}` : '';
}

async function* photosBelow(location: string): AsyncGenerator<ListedPhoto> {
  // One object, or everything below a prefix.
  const isOne = isPhotoName(location);
  const { store, key } = isOne ? storedObject(location) : { store: openStore(location), key: '' };
  let count = 0;
  for await (const found of store.list(key)) {
    if (!isPhotoName(found.key) || (isOne && found.key !== key)) continue;
    count++;
    yield {
      imageId: found.key.slice(0, found.key.length - extname(found.key).length),
      path: `${store.location}/${found.key}`,
      shownPath: found.key,
      version: found.version,
      stamp: found.version,
    };
  }
  if (count > 0) return;
  throw new InputError(location, 'there is no photo below it', 'check the bucket and the prefix');
}

async function* photosOfTable(path: string): AsyncGenerator<ListedPhoto> {
  const { columns, rows } = await readCsv(path, ['photo']);
  const hasIds = columns.includes('image_id');
  for (const { line, cells } of rows) {
    const photo = cells.photo ?? '';
    if (photo === '')
      throw new InputError(rowName(path, line), 'names no photo', 'give its path or s3:// name');
    const where = isObjectLocation(photo) || isAbsolute(photo) ? photo : join(dirname(resolve(path)), photo);
    yield {
      imageId: (hasIds && cells.image_id) || basename(photo, extname(photo)),
      path: where,
      shownPath: photo,
      stamp: isObjectLocation(where) ? '' : await stampOf(where),
    };
  }
  if (rows.length > 0) return;
  throw new InputError(path, 'names no photo', 'give a row a photo');
}

const unseen = (path: string): UsageError =>
  new UsageError(
    `${path} lies on this machine, which others do not see; put photos into the bucket and name them s3://…, or give ` +
      'a --store folder that all machines see',
  );
