import { extname } from 'node:path';
import { visibleText } from './missing.ts';

/**
 * Photos by how a table names them: with or without folder and ending, in small letters or capitals, with either slash,
 * accents composed or not.
 */
export class PhotoNames {
  /** Paths by the name and by the name without ending, in small letters. */
  readonly #byName = new Map<string, string[]>();
  readonly #byStem = new Map<string, string[]>();
  readonly #folders = new Set<string>();
  readonly paths: readonly string[];
  readonly #paths: ReadonlySet<string>;

  constructor(paths: readonly string[]) {
    this.paths = paths;
    this.#paths = new Set(paths);
    for (const path of paths) {
      const name = nameOf(comparable(path));
      for (const folder of comparable(path).split('/').slice(0, -1)) this.#folders.add(folder);
      add(this.#byName, name, path);
      add(this.#byStem, stemOf(name), path);
    }
  }

  /** The paths that a cell may name: none, one, or several where it leaves open which. */
  named(cell: string): readonly string[] {
    // A file may have a backslash in its name where folders are not separated by them.
    return this.#paths.has(cell) ? [cell] : this.#matching(cell);
  }

  /**
   * Photos whose names end in the number that a cell is, as IMG_0401 for 401. A guess: the number may count quadrats.
   */
  endingIn(cell: string): readonly string[] {
    const number = /^0*(\d+)$/.exec(visibleText(cell))?.[1];
    if (number === undefined) return [];
    return this.paths.filter((path) => /\D0*(\d+)$/.exec(nameOf(stemOfPath(path)))?.[1] === number);
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
