import { decodePhoto, perceptualDistance, perceptualHash, photoHash } from '../vision/photos/index.ts';

/** Pixels that are enough to tell what a photo shows. */
const SEEN_PIXELS = 65_536;
/** Photos with a shorter side show too little to be told apart. */
const LEAST_SIDE = 100;
/** Bits in which hashes of copies may differ (see `perceptualHash`). */
const COPY_BITS = 10;
/** Where there are more photos, only copies byte for byte are looked for: every two would have to be compared. */
const MOST_COMPARED = 4_000;
/** Of a picture all of one colour. */
const NOTHING_SHOWN = 1n << 63n;

/** Photos read at once. */
const AT_ONCE = 4;

/** What a photo is, for finding copies of it. */
interface Look {
  /** SHA-256 of the file. */
  readonly content: string;
  /** Of what it shows; null where that is too little, or the photo cannot be read. */
  readonly shown: bigint | null;
}

/** A photo that is a copy of an earlier one. */
export interface PhotoCopy {
  /** Place of the earlier photo. */
  readonly of: number;
  /** Whether the files are the same, byte for byte; else they show the same, resized or saved anew. */
  readonly isExact: boolean;
}

/** What photos show by the content of their files, which is looked at once. */
const shownBy = new Map<string, bigint | null>();
const MOST_REMEMBERED = 200_000;

/**
 * Of each photo the first one that it is a copy of: byte for byte, or resized, brightened or saved anew; null where it is
 * none.
 *
 * @throws InputError where a file cannot be read
 */
export async function photoCopies(paths: readonly string[]): Promise<(PhotoCopy | null)[]> {
  const looks: Look[] = [];
  const looksCloser = paths.length <= MOST_COMPARED;
  for (let start = 0; start < paths.length; start += AT_ONCE) {
    looks.push(
      ...(await Promise.all(paths.slice(start, start + AT_ONCE).map((path) => lookAt(path, looksCloser)))),
    );
  }
  const firstWith = new Map<string, number>();
  return looks.map(({ content, shown }, item) => {
    const same = firstWith.get(content);
    if (same !== undefined) return { of: same, isExact: true };
    firstWith.set(content, item);
    if (shown === null) return null;
    const near = looks
      .slice(0, item)
      .findIndex((other) => other.shown !== null && perceptualDistance(other.shown, shown) <= COPY_BITS);
    return near < 0 ? null : { of: near, isExact: false };
  });
}

/** A name for each photo that copies share. */
export function copyKeys(copies: readonly (PhotoCopy | null)[]): string[] {
  const keys: string[] = [];
  copies.forEach((copy, item) => {
    keys.push(copy ? (keys[copy.of] ?? String(copy.of)) : String(item));
  });
  return keys;
}

async function lookAt(path: string, looksCloser: boolean): Promise<Look> {
  const content = await photoHash(path);
  if (!looksCloser) return { content, shown: null };
  const known = shownBy.get(content);
  if (known !== undefined) return { content, shown: known };
  // Whoever reads the photo tells what is wrong with it.
  const pixels = await decodePhoto(path, { maxPixels: SEEN_PIXELS }).catch(() => null);
  const isTooSmall = pixels === null || Math.min(pixels.width, pixels.height) < LEAST_SIDE;
  const hash = isTooSmall ? NOTHING_SHOWN : perceptualHash(pixels);
  const shown = hash === NOTHING_SHOWN ? null : hash;
  if (shownBy.size >= MOST_REMEMBERED) shownBy.clear();
  shownBy.set(content, shown);
  return { content, shown };
}
