import sharp from 'sharp';
import { expect, it } from 'vitest';
import { readMatrixProfile, toSrgb } from '../../../src/vision/photos/colour-profile.ts';
import { decodePhoto } from '../../../src/vision/photos/decode.ts';
import { photoFrom } from '../../../src/vision/photos/photo.ts';
import type { Pixels } from '../../../src/vision/photos/pixels.ts';
import { pngWithProfile } from './profiled-png.ts';

/** Colours of all kinds: 64 × 64 × 16 steps, dark and light. */
const COLOURS: Pixels = {
  width: 256,
  height: 256,
  data: Uint8Array.from({ length: 256 * 256 * 3 }, (_, at) => {
    const pixel = Math.floor(at / 3);
    return [(pixel % 64) * 4 + 1, (Math.floor(pixel / 64) % 64) * 4, Math.floor(pixel / 4096) * 17][
      at % 3
    ] as number;
  }),
};

/** Numbers with 16 bits after the point. */
const fixed = (values: readonly number[]): Buffer => {
  const bytes = Buffer.alloc(4 * values.length);
  values.forEach((value, index) => {
    bytes.writeInt32BE(Math.round(value * 65536), 4 * index);
  });
  return bytes;
};

const tagged = (type: string, content: Buffer): Buffer =>
  Buffer.concat([Buffer.from(type, 'latin1'), Buffer.alloc(4), content]);

const parametric = (type: number, values: readonly number[]): Buffer =>
  tagged('para', Buffer.concat([Buffer.from([0, type, 0, 0]), fixed(values)]));

function samples(values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 + 2 * values.length);
  bytes.writeUInt32BE(values.length);
  values.forEach((value, index) => {
    bytes.writeUInt16BE(value, 4 + 2 * index);
  });
  return tagged('curv', bytes);
}

const P3 = [
  [0.5151, 0.2412, -0.0011],
  [0.292, 0.6922, 0.0419],
  [0.1571, 0.0666, 0.7841],
];
const SRGB = [
  [28576 / 65536, 14578 / 65536, 911 / 65536],
  [25238 / 65536, 46985 / 65536, 6362 / 65536],
  [9376 / 65536, 3973 / 65536, 46788 / 65536],
];

/** An ICC profile of version 2 for a screen. */
function profile(primaries: readonly (readonly number[])[], curve: Buffer, space = 'RGB '): Buffer {
  const white = tagged('XYZ ', fixed([0.9642, 1, 0.8249]));
  const text = Buffer.alloc(100);
  text.write('desc', 'latin1');
  text.writeUInt32BE(5, 8);
  text.write('test', 12, 'latin1');
  const entries: [string, Buffer][] = [
    ['desc', text],
    ['cprt', tagged('text', Buffer.from('none\0'))],
    ['wtpt', white],
    ...['r', 'g', 'b'].map((band, at): [string, Buffer] => [
      `${band}XYZ`,
      tagged('XYZ ', fixed(primaries[at] ?? [])),
    ]),
    ...['r', 'g', 'b'].map((band): [string, Buffer] => [`${band}TRC`, curve]),
  ];
  const table = Buffer.alloc(4 + 12 * entries.length);
  table.writeUInt32BE(entries.length);
  const contents: Buffer[] = [];
  let offset = 128 + table.length;
  for (const [index, [name, content]] of entries.entries()) {
    const padded = Buffer.concat([content, Buffer.alloc((4 - (content.length % 4)) % 4)]);
    table.write(name, 4 + 12 * index, 'latin1');
    table.writeUInt32BE(offset, 8 + 12 * index);
    table.writeUInt32BE(content.length, 12 + 12 * index);
    contents.push(padded);
    offset += padded.length;
  }
  const header = Buffer.alloc(128);
  header.writeUInt32BE(offset, 0);
  header.writeUInt32BE(0x02400000, 8);
  header.write(`mntr${space}XYZ `, 12, 'latin1');
  header.write('acsp', 36, 'latin1');
  fixed([0.9642, 1, 0.8249]).copy(header, 68);
  return Buffer.concat([header, table, ...contents]);
}

const SRGB_CURVE = [2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045];
const STEPS = Array.from({ length: 1024 }, (_, index) => Math.round(65535 * (index / 1023) ** 2.1));

it.each([
  ['Display P3 with a parametric curve', profile(P3, parametric(3, SRGB_CURVE))],
  ['a plain exponent', profile(P3, parametric(0, [1.8]))],
  ['a gamma of one number', profile(P3, samples([Math.round(2.2 * 256)]))],
  ['a curve of samples', profile(P3, samples(STEPS))],
  ['no curve', profile(P3, samples([]))],
  ['the primaries of sRGB with another curve', profile(SRGB, samples([Math.round(2.2 * 256)]))],
  ['sRGB itself', profile(SRGB, parametric(3, SRGB_CURVE))],
])('colours of a profile become sRGB digit for digit as the decoder makes them: %s', async (_, icc) => {
  const file = await pngWithProfile(COLOURS, icc);
  expect((await sharp(file).metadata()).icc?.equals(icc)).toBe(true);
  const expected = await decodePhoto(photoFrom('photo.png', file));
  const matrix = readMatrixProfile(icc);
  if (!matrix) throw new Error('no matrix profile');
  const own = { ...COLOURS, data: COLOURS.data.slice() };
  toSrgb(own, matrix);
  const worst = own.data.reduce(
    (most, level, at) => Math.max(most, Math.abs(level - (expected.data[at] ?? 0))),
    0,
  );
  expect(worst).toBe(0);
});

it('profiles of other kinds, and damaged ones, are none', async () => {
  const whole = profile(P3, samples([]));
  expect(readMatrixProfile(profile(P3, samples([]), 'CMYK'))).toBeNull();
  expect(readMatrixProfile(whole.subarray(0, 140))).toBeNull();
  expect(readMatrixProfile(profile(P3, parametric(9, [1])))).toBeNull();
});
