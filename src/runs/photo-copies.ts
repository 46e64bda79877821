import { photoVectors } from '../vision/photo-vectors.ts';
import {
  decodeOpenPhoto,
  type Pixels,
  perceptualDistance,
  perceptualHash,
  photoHash,
} from '../vision/photos/index.ts';

/** Pixels that are enough to tell what a photo shows. */
const SEEN_PIXELS = 65_536;
/** Photos with a shorter side show too little to be told apart. */
const LEAST_SIDE = 100;
/** Bits in which hashes of copies may differ (see `perceptualHash`). */
const COPY_BITS = 10;
/** Where there are more photos, only copies byte for byte are looked for: every two would have to be compared. */
const MOST_COMPARED = 4_000;
/** Of a picture all of one colour, or of none that can be read. */
const NOTHING_SHOWN = 1n << 63n;

/** Photos looked at together. */
const AT_ONCE = 4;

/** Rises whenever a photo would show something else. */
const LOOK_VERSION = 1;

/** A hash of 64 bits as two numbers of 32, which a vector holds exactly. */
const HALF = 32n;

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
export async function photoCopies(paths: readonly string[]): Promise<(PhotoCopy | null)[]> {
  const shown = paths.length <= MOST_COMPARED ? await whatIsShown(paths) : paths.map(() => NOTHING_SHOWN);
  const contents: string[] = [];
  for (const path of paths) contents.push(await photoHash(path));
  const firstWith = new Map<string, number>();
  return contents.map((content, item) => {
    const same = firstWith.get(content);
    if (same !== undefined) return { of: same, isExact: true };
    firstWith.set(content, item);
    const near = shown.findIndex((other, place) => place < item && isAlike(other, shown[item] as bigint));
    return near < 0 ? null : { of: near, isExact: false };
  });
}

const isAlike = (one: bigint, other: bigint): boolean =>
  one !== NOTHING_SHOWN && other !== NOTHING_SHOWN && perceptualDistance(one, other) <= COPY_BITS;

/** A name for each photo that copies share. */
export function copyKeys(copies: readonly (PhotoCopy | null)[]): string[] {
  const keys: string[] = [];
  copies.forEach((copy, item) => {
    keys.push(copy ? (keys[copy.of] ?? String(copy.of)) : String(item));
  });
  return keys;
}

/** What each photo shows, remembered by its content as all that is made of photos. */
async function whatIsShown(paths: readonly string[]): Promise<bigint[]> {
  const { data } = await photoVectors(
    paths,
    {
      stage: 'Comparing photos',
      kind: `shown-v${LOOK_VERSION}`,
      columns: 2,
      atOnce: AT_ONCE,
      async vectorOf(photo) {
        const hash = hashOf(await decodeOpenPhoto(photo, { maxPixels: SEEN_PIXELS }));
        return Float64Array.of(Number(hash >> HALF), Number(BigInt.asUintN(Number(HALF), hash)));
      },
    },
    // Whoever reads the photo tells what is wrong with it.
    { onError: () => {} },
  );
  return paths.map((_, item) => {
    const [high, low] = [data[2 * item] as number, data[2 * item + 1] as number];
    return Number.isNaN(high) ? NOTHING_SHOWN : (BigInt(high) << HALF) | BigInt(low);
  });
}

const hashOf = (pixels: Pixels): bigint =>
  Math.min(pixels.width, pixels.height) < LEAST_SIDE ? NOTHING_SHOWN : perceptualHash(pixels);
