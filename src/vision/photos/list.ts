import type { Dirent, Stats } from 'node:fs';
import { opendir, stat } from 'node:fs/promises';
import { basename, dirname, extname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { butKind, KIND_BYTES } from '../../formats/content-kind.ts';
import { InputError } from '../../ground/errors.ts';
import { isInside } from '../../ground/files.ts';
import { withOpenFile } from '../../ground/positioned-file.ts';
import { repeatedTexts } from '../../ground/repeated-texts.ts';
import { unreadable } from '../../ground/whole-file.ts';
import { PHOTO_FORMATS } from './decode.ts';
import { formatOf } from './format.ts';
import { type PhotoContent, requireFile, type WholePhoto } from './photo.ts';

/**
 * Endings of the files of a folder that sward takes for photos, in lower case. What a file is, its first bytes say.
 */
const PHOTO_EXTENSIONS: readonly string[] =
  '.jpg .jpeg .jpe .jfif .png .webp .tif .tiff .heic .heif .hif .avif .bmp'.split(' ');

/** Whether a file's name says that it is a photo; the letters' case does not matter. */
export function isPhotoName(name: string): boolean {
  return PHOTO_EXTENSIONS.includes(extname(name).toLowerCase());
}

/** What a path stands for. */
export interface ListedPhotos {
  /** Paths, sorted by name (code-point order). */
  readonly photos: readonly string[];
  /** What else is in the folder and why it is left out, hidden files apart; null where nothing is. */
  readonly leftOut: string | null;
}

/**
 * The photos a path stands for: the file itself, whatever it is called, or every file directly in the folder that is
 * named like a photo. Hidden files are left out; a folder without photos gives an empty list.
 *
 * @throws InputError when nothing is there, or a single path is that of no photo: a device, or a file of another format
 */
export async function listPhotos(path: string): Promise<ListedPhotos> {
  const { folder, names, leftOut } = await listNames(path);
  return { photos: folder === null ? [path] : names.map((name) => join(folder, name)), leftOut };
}

/** Photos by their names, of which a million are forty megabytes. */
interface ListedNames {
  /** The folder that they lie in; null: the one photo is the path that was given. */
  readonly folder: string | null;
  readonly names: readonly string[];
  readonly leftOut: string | null;
}

async function listNames(path: string): Promise<ListedNames> {
  const facts = await stat(path).catch(async (error: unknown) => {
    const failure = await unreadable(path, error);
    throw failure.isAbsent
      ? new InputError(path, 'there is no such photo or folder', 'check the path')
      : failure;
  });
  if (facts.isDirectory()) return listFolder(path);
  await requirePhoto(path, facts);
  return { folder: null, names: [path], leftOut: null };
}

/** @throws InputError for what is no file, or is neither named like a photo nor is one by its first bytes */
async function requirePhoto(path: string, facts: Stats): Promise<void> {
  requireFile(path, facts);
  if (isPhotoName(path)) return;
  const start = await withOpenFile(path, async ({ handle }) => {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(KIND_BYTES), 0, KIND_BYTES, 0);
    return buffer.subarray(0, bytesRead);
  });
  if (formatOf(start) !== null) return;
  throw new InputError(path, `is not a photo${butKind(start)}`, `give ${PHOTO_FORMATS}`);
}

/** Entries of a folder that are read at once. */
const ENTRIES_AT_ONCE = 1024;

async function listFolder(folder: string): Promise<ListedNames> {
  const names: string[] = [];
  const others: Dirent[] = [];
  try {
    for await (const entry of await opendir(folder, { bufferSize: ENTRIES_AT_ONCE })) {
      if (entry.name.startsWith('.')) continue;
      if (!entry.isDirectory() && isPhotoName(entry.name)) names.push(entry.name);
      else others.push(entry);
    }
  } catch (error) {
    throw await unreadable(folder, error);
  }
  names.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  return { folder, names, leftOut: leftOutText(others) };
}

