import readExif, { type Exif } from 'exif-reader';
import { decodeOpenPhoto, type OpenPhoto, openPhoto } from './decode.ts';
import type { Photo } from './photo.ts';

/** Where a photo was taken, WGS 84 degrees, north and east positive. */
interface GeoPoint {
  readonly latitude: number;
  readonly longitude: number;
}

/** What is known of a photo without looking at what it shows. */
export interface PhotoFacts {
  /** Size in pixels as a person sees the photo, EXIF orientation applied. */
  readonly width: number;
  readonly height: number;
  /** The EXIF orientation, 1 to 8; 1 where the file has none or turns in a way of its own (HEIC, AVIF). */
  readonly orientation: number;
  /** The camera's clock at exposure. EXIF has no time zone: the parts are the camera's, read as UTC. */
  readonly takenAt?: Date;
  readonly gps?: GeoPoint;
}

/**
 * Checks that every pixel of a photo decodes, in bounded memory (nothing of the picture is kept), and reads
 * its size and EXIF facts. Unreadable EXIF data counts as absent.
 *
 * @throws InputError as `decodePhoto` does
 */
export async function inspectPhoto(given: Photo): Promise<PhotoFacts> {
  const photo = await openPhoto(given);
  // A thumbnail is enough: whatever its size, the decoder reads the file to its end or reports it cut short.
  await decodeOpenPhoto(photo, { maxPixels: 256 });
  return factsOf(photo);
}

/**
 * Reads size and EXIF facts from a photo's header, for a photo that has been decoded already.
 *
 * @throws InputError as `openPhoto` does
 */
export async function readPhotoFacts(photo: Photo): Promise<PhotoFacts> {
  return factsOf(await openPhoto(photo));
}

function factsOf(photo: OpenPhoto): PhotoFacts {
  const exif = parsedExif(photo.exif);
  // Some editors put the time of exposure where only that of writing belongs.
  const takenAt = [
    exif?.Photo?.DateTimeOriginal,
    exif?.Image?.DateTimeOriginal,
    exif?.Photo?.DateTimeDigitized,
    exif?.Image?.DateTime,
  ].find((time): time is Date => isWritten(time, photo.exif));
  const gps = exif === undefined ? undefined : geoPoint(exif);
  return {
    width: photo.width,
    height: photo.height,
    orientation: photo.orientation,
    ...(takenAt && { takenAt }),
    ...(gps === undefined ? {} : { gps }),
  };
}

/** Whether a time stands in an EXIF block as it was read: a month 99 was read as one years later. */
function isWritten(time: unknown, block: Buffer | undefined): boolean {
  if (!(time instanceof Date && Number.isFinite(time.getTime()))) return false;
  const text = time.toISOString().slice(0, 19).replaceAll('-', ':').replace('T', ' ');
  return block?.includes(text, 0, 'latin1') ?? false;
}

function parsedExif(bytes: Buffer | undefined): Exif | undefined {
  if (bytes === undefined) return undefined;
  try {
    return readExif(bytes);
  } catch {
    // Cameras and editors write malformed EXIF blocks; the photo itself is fine.
    return undefined;
  }
}

/**
 * The position, unless the file leaves any of it to be guessed: without or with an unknown reference, with numbers that
 * are none (0/0 of phones that have no fix) or out of range, and at 0° N 0° E, in the sea, which stands for no fix too.
 */
function geoPoint({ GPSInfo: gps }: Exif): GeoPoint | undefined {
  const latitude = degrees(gps?.GPSLatitude, gps?.GPSLatitudeRef, LATITUDE);
  const longitude = degrees(gps?.GPSLongitude, gps?.GPSLongitudeRef, LONGITUDE);
  if (latitude === undefined || longitude === undefined) return undefined;
  return latitude === 0 && longitude === 0 ? undefined : { latitude, longitude };
}

/** What an angle is measured from, and how far it goes. */
interface Axis {
  readonly positive: string;
  readonly negative: string;
  readonly most: number;
}

const LATITUDE: Axis = { positive: 'NORTH', negative: 'SOUTH', most: 90 };
const LONGITUDE: Axis = { positive: 'EAST', negative: 'WEST', most: 180 };

/** Degrees, minutes and seconds with their reference (`S`, as some write it `s` or `South`) to signed degrees. */
function degrees(parts: unknown, reference: unknown, { positive, negative, most }: Axis): number | undefined {
  const isOf = (word: string): boolean => letters === word || letters === word[0];
  const letters = typeof reference === 'string' ? reference.replaceAll('\0', '').trim().toUpperCase() : '';
  if (!isOf(positive) && !isOf(negative)) return undefined;
  const numbers = [parts].flat().map((part) => (typeof part === 'number' ? part : Number.NaN));
  const [whole = Number.NaN, minutes = 0, seconds = 0] = numbers;
  if (![minutes, seconds].every((part) => part >= 0 && part <= 60)) return undefined;
  const value = whole + minutes / 60 + seconds / 3600;
  if (!(value >= 0 && value <= most)) return undefined;
  return isOf(negative) ? -value : value;
}
