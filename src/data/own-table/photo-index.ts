import { readdir, realpath, stat } from 'node:fs/promises';
import { extname, join, resolve } from 'node:path';
import { InputError } from '../../ground/errors.ts';
import { isInside } from '../../ground/files.ts';
import { visibleText } from '../missing.ts';

/** How deep photos are looked for below their folder. */
const DEEPEST = 6;

/** A photo that a cell names, or what keeps it from being found. */
export type FoundPhoto =
  | { readonly imagePath: string; readonly path: string }
  | { readonly what: string; readonly remedy: string };

/**
 * The photos of a folder and the folders in it, found by how a table names them: with or without folder and ending, in
 * small letters or capitals, with either slash, accents composed or not. Links are followed only inside of the folder.
 */
export class PhotoIndex {
  readonly #root: string;
  /** Paths below the root by the name and by the name without ending, in small letters. */
  readonly #byName = new Map<string, string[]>();
  readonly #byStem = new Map<string, string[]>();
  readonly #folders = new Set<string>();
  /** Paths of all photos below the root. */
  readonly paths: readonly string[];

  private constructor(root: string, paths: readonly string[]) {
    this.#root = root;
    this.paths = paths;
    for (const path of paths) {
      const name = nameOf(comparable(path));
      for (const folder of comparable(path).split('/').slice(0, -1)) this.#folders.add(folder);
      add(this.#byName, name, path);
      add(this.#byStem, stemOf(name), path);
    }
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

  /** The photo that a cell names. */
  async find(cell: string): Promise<FoundPhoto> {
    // A file may have a backslash in its name where folders are not separated by them.
    const found = this.paths.includes(cell) ? [cell] : this.#matching(cell);
    const [first, second] = found;
    if (first === undefined) {
      return { what: `there is no photo ${cell} in the folder`, remedy: 'add the photo or remove its row' };
    }
    if (second !== undefined) {
      const names = found.slice(0, 3).join(', ');
      return { what: `"${cell}" may be ${names}`, remedy: 'name the photo with its folder and ending' };
    }
    const path = join(this.#root, first);
    if (isInside(await realpath(this.#root), await realpath(path))) return { imagePath: first, path };
    return { what: `photo ${first} leads out of the folder`, remedy: 'copy the photo into the folder' };
  }

  #numbered(number: string): string[] {
    return this.paths.filter((path) => withoutZeros(path) === withoutZeros(number));
  }

  #matching(cell: string): readonly string[] {
    const parts = comparable(cell.replace(/^[a-z]+:\/\//i, '').replace(/[?#].*$/, ''))
      .split('/')
      .filter((part) => part !== '' && part !== '.' && part !== '..');
    const name = parts.at(-1) ?? '';
    const ways = [
      { own: this.#byName.get(name), plain: comparable, parts },
      { own: this.#byStem.get(name), plain: stemOfPath, parts },
      {
        own: this.#byStem.get(stemOf(name)),
        plain: stemOfPath,
        parts: [...parts.slice(0, -1), stemOf(name)],
      },
      // Spreadsheets take the zeros of `0412` away.
      ...(/^\d+$/.test(name)
        ? [{ own: this.#numbered(name), plain: withoutZeros, parts: [withoutZeros(name)] }]
        : []),
    ];
    for (const { own = [], plain, parts: wanted } of ways) {
      for (let from = 0; from < wanted.length; from++) {
        // Folders that are not here, as those of the camera's card, do not matter; others must hold the photo.
        if (from > 0 && this.#folders.has(wanted[from - 1] ?? '')) break;
        const end = wanted.slice(from).join('/');
        const whole = own.filter((path) => plain(path) === end);
        if (whole.length > 0) return whole;
        const within = own.filter((path) => plain(path).endsWith(`/${end}`));
        if (within.length > 0) return within;
      }
    }
    return [];
  }
}

/** The number that a photo's name is, without zeros in front. */
const withoutZeros = (path: string): string => nameOf(stemOfPath(path)).replace(/^0+(?=\d)/, '');

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

/** A path in small letters with slashes. */
const comparable = (path: string): string => visibleText(path).replaceAll('\\', '/').toLowerCase();

const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** A name without its ending; what follows the last dot is one where it looks like it. */
const stemOf = (name: string): string =>
  /^\.[a-z][a-z0-9]{2,4}$/.test(extname(name)) ? name.slice(0, -extname(name).length) : name;

const stemOfPath = (path: string): string => stemOf(comparable(path));

function add(index: Map<string, string[]>, key: string, path: string): void {
  index.set(key, [...(index.get(key) ?? []), path]);
}
