import { readdir, stat } from 'node:fs/promises';
import { basename, extname, join, resolve } from 'node:path';
import { InputError } from '../../ground/errors.ts';
import type { Photo, PhotoContent } from './photo.ts';

/** Endings of the files sward takes for photos, in lower case. */
const PHOTO_EXTENSIONS: readonly string[] = ['.jpg', '.jpeg', '.png', '.webp', '.tif', '.tiff'];

/** Whether a file's name says that it is a photo; the letters' case does not matter. */
export function isPhotoName(name: string): boolean {
  return PHOTO_EXTENSIONS.includes(extname(name).toLowerCase());
}

/**
 * The photos a path stands for: the file itself, or every photo directly in the folder, sorted by name
 * (code-point order). Hidden files are left out; a folder without photos gives an empty list.
 *
 * @throws InputError when nothing is there, or a single file is not named like a photo
 */
export async function listPhotos(path: string): Promise<string[]> {
  const facts = await stat(path).catch(() => undefined);
  if (facts === undefined) {
    throw new InputError(path, 'there is no such photo or folder', 'check the path');
  }
  if (!facts.isDirectory()) {
    if (isPhotoName(path)) return [path];
    throw new InputError(path, 'is not named like a photo', `use one of ${PHOTO_EXTENSIONS.join(', ')}`);
  }
  const entries = await readdir(path, { withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory() && !entry.name.startsWith('.') && isPhotoName(entry.name))
    .map((entry) => entry.name)
    .sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
    .map((name) => join(path, name));
}

/** A photo and what it is called: its file's name without the ending. */
export interface PhotoFile {
  readonly imageId: string;
  readonly path: string;
}

/**
 * The photos behind files and folders, and contents of photo files as they are, in the order given; folders are not
 * searched deeper.
 *
 * @throws InputError when photos are asked for and there is none, or two files would have the same id
 */
export async function findPhotos(paths: readonly string[]): Promise<PhotoFile[]>;
export async function findPhotos(photos: readonly Photo[]): Promise<(PhotoFile | PhotoContent)[]>;
export async function findPhotos(photos: readonly Photo[]): Promise<(PhotoFile | PhotoContent)[]> {
  // Files by their id, each once; every content by a key of its own.
  const found = new Map<string | symbol, PhotoFile | PhotoContent>();
  for (const given of photos) {
    if (typeof given !== 'string') {
      found.set(Symbol(given.name), given);
      continue;
    }
    for (const path of await listPhotos(given)) {
      const imageId = basename(path, extname(path));
      const other = found.get(imageId);
      if (other && 'path' in other && resolve(other.path) !== resolve(path)) {
        throw new InputError(path, `has the same id ${imageId} as ${other.path}`, 'rename one of the photos');
      }
      found.set(imageId, { imageId, path });
    }
  }
  const [first] = photos;
  if (found.size === 0 && typeof first === 'string') {
    const named = PHOTO_EXTENSIONS.join(', ');
    throw new InputError(first, `there is no photo in it (${named})`, 'name photos, or a folder of photos');
  }
  return [...found.values()];
}
