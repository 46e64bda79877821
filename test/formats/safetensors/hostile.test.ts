import { execFileSync } from 'node:child_process';
import { appendFileSync, copyFileSync, mkdirSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  openSafetensors,
  readTensor,
  type SafetensorsFile,
  writeSafetensors,
} from '../../../src/formats/safetensors/index.ts';
import { InputError } from '../../../src/ground/errors.ts';
import { crafted, temporaryFolder } from './crafted.ts';

const folder = temporaryFolder();
const path = join(folder, 'model.safetensors');

/** A header of one F32 tensor [2] that fits 8 bytes of data, with members replaced. */
function oneTensor(members: Record<string, unknown> = {}, name = 'w'): string {
  const entry = { dtype: 'F32', shape: [2], data_offsets: [0, 8], ...members };
  return `{${JSON.stringify(name)}:${JSON.stringify(entry)}}`;
}

async function refusal(open: () => Promise<unknown>): Promise<string> {
  const error: unknown = await open().then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(InputError);
  const message = (error as InputError).message;
  expect(message).not.toMatch(/[\p{Cc}\u2028\u2029]/u);
  expect(message.length).toBeLessThan(path.length + 400);
  return message;
}

const F32_PAIR = '{"dtype":"F32","shape":[2],"data_offsets":[0,8]}';
const DEEP = '['.repeat(200_000);

