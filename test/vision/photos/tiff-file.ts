/** What a TIFF is to say of itself, and its numbers. */
export interface TiffSpec {
  readonly width: number;
  readonly height: number;
  readonly bands: number;
  /** [height, width, bands]. */
  readonly values: readonly number[];
  readonly bits?: 8 | 16 | 32;
  /** 1 whole numbers, 2 signed, 3 floating point. */
  readonly sampleFormat?: number;
  /** 1 grey, 2 RGB, 5 CMYK. */
  readonly photometric?: number;
  /** What the last bands are: 0 unspecified, 2 opacity; absent: no such tag. */
  readonly extraSamples?: readonly number[];
  readonly littleEndian?: boolean;
  readonly pictures?: number;
}

/** An uncompressed TIFF with the tags that are asked for, which no library would write all of. */
export function tiffFile(spec: TiffSpec): Buffer {
  const { width, height, bands, values, bits = 8, sampleFormat = 1, photometric = 2 } = spec;
  const { extraSamples, littleEndian = true, pictures = 1 } = spec;
  const pixels = Buffer.alloc((values.length * bits) / 8);
  const numbers = new DataView(pixels.buffer, pixels.byteOffset, pixels.length);
  values.forEach((value, index) => {
    if (sampleFormat === 3) numbers.setFloat32(index * 4, value, littleEndian);
    else if (bits === 8) numbers.setUint8(index, value);
    else if (bits === 16) numbers.setUint16(index * 2, value, littleEndian);
    else numbers.setUint32(index * 4, value, littleEndian);
  });
  const header = Buffer.from(littleEndian ? 'II' : 'MM', 'latin1');
  const parts: Buffer[] = [header, number(42, 2), number(8, 4)];
  let at = 8;
  for (let picture = 1; picture <= pictures; picture++) {
    const lists: Buffer[] = [];
    const entries: Buffer[] = [];
    const count = 10 + (extraSamples ? 1 : 0);
    let listAt = at + 2 + count * 12 + 4;
    const entry = (tag: number, type: 3 | 4, list: readonly number[]): void => {
      const size = type === 3 ? 2 : 4;
      const content = Buffer.concat(list.map((value) => number(value, size)));
      const isInside = content.length <= 4;
      entries.push(number(tag, 2), number(type, 2), number(list.length, 4));
      entries.push(isInside ? Buffer.concat([content, Buffer.alloc(4 - content.length)]) : number(listAt, 4));
      if (isInside) return;
      lists.push(content);
      listAt += content.length;
    };
    const perBand = (value: number): number[] => Array.from({ length: bands }, () => value);
    // Lists of more than two numbers stand behind the directory.
    const behind = [bands, bands, extraSamples?.length ?? 0].filter((length) => length > 2);
    const listBytes = behind.reduce((bytes, length) => bytes + 2 * length, 0);
    const pixelsAt = listAt + listBytes;
    entry(256, 4, [width]);
    entry(257, 4, [height]);
    entry(258, 3, perBand(bits));
    entry(259, 3, [1]);
    entry(262, 3, [photometric]);
    entry(273, 4, [pixelsAt]);
    entry(277, 3, [bands]);
    entry(278, 4, [height]);
    entry(279, 4, [pixels.length]);
    if (extraSamples) entry(338, 3, extraSamples);
    entry(339, 3, perBand(sampleFormat));
    const end = pixelsAt + pixels.length;
    parts.push(number(count, 2), ...entries, number(picture < pictures ? end : 0, 4), ...lists, pixels);
    at = end;
  }
  return Buffer.concat(parts);

  function number(value: number, bytes: 2 | 4): Buffer {
    const buffer = Buffer.alloc(bytes);
    if (littleEndian) buffer.writeUIntLE(value, 0, bytes);
    else buffer.writeUIntBE(value, 0, bytes);
    return buffer;
  }
}
