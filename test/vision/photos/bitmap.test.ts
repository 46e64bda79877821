import { describe, expect, it } from 'vitest';
import { InputError } from '../../../src/ground/errors.ts';
import { decodePhoto } from '../../../src/vision/photos/decode.ts';
import { inspectPhoto } from '../../../src/vision/photos/inspect.ts';
import { photoFrom } from '../../../src/vision/photos/photo.ts';

interface BitmapSpec {
  readonly bits: number;
  readonly width: number;
  /** Negative: the first row is the top one. */
  readonly height: number;
  /** Rows as they lie in the file, padded to four bytes. */
  readonly rows: readonly number[][];
  readonly palette?: readonly number[][];
  readonly masks?: readonly number[];
  readonly compression?: number;
}

function bitmap({ bits, width, height, rows, palette = [], masks = [], compression }: BitmapSpec): Buffer {
  const colours = Buffer.from(palette.flatMap(([r = 0, g = 0, b = 0]) => [b, g, r, 0]));
  const fields = Buffer.concat(
    masks.map((mask) => {
      const field = Buffer.alloc(4);
      field.writeUInt32LE(mask);
      return field;
    }),
  );
  const header = Buffer.alloc(54);
  header.write('BM', 'latin1');
  header.writeUInt32LE(54 + fields.length + colours.length, 10);
  header.writeUInt32LE(40, 14);
  header.writeInt32LE(width, 18);
  header.writeInt32LE(height, 22);
  header.writeUInt16LE(1, 26);
  header.writeUInt16LE(bits, 28);
  header.writeUInt32LE(compression ?? (masks.length > 0 ? 3 : 0), 30);
  header.writeUInt32LE(palette.length, 46);
  return Buffer.concat([header, fields, colours, Buffer.from(rows.flat())]);
}

const [RED, GREEN, BLUE, WHITE] = [
  [255, 0, 0],
  [0, 255, 0],
  [0, 0, 255],
  [255, 255, 255],
];
const PICTURE = [RED, GREEN, BLUE, WHITE].flat();

const flag: BitmapSpec = {
  bits: 24,
  width: 2,
  height: 2,
  // The lowest row first, blue before red, padded.
  rows: [
    [255, 0, 0, 255, 255, 255, 0, 0],
    [0, 0, 255, 0, 255, 0, 0, 0],
  ],
};

describe('a BMP', () => {
  it.each<[string, BitmapSpec]>([
    ['24 bits', flag],
    ['the top row first', { ...flag, height: -2, rows: flag.rows.toReversed() }],
    [
      '32 bits whose fourth byte says nothing',
      {
        ...flag,
        bits: 32,
        rows: [
          [255, 0, 0, 0, 255, 255, 255, 0],
          [0, 0, 255, 0, 0, 255, 0, 0],
        ],
      },
    ],
    [
      '32 bits with masks',
      {
        ...flag,
        bits: 32,
        masks: [0xff, 0xff00, 0xff0000],
        rows: [
          [0, 0, 255, 0, 255, 255, 255, 0],
          [255, 0, 0, 0, 0, 255, 0, 0],
        ],
      },
    ],
    [
      '16 bits',
      {
        ...flag,
        bits: 16,
        rows: [
          [0x1f, 0, 0xff, 0x7f],
          [0, 0x7c, 0xe0, 0x03],
        ],
      },
    ],
    [
      '16 bits with masks',
      {
        ...flag,
        bits: 16,
        masks: [0xf800, 0x07e0, 0x001f],
        rows: [
          [0x1f, 0, 0xff, 0xff],
          [0, 0xf8, 0xe0, 0x07],
        ],
      },
    ],
    [
      '8 bits with a palette',
      {
        ...flag,
        bits: 8,
        palette: [RED, GREEN, BLUE, WHITE] as number[][],
        rows: [
          [2, 3, 0, 0],
          [0, 1, 0, 0],
        ],
      },
    ],
    [
      '4 bits with a palette',
      {
        ...flag,
        bits: 4,
        palette: [RED, GREEN, BLUE, WHITE] as number[][],
        rows: [
          [0x23, 0, 0, 0],
          [0x01, 0, 0, 0],
        ],
      },
    ],
  ])('is read: %s', async (_, spec) => {
    const photo = photoFrom('photo.jpg', bitmap(spec));
    const { width, height, data } = await decodePhoto(photo);
    expect({ width, height, data: [...data] }).toEqual({ width: 2, height: 2, data: PICTURE });
    expect(await inspectPhoto(photo)).toEqual({ width: 2, height: 2, orientation: 1 });
  });

  it.each<[string, Buffer, RegExp]>([
    ['cut short', bitmap(flag).subarray(0, 60), /damaged or cut short.*replace the file/],
    ['cut in its header', bitmap(flag).subarray(0, 20), /damaged or cut short/],
    ['compressed', bitmap({ ...flag, bits: 8, compression: 1 }), /compressed BMP.*save it as PNG/],
    ['of no size', bitmap({ ...flag, width: 0 }), /damaged/],
    ['of 900 megapixels', bitmap({ ...flag, width: 30_000, height: 30_000 }), /is 900 megapixels/],
  ])('is refused %s', async (_, bytes, message) => {
    for (const read of [decodePhoto, inspectPhoto]) {
      const error = await read(photoFrom('b.bmp', bytes)).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(InputError);
      expect((error as InputError).message).toMatch(message);
    }
  });
});
