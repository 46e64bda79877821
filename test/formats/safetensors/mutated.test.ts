import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { openSafetensors, readTensor, writeSafetensors } from '../../../src/formats/safetensors/index.ts';
import { type RandomStream, randomStream } from '../../../src/ground/random.ts';
import { watchReads } from '../../tensor/watched-reads.ts';
import { temporaryFolder } from './crafted.ts';

const CASES = 1000;
const folder = temporaryFolder();

afterEach(() => vi.restoreAllMocks());

/** Pieces that a header is made of, and some that it should not be made of. */
const FRAGMENTS = [
  ...['{', '}', '[', ']', ',', ':', '"', '\\', ' ', '0', '9', '-', '.', 'e9', 'null', 'true', '\u0000', 'é'],
  ...['"F32"', '"F16"', '"I64"', '"BOOL"', '"F4"', '[0,0]', '[0,4]', '[4,0]', '[1,2,3]', '[[', '{{', '""'],
  ...['18446744073709551616', '9007199254740991', '4294967296', '-1', '1e308', '__proto__', '__metadata__'],
  ...['"shape":[0],', '"dtype":"U8",', '"data_offsets":[0,1],', '\\ud800', '\\u0000', '\ufeff'],
];

function picked<T>(random: RandomStream, items: readonly T[]): T {
  return items[random.integer(items.length)] as T;
}

/** One change of the header's text. */
function mutatedText(random: RandomStream, text: Buffer): Buffer {
  const at = random.integer(text.length + 1);
  const until = Math.min(text.length, at + random.integer(12));
  const [before, span, after] = [text.subarray(0, at), text.subarray(at, until), text.subarray(until)];
  switch (random.integer(7)) {
    case 0:
      return Buffer.concat([before, after]);
    case 1:
      return Buffer.concat([before, span, span, after]);
    case 2:
      return Buffer.concat([before, Buffer.from(picked(random, FRAGMENTS)), after]);
    case 3:
      return Buffer.concat([before, Buffer.from([random.integer(256)]), span, after]);
    case 4: {
      // Another number in place of one of the header's: lies about shapes and offsets.
      const numbers = [...text.toString('latin1').matchAll(/\d+/g)];
      if (numbers.length === 0) return text;
      const number = picked(random, numbers);
      const end = number.index + number[0].length;
      const value = picked(random, [
        '0',
        '1',
        '2',
        '4',
        '8',
        '16',
        '24',
        '999',
        '4294967296',
        '9007199254740991',
      ]);
      return Buffer.concat([text.subarray(0, number.index), Buffer.from(value), text.subarray(end)]);
    }
    case 5: {
      const flipped = Buffer.from(text);
      if (at < text.length) flipped[at] = (flipped[at] as number) ^ (1 << random.integer(8));
      return flipped;
    }
    default:
      return Buffer.concat([
        before,
        Buffer.from(picked(random, ['[', '{', '"a":{'])).subarray(0),
        after,
        span,
      ]);
  }
}

/** A file with 1 to 3 changes of its header; the stated length mostly follows, sometimes lies. */
function mutatedFile(random: RandomStream, sound: Buffer): Buffer {
  const length = Number(sound.readBigUInt64LE(0));
  let text: Buffer = sound.subarray(8, 8 + length);
  for (let change = random.integer(3); change >= 0; change--) text = mutatedText(random, text);
  const start = Buffer.alloc(8);
  start.writeBigUInt64LE(BigInt(text.length));
  const lie = random.uniform();
  if (lie < 0.1) start[random.integer(8)] = random.integer(256);
  else if (lie < 0.2) start.writeBigUInt64LE(BigInt(Math.max(0, text.length + random.integer(17) - 8)));
  const file = Buffer.concat([start, text, sound.subarray(8 + length)]);
  return random.uniform() < 0.1 ? file.subarray(0, random.integer(file.length + 1)) : file;
}

async function soundFile(): Promise<Buffer> {
  const path = join(folder, 'sound.safetensors');
  await writeSafetensors(
    path,
    [
      { name: 'blocks.0.attn.weight', dtype: 'F32', shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) },
      { name: 'empty', dtype: 'F16', shape: [0, 4], data: new Uint16Array(0) },
      { name: 'ids', dtype: 'I64', shape: [2], data: BigInt64Array.of(1n, -1n) },
      { name: 'mask', dtype: 'BOOL', shape: [3], data: Uint8Array.of(1, 0, 1) },
    ],
    { format: 'pt' },
  );
  return readFileSync(path);
}

describe(`${CASES} mutated headers`, () => {
  it('each opens with tensors inside the file or gives one clear error, and nothing outside is read', async () => {
    const sound = await soundFile();
    const random = randomStream(20260101);
    const path = join(folder, 'mutated.safetensors');
    const reads = await watchReads(join(folder, 'sound.safetensors'));
    let refused = 0;
    for (let index = 0; index < CASES; index++) {
      const bytes = mutatedFile(random.fork(index), sound);
      writeFileSync(path, bytes);
      const isRefused = await reads.isRefused(`case ${index}`, bytes.length, async () => {
        const file = await openSafetensors(path);
        for (const { name, byteOffset, byteLength } of file.tensors.values()) {
          const data = await readTensor(file, name);
          const stored = bytes.subarray(byteOffset, byteOffset + byteLength);
          expect(Buffer.from(data.buffer).equals(stored)).toBe(true);
        }
      });
      if (isRefused) refused++;
    }
    expect(reads.count).toBeGreaterThan(CASES);
    // Some changes are harmless (a renamed tensor); most are not. Both kinds must have come up.
    expect(refused).toBeGreaterThan(CASES / 2);
    expect(refused).toBeLessThan(CASES);
  });
});
