import type { Position } from '../../../src/farm/index.ts';

/** What a photo's file says of where and when it was taken. */
export interface FileFacts {
  readonly position: Position | null;
  /** By the camera's clock, taken for this device's zone where it names none. */
  readonly takenAt: Date | null;
}

const NOTHING: FileFacts = { position: null, takenAt: null };

/**
 * Reads a photo's EXIF; phones strip positions of what is chosen from a gallery, so that there may be none. A photo is
 * kept whether or not its file can be read.
 */
export async function factsOf(photo: Blob): Promise<FileFacts> {
  try {
    // Fetched before the first visit was over, this part of the app may not be here yet.
    const { parse } = await import('exifr/dist/lite.esm.mjs');
    const said = await parse(photo, { gps: true, pick: ['DateTimeOriginal', 'latitude', 'longitude'] });
    const { latitude, longitude, DateTimeOriginal: taken } = said ?? {};
    const isPlace = Math.abs(latitude ?? Number.NaN) <= 90 && Math.abs(longitude ?? Number.NaN) <= 180;
    return {
      position: isPlace ? { latitude, longitude, accuracyMetres: null } : null,
      takenAt: taken instanceof Date && !Number.isNaN(taken.getTime()) ? taken : null,
    };
  } catch {
    return NOTHING;
  }
}
