import { readdir, realpath, stat } from 'node:fs/promises';
import { join, relative, resolve, sep } from 'node:path';
import { InputError } from '../../ground/errors.ts';
import { isInside } from '../../ground/files.ts';
import { PhotoNames } from '../photo-names.ts';
import { ADD_PHOTO } from '../problems.ts';

/** How deep photos are looked for below their folder. */
const DEEPEST = 6;

/** A photo that a cell names, or what keeps it from being found. */
export type FoundPhoto =
  | { readonly imagePath: string; readonly path: string }
  | { readonly what: string; readonly remedy: string };

const SEVERAL_FOLDERS = 'name the photo with its folder and ending, or the folder of the photos by --photos';

/** The photos of a folder and the folders in it, found by how a table names them. Links are followed only inside of it. */
export class PhotoIndex {
  /** Null: the photos themselves were named. */
  readonly #root: string;
  /** What the photos are where they were named by a person; null: all below the root. */
  readonly #whose: string | null;
  /** Paths below the root. */
  readonly #names: PhotoNames;

  private constructor(root: string, paths: readonly string[], whose: string | null = null) {
    this.#root = root;
    this.#whose = whose;
    this.#names = new PhotoNames(paths);
  }

  /** Paths of all photos below the root. */
  get paths(): readonly string[] {
    return this.#names.paths;
  }

  /**
   * @param isPhoto whether a file's name is that of a photo
   * @throws InputError when the folder is not there
   */
  static async read(folder: string, isPhoto: (name: string) => boolean): Promise<PhotoIndex> {
    const root = resolve(folder);
    const facts = await stat(root).catch(() => null);
    if (!facts?.isDirectory()) {
      const what = facts ? 'is not a folder' : 'does not exist';
      throw new InputError(folder, what, 'name the folder of the photos with --photos');
    }
    const paths = await photosIn(root, '', isPhoto, DEEPEST);
    return new PhotoIndex(root, paths);
  }

  /**
   * Photos that a person named, who may name links.
   *
   * @param folder that they lie in or below
   * @param whose what they are photos of, as `of the visit`
   */
  static of(folder: string, photos: readonly string[], whose: string): PhotoIndex {
    const root = resolve(folder);
    const paths = photos.map((path) => relative(root, resolve(path)).replaceAll(sep, '/'));
    return new PhotoIndex(root, paths, whose);
  }

  /** The photo that a cell names. */
  async find(cell: string): Promise<FoundPhoto> {
    const found = this.#names.named(cell);
    const [first, second] = found;
    if (first === undefined && this.#whose !== null) {
      return { what: `${cell} is no photo ${this.#whose}`, remedy: 'name its photo too, or remove its row' };
    }
    if (first === undefined && this.paths.length === 0) {
      const what = `there is no photo ${cell} in the folder, which holds none at all`;
      return { what, remedy: 'name the folder of the photos with --photos' };
    }
    if (first === undefined) {
      const numbered = this.#names.endingIn(cell).slice(0, 3).join(', ');
      const what = `there is no photo ${cell} in the folder`;
      return numbered === ''
        ? { what, remedy: ADD_PHOTO }
        : { what: `${what}, only ${numbered}`, remedy: 'write its whole name, or remove its row' };
    }
    if (second !== undefined) {
      const names = found.slice(0, 3).join(', ');
      const where = this.#whose === null ? SEVERAL_FOLDERS : 'name the photo with its folder and ending';
      return { what: `"${cell}" may be ${names}`, remedy: where };
    }
    const path = join(this.#root, first);
    if (this.#whose !== null) return { imagePath: first, path };
    const real = await realpath(path).catch(() => null);
    if (real === null)
      return { what: `photo ${first} is a link that leads nowhere`, remedy: 'copy the photo itself' };
    if (isInside(await realpath(this.#root), real)) return { imagePath: first, path };
    return { what: `photo ${first} leads out of the folder`, remedy: 'copy the photo into the folder' };
  }
}

async function photosIn(
  root: string,
  below: string,
  isPhoto: (name: string) => boolean,
  depth: number,
): Promise<string[]> {
  const entries = await readdir(join(root, below), { withFileTypes: true }).catch(() => []);
  const found: string[] = [];
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.name.startsWith('.') || entry.name === 'node_modules') continue;
    const path = below === '' ? entry.name : `${below}/${entry.name}`;
    if (entry.isDirectory()) {
      if (depth > 0) found.push(...(await photosIn(root, path, isPhoto, depth - 1)));
    } else if (isPhoto(entry.name)) found.push(path);
  }
  return found;
}