describe('a header that is not what the format allows', () => {
  const cases: [string, string | Uint8Array, number, RegExp][] = [
    ['nothing', '', 0, /should have "\{" at character 0/],
    ['an array', '[]', 0, /should have "\{"/],
    ['null', 'null', 0, /should have "\{"/],
    ['bytes that are not UTF-8', Uint8Array.of(0x7b, 0xff, 0x7d), 0, /not UTF-8/],
    ['a byte order mark', '\ufeff{}', 0, /should have "\{"/],
    ['text after the object', '{}{}', 0, /the end of the header/],
    ['an object without end', '{"w":{"dtype":"F32"', 0, /"," or "\}"/],
    ['a comma before the end', `{"w":${F32_PAIR},}`, 8, /a text in double quotes/],
    ['a text without end', '{"w', 0, /without end/],
    ['a text that ends in an escape', '{"w\\"', 0, /without end/],
    ['an unknown escape', '{"\\q":{}}', 0, /ill-formed text/],
    ['a line break in a text', '{"a\nb":{}}', 0, /ill-formed text/],
    ['half a character', '{"\\ud800":{}}', 0, /ill-formed text/],
    ['deep nesting', `{"w":${DEEP}`, 0, /should have "\{"/],
    ['deep nesting in a shape', `{"w":{"shape":${DEEP}`, 0, /non-negative whole number/],
    ['a tensor twice', `{"w":${F32_PAIR},"w":${F32_PAIR}}`, 8, /names a key twice/],
    ['a tensor twice, once escaped', `{"w":${F32_PAIR},"\\u0077":${F32_PAIR}}`, 8, /names a key twice/],
    ['a field twice', '{"w":{"dtype":"F32","dtype":"F64"}}', 0, /names a key twice/],
    ['metadata twice', '{"__metadata__":{},"__metadata__":{}}', 0, /names a key twice/],
    ['metadata that is no text', '{"__metadata__":{"a":1}}', 0, /a text in double quotes/],
    ['metadata that is no object', '{"__metadata__":"a"}', 0, /should have "\{"/],
    ['a tensor that is no object', '{"w":[]}', 0, /should have "\{"/],
    [
      'a prototype for a tensor',
      '{"__proto__":{"__proto__":{}}}',
      0,
      /tensor "__proto__": has an unknown field/,
    ],
    ['a missing field', '{"w":{"dtype":"F32","shape":[2]}}', 8, /tensor "w": lacks/],
    ['an unknown field', oneTensor({ stride: [1] }), 8, /unknown field "stride"/],
    ['an unknown dtype', oneTensor({ dtype: 'F31' }), 8, /unknown dtype "F31"; convert it to one of F64/],
    ['an inherited name as dtype', oneTensor({ dtype: 'toString' }), 8, /unknown dtype "toString"/],
    ['a negative axis', oneTensor({ shape: [-2] }), 8, /non-negative whole number/],
    ['a fractional axis', oneTensor({ shape: [2.5] }), 8, /non-negative whole number/],
    ['an axis with exponent', '{"w":{"shape":[2e0]}}', 8, /non-negative whole number/],
    ['an axis with leading zero', '{"w":{"shape":[02]}}', 8, /non-negative whole number/],
    ['an axis that is text', oneTensor({ shape: ['2'] }), 8, /non-negative whole number/],
    ['an axis above 2^53', '{"w":{"shape":[9007199254740993]}}', 8, /absurdly large/],
    ['an axis of a thousand digits', `{"w":{"shape":[${'9'.repeat(1000)}]}}`, 8, /absurdly large/],
    [
      'a product that overflows',
      oneTensor({ shape: [2 ** 40, 2 ** 40] }),
      8,
      /absurd shape \[1099511627776, /,
    ],
    [
      'an overflow times 0',
      oneTensor({ shape: [2 ** 40, 2 ** 40, 0], data_offsets: [0, 0] }),
      0,
      /absurd shape/,
    ],
    ['a product that wraps to the size', oneTensor({ shape: [2 ** 32, 2 ** 32, 2] }), 8, /absurd shape/],
    ['a million axes', oneTensor({ shape: Array(1_000_000).fill(1) }), 8, /more than 64 numbers/],
    ['too many bytes for the shape', oneTensor({ shape: [1] }), 8, /has 8 bytes but F32 \[1\] needs 4/],
    ['too few bytes for the shape', oneTensor({ shape: [3] }), 8, /has 8 bytes but F32 \[3\] needs 12/],
    ['offsets in reverse', oneTensor({ data_offsets: [8, 0] }), 8, /not \[begin, end\]/],
    ['one offset', oneTensor({ data_offsets: [8] }), 8, /not \[begin, end\]/],
    ['three offsets', oneTensor({ data_offsets: [0, 8, 8] }), 8, /more than 2 numbers/],
    [
      'an end outside the file',
      oneTensor({ data_offsets: [4, 12] }),
      8,
      /ends at byte 12 of 8 bytes of data/,
    ],
    [
      'a hole before the first tensor',
      oneTensor({ data_offsets: [4, 12] }),
      12,
      /follows 4 bytes of no tensor/,
    ],
    ['bytes after the last tensor', oneTensor(), 9, /1 bytes after its last tensor/],
    ['bytes and no tensor', '{}', 1, /1 bytes after its last tensor/],
    [
      'two tensors in one place',
      `{"v":${F32_PAIR},"w":${F32_PAIR}}`,
      8,
      /tensor "w": overlaps another tensor by 8 bytes/,
    ],
    [
      'an empty tensor inside another',
      `{"w":${F32_PAIR},"e":{"dtype":"F32","shape":[0],"data_offsets":[4,4]}}`,
      8,
      /tensor "e": overlaps/,
    ],
  ];
  it.each(cases)('%s gives one clear error', async (_, header, dataBytes, message) => {
    crafted(path, header, dataBytes);
    const text = await refusal(() => openSafetensors(path));
    expect(text).toContain(path);
    expect(text).toMatch(message);
  });

  it('a name with line breaks and terminal escapes is spelled out and shortened', async () => {
    crafted(path, oneTensor({ shape: [1] }, `a\nb\u001b[31m\u2028${'x'.repeat(1000)}`), 8);
    expect(await refusal(() => openSafetensors(path))).toContain('tensor "a\\u{a}b\\u{1b}[31m\\u{2028}xxx');
  });
});

describe('a header that is unusual but sound', () => {
  it('may hold no tensor at all', async () => {
    expect((await openSafetensors(crafted(path, '{}'))).tensors.size).toBe(0);
  });

  it('may have white space around everything and tensors in any order, empty ones between', async () => {
    const header = ` {\t"b" : {"data_offsets":[4,8],"shape":[1],"dtype":"F32"},
      "e":{"dtype":"I64","shape":[3,0],"data_offsets":[4,4]},\r
      "a":{"dtype":"F32","shape":[],"data_offsets":[0,4]} } \n `;
    const file = await openSafetensors(crafted(path, header, 8));
    expect([...file.tensors.keys()]).toEqual(['b', 'e', 'a']);
    expect(await readTensor(file, 'e')).toEqual(new BigInt64Array(0));
  });

  it('may use names that objects inherit, which stay plain entries', async () => {
    const header = `{"__metadata__":{"__proto__":"p","constructor":"c"},"__proto__":${F32_PAIR}}`;
    const file = await openSafetensors(crafted(path, header, 8));
    expect(Object.entries(file.metadata)).toEqual([
      ['__proto__', 'p'],
      ['constructor', 'c'],
    ]);
    expect(file.metadata.toString).toBeUndefined();
    expect(file.tensors.get('__proto__')?.byteLength).toBe(8);
  });
});

describe('a file that is not whole, or no file', () => {
  it.each([0, 1, 7])('%i bytes are too few', async (bytes) => {
    writeFileSync(path, Buffer.alloc(bytes));
    expect(await refusal(() => openSafetensors(path))).toMatch(/too few/);
  });

  it.each([2n ** 64n - 1n, 2n ** 63n, 100_000_001n])(
    'a stated header of %s bytes is absurd',
    async (length) => {
      crafted(path, '{}', 0, length);
      expect(await refusal(() => openSafetensors(path))).toMatch(/at most 100000000 are allowed/);
    },
  );

  it('a stated header beyond the file is refused', async () => {
    crafted(path, '{}', 0, 3n);
    expect(await refusal(() => openSafetensors(path))).toMatch(/header of 3 bytes but has 10 in all/);
  });

  it('every truncation of a sound file is refused', async () => {
    crafted(path, oneTensor(), 8);
    for (let bytes = oneTensor().length + 15; bytes >= 0; bytes--) {
      truncateSync(path, bytes);
      await refusal(() => openSafetensors(path));
    }
  });

  it('a missing file, a folder and a pipe are refused at once', async () => {
    expect(await refusal(() => openSafetensors(join(folder, 'none')))).toMatch(
      /no such file; check the path/,
    );
    mkdirSync(join(folder, 'folder'));
    expect(await refusal(() => openSafetensors(join(folder, 'folder')))).toMatch(/is not a file/);
    if (process.platform !== 'win32') {
      execFileSync('mkfifo', [join(folder, 'pipe')]);
      expect(await refusal(() => openSafetensors(join(folder, 'pipe')))).toMatch(/is not a file/);
    }
  });
});

describe('reading after opening', () => {
  async function opened(): Promise<SafetensorsFile> {
    return openSafetensors(crafted(path, oneTensor(), 8));
  }

  it('names some tensors that are there when one is not', async () => {
    const file = await opened();
    expect(await refusal(() => readTensor(file, 'v'))).toMatch(
      /tensor "v": is not in the file; it holds 1, such as "w"/,
    );
  });

  it('refuses a file that was cut', async () => {
    const file = await opened();
    truncateSync(path, file.byteLength - 1);
    expect(await refusal(() => readTensor(file, 'w'))).toMatch(/tensor "w": the file has changed/);
  });

  it('refuses a file that grew', async () => {
    const file = await opened();
    appendFileSync(path, 'x');
    expect(await refusal(() => readTensor(file, 'w'))).toMatch(/has changed/);
  });

  it('refuses a file that was written over with as many bytes', async () => {
    const file = await opened();
    utimesSync(path, 1, 1);
    expect(await refusal(() => readTensor(file, 'w'))).toMatch(/has changed/);
  });

  it('refuses a file that was replaced by another', async () => {
    const file = await opened();
    copyFileSync(path, join(folder, 'copy'));
    await writeSafetensors(path, []);
    expect(await refusal(() => readTensor(file, 'w'))).toMatch(/has changed/);
  });
});
