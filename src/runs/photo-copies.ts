import { type Progress, SILENT } from '../ground/progress.ts';
import { photoVectors } from '../vision/photo-vectors.ts';
import {
  decodeOpenPhoto,
  firstNear,
  type PerceptualHash,
  type Pixels,
  perceptualHash,
  photoHash,
} from '../vision/photos/index.ts';

/** Pixels that are enough to tell what a photo shows. */
const SEEN_PIXELS = 65_536;
/** Photos with a shorter side show too little to be told apart. */
const LEAST_SIDE = 100;
/** Bits in which hashes of copies may differ (see `perceptualHash`). */
const COPY_BITS = 10;
/** Of a picture all of one colour, or too small to show anything. */
const NOTHING_SHOWN: PerceptualHash = [2 ** 31, 0];

/** Fewer photos are compared before anybody would look for progress. */
const SOON_COMPARED = 1_000;

/** Photos looked at together. */
const AT_ONCE = 4;

/** Rises whenever a photo would show something else. */
const LOOK_VERSION = 1;

/** A photo that is a copy of an earlier one. */
export interface PhotoCopy {
  /** Place of the earlier photo. */
  readonly of: number;
  /** Whether the files are the same, byte for byte; else they show the same, resized or saved anew. */
  readonly isExact: boolean;
}

/**
 * Of each photo the first one that it is a copy of: byte for byte, or resized, brightened or saved anew; null where it is
 * none.
 *
 * @throws InputError where a file cannot be read
 */
export async function photoCopies(
  paths: readonly string[],
  progress: Progress = SILENT,
): Promise<(PhotoCopy | null)[]> {
  const shown = await whatIsShown(paths, paths.length < SOON_COMPARED ? SILENT : progress);
  const contents: string[] = [];
  for (const path of paths) contents.push(await photoHash(path));
  const firstWith = new Map<string, number>();
  contents.forEach((content, item) => {
    if (!firstWith.has(content)) firstWith.set(content, item);
  });
  const compared = [...firstWith.values()].filter((item) => shown[item] !== null);
  const near = firstNear(
    compared.map((item) => shown[item] as PerceptualHash),
    COPY_BITS,
  );
  const copies = contents.map((content, item): PhotoCopy | null => {
    const same = firstWith.get(content) as number;
    return same === item ? null : { of: same, isExact: true };
  });
  near.forEach((first, place) => {
    if (first !== null) copies[compared[place] as number] = { of: compared[first] as number, isExact: false };
  });
  return copies;
}

/** A name for each photo that copies share. */
export function copyKeys(copies: readonly (PhotoCopy | null)[]): string[] {
  const keys: string[] = [];
  copies.forEach((copy, item) => {
    keys.push(copy ? (keys[copy.of] ?? String(copy.of)) : String(item));
  });
  return keys;
}

/** What each photo shows, remembered by its content as all that is made of photos; null: nothing. */
async function whatIsShown(paths: readonly string[], progress: Progress): Promise<(PerceptualHash | null)[]> {
  const { data } = await photoVectors(
    paths,
    {
      stage: 'Comparing photos',
      kind: `shown-v${LOOK_VERSION}`,
      columns: 2,
      atOnce: AT_ONCE,
      async vectorOf(photo) {
        return Float64Array.from(hashOf(await decodeOpenPhoto(photo, { maxPixels: SEEN_PIXELS })));
      },
    },
    // Whoever reads the photo tells what is wrong with it.
    { progress, onError: () => {} },
  );
  return paths.map((_, item) => {
    const [high, low] = [data[2 * item] as number, data[2 * item + 1] as number];
    const isSomething = !Number.isNaN(high) && (high !== NOTHING_SHOWN[0] || low !== NOTHING_SHOWN[1]);
    return isSomething ? [high, low] : null;
  });
}

const hashOf = (pixels: Pixels): PerceptualHash =>
  Math.min(pixels.width, pixels.height) < LEAST_SIDE ? NOTHING_SHOWN : perceptualHash(pixels);
