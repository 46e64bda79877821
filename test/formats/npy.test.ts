import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { readNpy, readNpyMatrix, writeNpyFloat32 } from '../../src/formats/npy/npy.ts';
import { InputError } from '../../src/ground/errors.ts';
import { randomStream } from '../../src/ground/random.ts';

const features = join(process.env.SWARD_SHARED ?? '../shared', 'csiro/features');
const folder = mkdtempSync(join(tmpdir(), 'sward-npy-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const path = join(folder, 'array.npy');

/** The bytes of an `.npy` file with any header text and version, padded as numpy does unless a length is stated. */
function craftedBytes(
  dictionary: string,
  elements: ArrayBufferView = new Uint8Array(0),
  major = 1,
  statedLength?: number,
): Buffer {
  const start = major === 1 ? 10 : 12;
  const padding = 64 - ((start + dictionary.length + 1) % 64);
  const text = Buffer.from(`${dictionary}${' '.repeat(padding)}\n`);
  const head = Buffer.alloc(start);
  head.write('\x93NUMPY', 'latin1');
  head.writeUInt8(major, 6);
  if (major === 1) head.writeUInt16LE(statedLength ?? text.length, 8);
  else head.writeUInt32LE(statedLength ?? text.length, 8);
  const data = Buffer.from(elements.buffer, elements.byteOffset, elements.byteLength);
  return Buffer.concat([head, text, data]);
}

function crafted(
  dictionary: string,
  elements?: ArrayBufferView,
  major?: number,
  statedLength?: number,
): string {
  writeFileSync(path, craftedBytes(dictionary, elements, major, statedLength));
  return path;
}

function dictionary(descr: string, shape: string, order = 'False'): string {
  return `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': ${shape}, }`;
}

async function refusal(read: () => Promise<unknown>): Promise<string> {
  const error: unknown = await read().then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(InputError);
  expect((error as InputError).message).not.toMatch(/\p{Cc}/u);
  expect((error as InputError).message).toContain(path);
  return (error as InputError).message;
}

const SIX = Float32Array.of(1, 2, 3, 4, 5, 6);

describe('reading', () => {
  it.each([
    ['<f8', Float64Array.of(1.5, -2, 3), Float64Array.of(1.5, -2, 3)],
    ['<f4', Float32Array.of(1.5, -2, 3), Float32Array.of(1.5, -2, 3)],
    ['<f2', Uint16Array.of(0x3e00, 0xc000, 0x0001), Float32Array.of(1.5, -2, 2 ** -24)],
    ['<i4', Int32Array.of(1, -2, 3), Int32Array.of(1, -2, 3)],
    ['<i8', BigInt64Array.of(1n, -2n, 2n ** 60n), BigInt64Array.of(1n, -2n, 2n ** 60n)],
  ])('gives the elements of %s', async (descr, stored, expected) => {
    expect(await readNpy(crafted(dictionary(descr, '(3,)'), stored))).toEqual({ shape: [3], data: expected });
  });

  it.each([1, 2, 3])('understands version %i', async (major) => {
    expect(await readNpy(crafted(dictionary('<f4', '(2, 3)'), SIX, major))).toEqual({
      shape: [2, 3],
      data: SIX,
    });
  });

  it('transposes Fortran order', async () => {
    const array = await readNpy(crafted(dictionary('<f4', '(2, 3)', 'True'), SIX));
    expect(array).toEqual({ shape: [2, 3], data: Float32Array.of(1, 3, 5, 2, 4, 6) });
  });

  it('takes the keys in any order, with double quotes and without the last comma', async () => {
    const header = `{"shape":(2,3),"fortran_order":False,"descr":"<f4"}`;
    expect((await readNpy(crafted(header, SIX))).shape).toEqual([2, 3]);
  });

  it('gives a matrix of doubles from every dtype', async () => {
    const expected = { rows: 2, columns: 1, data: Float64Array.of(3, -4) };
    expect(await readNpyMatrix(crafted(dictionary('<i4', '(2, 1)'), Int32Array.of(3, -4)))).toEqual(expected);
    expect(await readNpyMatrix(crafted(dictionary('<i8', '(2, 1)'), BigInt64Array.of(3n, -4n)))).toEqual(
      expected,
    );
    expect(await readNpyMatrix(crafted(dictionary('<f2', '(2, 1)'), Uint16Array.of(0x4200, 0xc400)))).toEqual(
      expected,
    );
  });

  it('accepts a matrix without rows', async () => {
    const empty = { rows: 0, columns: 4, data: new Float64Array(0) };
    expect(await readNpyMatrix(crafted(dictionary('<f4', '(0, 4)')))).toEqual(empty);
  });
});

describe('a matrix that is no matrix of finite numbers', () => {
  it.each([
    [Number.NaN, 'NaN'],
    [Number.POSITIVE_INFINITY, 'Infinity'],
    [Number.NEGATIVE_INFINITY, '-Infinity'],
  ])('names the row and column of %s', async (value, shown) => {
    crafted(dictionary('<f4', '(3, 2)'), Float32Array.of(1, 2, 3, value, 5, 6));
    expect(await refusal(() => readNpyMatrix(path))).toContain(`array.npy row 2: column 2 is ${shown}; `);
  });

  it('names an integer that a double cannot hold', async () => {
    crafted(dictionary('<i8', '(1, 1)'), BigInt64Array.of(2n ** 53n + 1n));
    expect(await refusal(() => readNpyMatrix(path))).toMatch(/row 1: column 1 is 9007199254740993/);
  });

  it('refuses one axis', async () => {
    crafted(dictionary('<f4', '(6,)'), SIX);
    expect(await refusal(() => readNpyMatrix(path))).toMatch(/has one axis \(6 elements\), not two; reshape/);
  });
});

describe('a file that cannot be read', () => {
  const cases: [string, Buffer, RegExp][] = [
    ['nothing', Buffer.alloc(0), /is not an \.npy file; give an array written by numpy\.save/],
    ['another kind of file', Buffer.from('PK\x03\x04 and so on, a zip'), /is not an \.npy file/],
    [
      'a start without header',
      craftedBytes(dictionary('<f4', '(2, 3)')).subarray(0, 12),
      /ends inside its header/,
    ],
    ['half a header', craftedBytes(dictionary('<f4', '(2, 3)')).subarray(0, 40), /ends inside its header/],
    [
      'half the data',
      craftedBytes(dictionary('<f4', '(3, 3)'), SIX),
      /has 24 bytes of data but <f4 \(3, 3\) needs 36/,
    ],
    [
      'surplus data',
      craftedBytes(dictionary('<f4', '(5,)'), SIX),
      /has 24 bytes of data but <f4 \(5\) needs 20/,
    ],
    ['an unknown version', craftedBytes(dictionary('<f4', '(2, 3)'), SIX, 4), /unknown \.npy version 4\.0/],
    [
      'a long header',
      craftedBytes(dictionary('<f4', '(2, 3)'), SIX, 2, 2 ** 32 - 1),
      /states a header of 4294967295/,
    ],
    [
      'a header cut short',
      craftedBytes(dictionary('<f4', '(2, 3)'), SIX, 1, 30),
      /numpy\.save does not write/,
    ],
    [
      'Python objects',
      craftedBytes(dictionary('|O', '(1,)'), new Uint8Array(8)),
      /Python objects.*numpy\.save\(/,
    ],
    [
      'big-endian elements',
      craftedBytes(dictionary('>f4', '(6,)'), SIX),
      /is big-endian \(>f4\); save it with/,
    ],
    [
      'text elements',
      craftedBytes(dictionary('<U7', '(1,)'), new Uint8Array(28)),
      /of type <U7, not <f2, <f4/,
    ],
    ['a hostile dtype', craftedBytes(dictionary('a\u001b[31m\n', '(1,)')), /of type a\?\[31m\?/],
    [
      'records',
      craftedBytes(`{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (6,), }`, SIX),
      /holds records/,
    ],
    ['no axis', craftedBytes(dictionary('<f4', '()'), Float32Array.of(1)), /has 0 axes; reshape/],
    ['three axes', craftedBytes(dictionary('<f4', '(1, 2, 3)'), SIX), /has 3 axes; reshape/],
    ['an absurd shape', craftedBytes(dictionary('<f4', '(4294967296, 4294967296)')), /absurd shape/],
    ['an absurd shape with 0', craftedBytes(dictionary('<f4', '(0, 99999999999999999999)')), /absurd shape/],
    ['a shape of infinite axes', craftedBytes(dictionary('<f4', `(0, ${'9'.repeat(400)})`)), /absurd shape/],
    ['a negative axis', craftedBytes(dictionary('<f4', '(-2, -3)'), SIX), /numpy\.save does not write/],
    ['a number for the shape', craftedBytes(dictionary('<f4', '(6)'), SIX), /numpy\.save does not write/],
    ['a shape without end', craftedBytes(dictionary('<f4', '(6,'), SIX), /numpy\.save does not write/],
    ['another order', craftedBytes(dictionary('<f4', '(6,)', 'None'), SIX), /numpy\.save does not write/],
    ['a missing key', craftedBytes(`{'descr': '<f4', 'shape': (6,), }`, SIX), /numpy\.save does not write/],
    [
      'a key twice',
      craftedBytes(`{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (6,)}`, SIX),
      /numpy\.save does not write/,
    ],
    [
      'a further key',
      craftedBytes(`{'descr': '<f4', 'fortran_order': False, 'shape': (6,), 'x': True}`, SIX),
      /numpy\.save does not write/,
    ],
    ['text after the dictionary', craftedBytes(`${dictionary('<f4', '(6,)')} 1`, SIX), /does not write/],
    ['braces only', craftedBytes('{'.repeat(9000)), /does not write/],
    ['spaces only', craftedBytes(' '.repeat(9000)), /does not write/],
    ['parentheses only', craftedBytes(`{'shape': ${'('.repeat(9000)}`), /does not write/],
  ];
  it.each(cases)('%s gives one clear error', async (_, bytes, message) => {
    writeFileSync(path, bytes);
    expect(await refusal(() => readNpy(path))).toMatch(message);
  });

  it('is refused at every truncation', async () => {
    crafted(dictionary('<f4', '(2, 3)'), SIX);
    for (let bytes = 128 + 24 - 1; bytes >= 0; bytes--) {
      crafted(dictionary('<f4', '(2, 3)'), SIX);
      truncateSync(path, bytes);
      await refusal(() => readNpy(path));
    }
  });

  it('is refused with one clear error, or read whole, after any of 500 seeded changes', async () => {
    const sound = craftedBytes(dictionary('<f4', '(2, 3)'), SIX);
    const random = randomStream(5);
    let refused = 0;
    for (let index = 0; index < 500; index++) {
      const bytes = Buffer.from(sound);
      // The dictionary's 59 bytes and what stands before it; padding and data are free to change.
      for (let change = random.integer(3); change >= 0; change--)
        bytes[random.integer(69)] = random.integer(256);
      writeFileSync(path, bytes);
      try {
        const { shape, data } = await readNpy(path);
        expect(shape.reduce((a, b) => a * b, 1)).toBe(data.length);
      } catch (error) {
        expect(error, `case ${index}`).toBeInstanceOf(InputError);
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(400);
  });

  it('names a file that is not there', async () => {
    expect(await refusal(() => readNpy(`${path}.none`))).toMatch(/there is no such file; check the path/);
  });
});

describe('writing', () => {
  it('gives back every finite float32 matrix, from singles and doubles', async () => {
    const matrix = fc.tuple(fc.nat(5), fc.nat(5)).chain(([rows, columns]) =>
      fc
        .array(fc.float({ noNaN: true, noDefaultInfinity: true }), {
          minLength: rows * columns,
          maxLength: rows * columns,
        })
        .map((data) => ({ rows, columns, data: Float32Array.from(data) })),
    );
    await fc.assert(
      fc.asyncProperty(matrix, fc.boolean(), async ({ rows, columns, data }, asDoubles) => {
        await writeNpyFloat32(path, { rows, columns, data: asDoubles ? Float64Array.from(data) : data });
        expect(await readNpy(path)).toEqual({ shape: [rows, columns], data });
        expect(await readNpyMatrix(path)).toEqual({ rows, columns, data: Float64Array.from(data) });
      }),
      { numRuns: 100, seed: 3 },
    );
  });

  it('writes the header as numpy does: version 1.0, padded to 64 bytes, ended by a line feed', async () => {
    await writeNpyFloat32(path, { rows: 2, columns: 3, data: SIX });
    expect(readFileSync(path)).toEqual(craftedBytes(dictionary('<f4', '(2, 3)'), SIX));
  });

  it('refuses data that does not fill the shape, leaving the old file alone', async () => {
    await writeNpyFloat32(path, { rows: 2, columns: 3, data: SIX });
    const writing = () => writeNpyFloat32(path, { rows: 2, columns: 2, data: SIX });
    expect(await refusal(writing)).toMatch(/6 elements do not fit 2 rows of 2/);
    expect((await readNpy(path)).shape).toEqual([2, 3]);
    expect(readdirSync(folder)).toEqual(['array.npy']);
  });

  it('refuses a double that float32 cannot hold', async () => {
    const writing = () => writeNpyFloat32(path, { rows: 2, columns: 1, data: Float64Array.of(1, 1e39) });
    expect(await refusal(writing)).toMatch(/row 2: column 1 is 1e\+39, too large for float32/);
  });
});

describe.skipIf(!existsSync(features))('the features of the shared photos', () => {
  it.each([
    ['dinov2_vits14.npy', 384],
    ['convnext_tiny.npy', 768],
  ])('%s has a row for each of the 282 photos', async (name, width) => {
    const { rows, columns, data } = await readNpyMatrix(join(features, name));
    expect([rows, columns, data.length]).toEqual([282, width, 282 * width]);
    await writeNpyFloat32(path, { rows, columns, data });
    expect(readFileSync(path)).toEqual(readFileSync(join(features, name)));
  });
});
