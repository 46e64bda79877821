import { zlibSync } from 'fflate';
import { withHeifPixels } from '../../../src/vision/photos/heif-pixels.ts';
import type { HeifPixels } from '../../../src/vision/photos/heif-pixels.ts';

/**
 * A HEIC as a PNG with its colour profile, which the browser decodes as other photos: no browser but Safari knows HEIC.
 * libheif is loaded with the first one.
 *
 * @throws Error with libheif's reason when the file does not decode
 */
export async function heicAsPng(bytes: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  const { default: load } = await import('libheif-js/libheif-wasm/libheif-bundle.mjs');
  const profile = heifProfile(bytes);
  return withHeifPixels(load(), bytes, (pixels) => png(pixels, profile));
}

/** Boxes that hold others, with the bytes before these. */
const HOLDERS: Readonly<Record<string, number>> = { meta: 4, iprp: 0, ipco: 0 };

/** The first ICC profile among the properties of a HEIF file (ISO/IEC 14496-12, box `colr`); null where there is none. */
export function heifProfile(bytes: Uint8Array): Uint8Array | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const text = new TextDecoder('latin1');
  for (let at = 0; at + 8 <= bytes.length; ) {
    const long = view.getUint32(at) === 1;
    const head = long ? 16 : 8;
    if (at + head > bytes.length) return null;
    const size = long ? Number(view.getBigUint64(at + 8)) : view.getUint32(at);
    const end = size === 0 ? bytes.length : at + size;
    const type = text.decode(bytes.subarray(at + 4, at + 8));
    const content = bytes.subarray(at + head, end);
    const skipped = HOLDERS[type];
    if (type === 'colr' && /^(prof|rICC)$/.test(text.decode(content.subarray(0, 4)))) return content.subarray(4);
    const inside = skipped === undefined ? null : heifProfile(content.subarray(skipped));
    if (inside || end <= at) return inside;
    at = end;
  }
  return null;
}

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const [DEPTH, RGB] = [8, 2];

/** Pixels as a PNG that is not compressed; opacity is left out. */
function png({ data, width, height, stride }: HeifPixels, profile: Uint8Array | null): Uint8Array<ArrayBuffer> {
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header.set([DEPTH, RGB], 8);
  const rows = new Uint8Array(height * (1 + 3 * width));
  for (let y = 0, to = 0; y < height; y++) {
    // Each row begins with its filter: none.
    to++;
    for (let from = y * stride, end = from + 4 * width; from < end; from += 4, to += 3) {
      rows[to] = data[from] as number;
      rows[to + 1] = data[from + 1] as number;
      rows[to + 2] = data[from + 2] as number;
    }
  }
  const parts = [
    Uint8Array.from(SIGNATURE),
    ...chunk('IHDR', header),
    ...(profile ? chunk('iCCP', Uint8Array.of(0x50, 0, 0, ...zlibSync(profile, { level: 0 }))) : []),
    ...chunk('IDAT', zlibSync(rows, { level: 0 })),
    ...chunk('IEND', new Uint8Array()),
  ];
  const file = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    file.set(part, at);
    at += part.length;
  }
  return file;
}

/** A chunk of a PNG: length, name, content, checksum. */
function chunk(name: string, content: Uint8Array): Uint8Array[] {
  const [length, checksum] = [new Uint8Array(4), new Uint8Array(4)];
  new DataView(length.buffer).setUint32(0, content.length);
  const letters = new TextEncoder().encode(name);
  new DataView(checksum.buffer).setUint32(0, crc(content, crc(letters, -1)) ^ -1);
  return [length, letters, content, checksum];
}

/** CRC-32 of each byte, as PNG has it. */
const CRC_OF_BYTE = Int32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

function crc(bytes: Uint8Array, before: number): number {
  let value = before;
  for (const byte of bytes) value = (CRC_OF_BYTE[(value ^ byte) & 0xff] as number) ^ (value >>> 8);
  return value;
}