/** `2 .mov, 1 .txt (not named like photos), 1 folder (not searched)`; null of nothing. */
function leftOutText(entries: readonly Dirent[]): string | null {
  const folders = entries.filter((entry) => entry.isDirectory()).length;
  const counts = new Map<string, number>();
  for (const entry of entries) {
    if (entry.isDirectory()) continue;
    const ending = extname(entry.name).toLowerCase() || 'without an ending';
    counts.set(ending, (counts.get(ending) ?? 0) + 1);
  }
  const kinds = [...counts]
    .sort(([a, many], [b, more]) => more - many || (a < b ? -1 : 1))
    .map(([ending, count]) => `${count} ${ending}`);
  const parts = [
    ...(kinds.length > 0 ? [`${kinds.join(', ')} (not named like photos)`] : []),
    ...(folders > 0 ? [`${folders} ${folders === 1 ? 'folder' : 'folders'} (not searched)`] : []),
  ];
  return parts.length > 0 ? parts.join(', ') : null;
}

/** A photo and what it is called: its file's name without the ending, or its path where names are alike. */
export interface PhotoFile {
  readonly imageId: string;
  readonly path: string;
}

/** A photo behind a path that was given. */
export interface FoundPhoto extends PhotoFile {
  /** What results call its file: its name in the folder that was given, or its path as given; never an absolute one. */
  readonly shownPath: string;
}

/** Told a line of every folder of which something is left out. */
export type OnLeftOut = (line: string) => void;

/**
 * The photos behind files and folders, and contents of photo files as they are, in the order given; folders are not
 * searched deeper.
 *
 * @throws InputError when photos are asked for and there is none, or two files of a folder would have the same id
 */
export async function findPhotos(paths: readonly string[], onLeftOut?: OnLeftOut): Promise<FoundPhoto[]>;
export async function findPhotos(
  photos: readonly WholePhoto[],
  onLeftOut?: OnLeftOut,
): Promise<(FoundPhoto | PhotoContent)[]>;
export async function findPhotos(
  photos: readonly WholePhoto[],
  onLeftOut?: OnLeftOut,
): Promise<(FoundPhoto | PhotoContent)[]> {
  return [...(await foundPhotos(photos, onLeftOut))];
}

/** As {@link findPhotos}, each photo made when its turn comes, so that a million cost little more than their names. */
export async function foundPhotos(
  paths: readonly string[],
  onLeftOut?: OnLeftOut,
): Promise<Iterable<FoundPhoto>>;
export async function foundPhotos(
  photos: readonly WholePhoto[],
  onLeftOut?: OnLeftOut,
): Promise<Iterable<FoundPhoto | PhotoContent>>;
export async function foundPhotos(
  photos: readonly WholePhoto[],
  onLeftOut: OnLeftOut = () => {},
): Promise<Iterable<FoundPhoto | PhotoContent>> {
  const listed: (PhotoContent | (ListedNames & { readonly given: string }))[] = [];
  for (const given of photos) {
    if (typeof given !== 'string') {
      listed.push(given);
      continue;
    }
    const { folder, names, leftOut } = await listNames(given);
    listed.push({ given, folder, names, leftOut });
    if (names.length > 0 && leftOut !== null) onLeftOut(leftOutLine(given, leftOut));
    if (names.length === 0 && photos.length > 1) onLeftOut(`${given}: ${NO_PHOTO}${besides(leftOut)}`);
  }
  const files = listed.flatMap((one) => ('given' in one ? [one] : []));
  const isEmpty = files.length === listed.length && files.every(({ names }) => names.length === 0);
  const [first] = files;
  if (isEmpty && first) {
    const leftOut = files.find((one) => one.leftOut !== null)?.leftOut ?? null;
    throw new InputError(first.given, `${NO_PHOTO}${besides(leftOut)}`, NAME_PHOTOS);
  }
  const all = {
    *[Symbol.iterator](): Generator<FoundPhoto | PhotoContent> {
      for (const one of listed) {
        if ('given' in one) yield* photosOf(one);
        else yield one;
      }
    },
  };
  return toldApart(eachOnce(all, files.length));
}

