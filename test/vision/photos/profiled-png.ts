import { deflateSync } from 'node:zlib';
import sharp from 'sharp';
import type { Pixels } from '../../../src/vision/photos/pixels.ts';

/** A PNG of pixels that says which colours they mean, which sharp will not write without changing them. */
export async function pngWithProfile({ data, width, height }: Pixels, icc: Buffer): Promise<Buffer> {
  const png = await sharp(data, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();
  const content = Buffer.concat([Buffer.from('iCCPtest\0\0', 'latin1'), deflateSync(icc)]);
  const chunk = Buffer.alloc(content.length + 8);
  chunk.writeUInt32BE(content.length - 4);
  content.copy(chunk, 4);
  chunk.writeInt32BE(crc(content), content.length + 4);
  // After the header, which comes first.
  return Buffer.concat([png.subarray(0, 33), chunk, png.subarray(33)]);
}

/** CRC-32 as PNG has it. */
function crc(bytes: Buffer): number {
  let value = -1;
  for (const byte of bytes) {
    value ^= byte;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  }
  return ~value;
}
