import { InputError } from '../../ground/errors.ts';

/** Where a BMP keeps what: https://learn.microsoft.com/windows/win32/gdi/bitmap-storage */
export interface BitmapHeader {
  readonly width: number;
  readonly height: number;
  /** Whether the first row of the file is the lowest, as is usual. */
  readonly isBottomUp: boolean;
  readonly bitsPerPixel: number;
  /** Where the pixels start. */
  readonly dataOffset: number;
  /** RGB of each index, where pixels are indices. */
  readonly palette: readonly (readonly [number, number, number])[];
  /** Which bits are red, green and blue, where pixels are of 16 or 32 bits. */
  readonly masks: readonly [number, number, number];
}

const MASKS_16 = [0x7c00, 0x03e0, 0x001f] as const;
const MASKS_32 = [0xff0000, 0x00ff00, 0x0000ff] as const;

const COMPRESSION = { none: 0, bitFields: 3, alphaBitFields: 6 } as const;

/**
 * Reads the header of a BMP.
 *
 * @throws InputError for a header that cannot be, and for run-length and other compression
 */
export function readBitmapHeader(name: string, bytes: Uint8Array): BitmapHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    return headerOf(name, view);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw damaged(name);
  }
}

function headerOf(name: string, view: DataView): BitmapHeader {
  const headerSize = view.getUint32(14, true);
  // The header of OS/2 has shorter numbers and palette entries.
  const isShort = headerSize === 12;
  const width = isShort ? view.getUint16(18, true) : view.getInt32(18, true);
  const signedHeight = isShort ? view.getUint16(20, true) : view.getInt32(22, true);
  const bitsPerPixel = view.getUint16(isShort ? 24 : 28, true);
  const compression = isShort ? COMPRESSION.none : view.getUint32(30, true);
  const hasMasks = compression === COMPRESSION.bitFields || compression === COMPRESSION.alphaBitFields;
  if (width < 1 || signedHeight === 0 || ![1, 4, 8, 16, 24, 32].includes(bitsPerPixel)) throw damaged(name);
  if (compression !== COMPRESSION.none && !(hasMasks && bitsPerPixel >= 16)) {
    throw new InputError(name, 'is a compressed BMP, which sward does not read', 'save it as PNG or JPEG');
  }
  const mask = (index: number): number => view.getUint32(54 + 4 * index, true);
  const usual = bitsPerPixel === 16 ? MASKS_16 : MASKS_32;
  return {
    width,
    height: Math.abs(signedHeight),
    isBottomUp: signedHeight > 0,
    bitsPerPixel,
    dataOffset: view.getUint32(10, true),
    palette: bitsPerPixel <= 8 ? paletteOf(view, headerSize, bitsPerPixel) : [],
    masks: hasMasks ? [mask(0), mask(1), mask(2)] : usual,
  };
}

function paletteOf(view: DataView, headerSize: number, bitsPerPixel: number): [number, number, number][] {
  const entryBytes = headerSize === 12 ? 3 : 4;
  const start = 14 + headerSize;
  const said = headerSize === 12 ? 0 : view.getUint32(46, true);
  const room = Math.floor((view.getUint32(10, true) - start) / entryBytes);
  const entries = Math.max(0, Math.min(said || 2 ** bitsPerPixel, room));
  return Array.from({ length: entries }, (_, index) => {
    const at = start + index * entryBytes;
    return [view.getUint8(at + 2), view.getUint8(at + 1), view.getUint8(at)];
  });
}

/**
 * The pixels of a BMP: [height, width, 3], 8-bit RGB from the top left. What 32-bit files keep beside the colours is
 * not looked at: most leave it at zero and mean no transparency.
 *
 * @throws InputError when the file ends early
 */
export function bitmapPixels(name: string, bytes: Uint8Array, header: BitmapHeader): Uint8Array {
  const { width, height, bitsPerPixel, dataOffset, isBottomUp } = header;
  const rowBytes = Math.ceil((width * bitsPerPixel) / 32) * 4;
  if (bytes.byteLength < dataOffset + rowBytes * height) throw damaged(name);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const colourAt = colourReader(view, header);
  const rgb = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    const row = dataOffset + rowBytes * (isBottomUp ? height - 1 - y : y);
    for (let x = 0; x < width; x++) colourAt(row, x, rgb, (y * width + x) * 3);
  }
  return rgb;
}

/** Writes the colour of pixel `x` of the row that starts at `row` to `rgb` at `to`. */
type ColourReader = (row: number, x: number, rgb: Uint8Array, to: number) => void;

function colourReader(view: DataView, { bitsPerPixel, palette, masks }: BitmapHeader): ColourReader {
  if (bitsPerPixel <= 8) {
    const perByte = 8 / bitsPerPixel;
    return (row, x, rgb, to) => {
      const byte = view.getUint8(row + Math.floor(x / perByte));
      const index = (byte >> (8 - bitsPerPixel * ((x % perByte) + 1))) & (2 ** bitsPerPixel - 1);
      rgb.set(palette[index] ?? [0, 0, 0], to);
    };
  }
  if (bitsPerPixel === 24) {
    return (row, x, rgb, to) => {
      for (let band = 0; band < 3; band++) rgb[to + band] = view.getUint8(row + 3 * x + 2 - band);
    };
  }
  const fields = masks.map((mask) => {
    const shift = mask === 0 ? 0 : 31 - Math.clz32(mask & -mask);
    return { mask, shift, most: mask >>> shift };
  });
  return (row, x, rgb, to) => {
    const value = bitsPerPixel === 16 ? view.getUint16(row + 2 * x, true) : view.getUint32(row + 4 * x, true);
    fields.forEach(({ mask, shift, most }, band) => {
      rgb[to + band] = most === 0 ? 0 : Math.round((((value & mask) >>> shift) * 255) / most);
    });
  };
}

const damaged = (name: string): InputError =>
  new InputError(
    name,
    'the photo cannot be decoded (BMP damaged or cut short)',
    'replace the file with a whole copy of the photo',
  );
