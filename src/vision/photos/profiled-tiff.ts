import type { HeifPixels } from './heif-pixels.ts';

/** Pixels of a decoder that says which colours they mean. */
export interface ProfiledPixels extends HeifPixels {
  /** ICC profile of the colours; absent: sRGB. */
  readonly profile?: Uint8Array;
}

const [SHORT, LONG, UNDEFINED] = [3, 4, 7];
const BANDS = 4;
const UNASSOCIATED = 2;

/** Bytes of the header, and of an entry of the directory. */
const [HEADER_BYTES, ENTRY_BYTES] = [8, 12];

/**
 * An uncompressed TIFF of pixels with their profile: the one form in which sharp takes a profile along with pixels that it
 * did not decode itself.
 */
export function profiledTiff({ data, width, height, stride, profile }: ProfiledPixels): Uint8Array {
  const rowBytes = width * BANDS;
  const entries: [tag: number, type: number, count: number, value: number][] = [];
  const directoryBytes = 2 + (11 + (profile ? 1 : 0)) * ENTRY_BYTES + 4;
  const bitsAt = HEADER_BYTES + directoryBytes;
  const profileAt = bitsAt + 2 * BANDS;
  const pixelsAt = profileAt + (profile?.byteLength ?? 0);
  entries.push(
    [256, LONG, 1, width],
    [257, LONG, 1, height],
    [258, SHORT, BANDS, bitsAt],
    [259, SHORT, 1, 1],
    [262, SHORT, 1, 2],
    [273, LONG, 1, pixelsAt],
    [277, SHORT, 1, BANDS],
    [278, LONG, 1, height],
    [279, LONG, 1, rowBytes * height],
    [284, SHORT, 1, 1],
    [338, SHORT, 1, UNASSOCIATED],
  );
  if (profile) entries.push([34675, UNDEFINED, profile.byteLength, profileAt]);

  const file = new Uint8Array(pixelsAt + rowBytes * height);
  const view = new DataView(file.buffer);
  view.setUint32(0, 0x49492a00);
  view.setUint32(4, HEADER_BYTES, true);
  view.setUint16(HEADER_BYTES, entries.length, true);
  entries.forEach(([tag, type, count, value], index) => {
    const at = HEADER_BYTES + 2 + index * ENTRY_BYTES;
    view.setUint16(at, tag, true);
    view.setUint16(at + 2, type, true);
    view.setUint32(at + 4, count, true);
    view.setUint32(at + 8, value, true);
  });
  for (let band = 0; band < BANDS; band++) view.setUint16(bitsAt + 2 * band, 8, true);
  if (profile) file.set(profile, profileAt);
  for (let row = 0; row < height; row++) {
    file.set(data.subarray(row * stride, row * stride + rowBytes), pixelsAt + row * rowBytes);
  }
  return file;
}
