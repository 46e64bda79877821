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
  const takenAt = exif?.Photo?.DateTimeOriginal ?? exif?.Photo?.DateTimeDigitized ?? exif?.Image?.DateTime;
  const gps = exif === undefined ? undefined : geoPoint(exif);
  return {
    width: photo.width,
    height: photo.height,
    orientation: photo.orientation,
    ...(takenAt instanceof Date && Number.isFinite(takenAt.getTime()) ? { takenAt } : {}),
    ...(gps === undefined ? {} : { gps }),
  };
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

function geoPoint(exif: Exif): GeoPoint | undefined {
  const gps = exif.GPSInfo;
  const latitude = degrees(gps?.GPSLatitude, gps?.GPSLatitudeRef === 'S');
  const longitude = degrees(gps?.GPSLongitude, gps?.GPSLongitudeRef === 'W');
  if (latitude === undefined || longitude === undefined) return undefined;
  if (Math.abs(latitude) > 90 || Math.abs(longitude) > 180) return undefined;
  return { latitude, longitude };
}

/** Degrees, minutes and seconds to signed decimal degrees. */
function degrees(parts: unknown, negative: boolean): number | undefined {
  if (!Array.isArray(parts) || parts.length === 0) return undefined;
  const [whole = 0, minutes = 0, seconds = 0] = parts.map(Number);
  const value = whole + minutes / 60 + seconds / 3600;
  if (!Number.isFinite(value)) return undefined;
  return negative ? -value : value;
}
