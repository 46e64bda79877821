/// <reference path="./exifr.d.ts" />

import type { Position } from '../../../src/farm/index.ts';
import { momentOf } from './moment.ts';

/** What a photo's file says of where and when it was taken. */
export interface FileFacts {
  readonly position: Position | null;
  /** A moment by the camera's clock, in the zone that the file names, or else this device's. */
  readonly takenAt: string | null;
}

const NOTHING: FileFacts = { position: null, takenAt: null };

/**
 * Reads a photo's EXIF; phones strip positions of what is chosen from a gallery, so that there may be none. A photo is
 * kept whether or not its file can be read.
 */
export async function factsOf(photo: Uint8Array): Promise<FileFacts> {
  try {
    // Fetched before the first visit was over, this part of the app may not be here yet.
    const { parse } = await import('exifr/dist/lite.esm.mjs');
    const said = await parse(asJpeg(photo), { gps: true, exif: ['DateTimeOriginal', 'OffsetTimeOriginal'] });
    const { latitude, longitude, OffsetTimeOriginal: offset } = said ?? {};
    // Some write the time of exposure among the facts of the picture, where exifr calls it by its number.
    const taken = clockOf(said?.DateTimeOriginal ?? said?.['36867']);
    const isPlace = Math.abs(latitude ?? Number.NaN) <= 90 && Math.abs(longitude ?? Number.NaN) <= 180;
    // 0° N 0° E, in the sea, stands for no fix.
    const isFix = isPlace && !(latitude === 0 && longitude === 0);
    return {
      position: isFix ? { latitude, longitude, accuracyMetres: null } : null,
      takenAt: taken && momentIn(taken, offset),
    };
  } catch {
    return NOTHING;
  }
}

/** What EXIF says of a clock, as this device's would show it; null where that is no time. */
function clockOf(said: unknown): Date | null {
  const text = typeof said === 'string' ? said.replace(/^(\d{4}):(\d\d):(\d\d) /, '$1-$2-$3T') : said;
  const clock = text instanceof Date || typeof text === 'string' ? new Date(text) : null;
  return clock && !Number.isNaN(clock.getTime()) ? clock : null;
}

/** A moment of the clock that a date shows here, in the zone that is named; this device's where none is. */
function momentIn(clock: Date, offset: unknown): string {
  const here = momentOf(clock);
  const isZone = typeof offset === 'string' && /^[+-](0\d|1[0-4]):[0-5]\d$/.test(offset);
  return isZone ? here.slice(0, -offset.length) + offset : here;
}

/** The beginnings of EXIF's block, which is laid out as TIFF. */
const BLOCKS = [
  [0x49, 0x49, 0x2a, 0, 8, 0, 0, 0],
  [0x4d, 0x4d, 0, 0x2a, 0, 0, 0, 8],
] as const;
/** A segment of a JPEG holds no more beside its own header. */
const MOST_BYTES = 65_525;

/**
 * The EXIF block of a photo that is no JPEG (HEIC, WebP, PNG), which may lie anywhere in it, as a JPEG of nothing else:
 * exifr reads these, whatever program wrote the other.
 */
function asJpeg(photo: Uint8Array): Uint8Array {
  if (photo[0] === 0xff && photo[1] === 0xd8) return photo;
  for (let at = photo.indexOf(0x2a, 2); at >= 0; at = photo.indexOf(0x2a, at + 1)) {
    for (const block of BLOCKS) {
      const start = at - block.indexOf(0x2a);
      if (start < 0 || !block.every((byte, place) => photo[start + place] === byte)) continue;
      const exif = photo.subarray(start, start + MOST_BYTES);
      const length = exif.length + 8;
      const head = [0xff, 0xd8, 0xff, 0xe1, length >> 8, length & 0xff, 0x45, 0x78, 0x69, 0x66, 0, 0];
      return Uint8Array.from([...head, ...exif, 0xff, 0xd9]);
    }
  }
  return photo;
}