function* photosOf({
  given,
  folder,
  names,
}: ListedNames & { readonly given: string }): Generator<FoundPhoto> {
  for (const name of names) {
    const path = folder === null ? given : join(folder, name);
    const isItself = path === given && !isAbsolute(given);
    yield { imageId: basename(path, extname(path)), path, shownPath: isItself ? given : basename(path) };
  }
}

/** Files by where they lie, each once, as it was named last; every content. */
function eachOnce(
  photos: Iterable<FoundPhoto | PhotoContent>,
  given: number,
): Iterable<FoundPhoto | PhotoContent> {
  if (given < 2) return photos;
  const places = function* (): Generator<string> {
    for (const photo of photos) if ('path' in photo) yield resolve(photo.path);
  };
  const again = repeatedTexts(places);
  if (again.size === 0) return photos;
  const last = new Map<string, FoundPhoto>();
  for (const photo of photos) {
    const place = 'path' in photo ? resolve(photo.path) : '';
    if ('path' in photo && again.has(place)) last.set(place, photo);
  }
  return {
    *[Symbol.iterator]() {
      const told = new Set<string>();
      for (const photo of photos) {
        const place = 'path' in photo ? resolve(photo.path) : '';
        const named = 'path' in photo ? last.get(place) : undefined;
        if (told.has(place)) continue;
        if (named) told.add(place);
        yield named ?? photo;
      }
    },
  };
}

/**
 * Photos of one name in several folders, as cameras and paddocks make them, are called by their path from the folder that
 * holds all of those: `north/IMG_1`, `south/IMG_1`.
 *
 * @throws InputError for two files of one folder that differ in their endings alone
 */
function toldApart(photos: Iterable<FoundPhoto | PhotoContent>): Iterable<FoundPhoto | PhotoContent> {
  const ids = function* (): Generator<string> {
    for (const photo of photos) if ('path' in photo) yield photo.imageId;
  };
  const twice = repeatedTexts(ids);
  if (twice.size === 0) return photos;
  const byId = new Map<string, FoundPhoto[]>();
  for (const photo of photos) {
    if (!('path' in photo) || !twice.has(photo.imageId)) continue;
    byId.set(photo.imageId, [...(byId.get(photo.imageId) ?? []), photo]);
  }
  const alike = [...byId.values()];
  for (const same of alike) {
    const folders = same.map(({ path }) => dirname(resolve(path)));
    const again = folders.findIndex((folder, place) => folders.indexOf(folder) !== place);
    const [first, second] = [same[folders.indexOf(folders[again] ?? '')], same[again]];
    if (first && second) {
      const what = `has the same id ${second.imageId} as ${first.path}`;
      throw new InputError(second.path, what, 'rename one of the photos');
    }
  }
  const root = commonFolder([...new Set(alike.flat().map(({ path }) => dirname(resolve(path))))]);
  return {
    *[Symbol.iterator]() {
      for (const photo of photos) {
        if (!('path' in photo) || !twice.has(photo.imageId)) {
          yield photo;
          continue;
        }
        const shownPath = relative(root, resolve(photo.path)).replaceAll(sep, '/');
        const imageId = shownPath.slice(0, shownPath.length - extname(shownPath).length);
        yield { ...photo, imageId, shownPath };
      }
    },
  };
}

/** The deepest folder that all of some folders lie in; all absolute. */
export function commonFolder(folders: readonly string[]): string {
  const [first = ''] = folders;
  const isAbove = (folder: string): boolean =>
    folders.every((other) => other === folder || isInside(folder, other));
  let folder = first;
  while (!isAbove(folder) && dirname(folder) !== folder) folder = dirname(folder);
  return folder;
}

/** What is told of a folder of which something is left out. */
export const leftOutLine = (folder: string, leftOut: string): string => `${folder}: left out: ${leftOut}`;

/** Added to what is told of a folder in which no photo is. */
export const besides = (leftOut: string | null): string =>
  leftOut === null ? '' : ` (left out: ${leftOut})`;

const NO_PHOTO = 'there is no photo in it';
const NAME_PHOTOS = `name photos (${PHOTO_EXTENSIONS.join(', ')}), or a folder of photos`;
