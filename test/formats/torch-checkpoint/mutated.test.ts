import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openTorchCheckpoint, readTensor } from '../../../src/formats/torch-checkpoint/index.ts';
import { type RandomStream, randomStream } from '../../../src/ground/random.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { watchReads } from '../../tensor/watched-reads.ts';
import { Mapping } from './pickle-writer.ts';
import { floats, type TorchFileOptions, torchBytes } from './torch-writer.ts';

const CASES = 1000;
const folder = temporaryFolder('torch-mutated');

/** A training checkpoint of a few tensors, one of them strided, in one of the forms. */
function soundFile(options: TorchFileOptions): Buffer {
  return torchBytes((save) => {
    const whole = floats([1, 2, 3, 4, 5, 6], [2, 3]);
    const members = [
      ['module.fc.weight', save(whole)],
      ['module.fc.turned', save({ ...whole, shape: [3, 2], strides: [1, 3] })],
      ['module.mask', save({ storage: { bytes: Uint8Array.of(1, 0, 1) }, shape: [3], dtype: 'BOOL' })],
      [
        'module.half',
        save({ storage: { bytes: Uint8Array.of(0, 60, 0, 64) }, shape: [2], dtype: 'F16', form: 'untyped' }),
      ],
    ] as const;
    return Mapping.of({ epoch: 7, state_dict: new Mapping(members, true) });
  }, options);
}

/** Values that lengths and offsets like to be wrong by. */
const LIES = [0, 1, 2, 3, 4, 63, 64, 255, 1000, 65_535, 2 ** 31 - 1, 2 ** 32 - 1];

/** Where the pickle, the directory and its end lie: most of a ZIP file is padding, which nobody reads. */
function matters(bytes: Buffer): readonly (readonly [start: number, end: number])[] {
  if (!bytes.subarray(0, 2).equals(Buffer.from('PK'))) return [[0, bytes.length]];
  const pickle = bytes.indexOf('\x80', 64, 'latin1');
  const directory = bytes.indexOf('PK\x01\x02', 0, 'latin1');
  return [
    [0, 64],
    [pickle, bytes.indexOf('PK\x03\x04', pickle, 'latin1')],
    [directory, bytes.length],
  ];
}

/** One change somewhere: a bit, a byte, a number of 4 bytes, a stretch gone, doubled or moved. */
function mutated(random: RandomStream, bytes: Buffer): Buffer {
  const regions = matters(bytes).filter(([start, end]) => start >= 0 && end > start);
  const [from, to] = regions[random.integer(regions.length)] ?? [0, bytes.length];
  const at = from + random.integer(to - from);
  const span = bytes.subarray(at, at + 1 + random.integer(12));
  const [before, after] = [bytes.subarray(0, at), bytes.subarray(at + span.length)];
  const copy = Buffer.from(bytes);
  switch (random.integer(6)) {
    case 0:
      copy[at] = (copy[at] as number) ^ (1 << random.integer(8));
      return copy;
    case 1:
      copy[at] = random.integer(256);
      return copy;
    case 2:
      if (at + 4 <= copy.length) copy.writeUInt32LE(LIES[random.integer(LIES.length)] as number, at);
      return copy;
    case 3:
      return Buffer.concat([before, after]);
    case 4:
      return Buffer.concat([before, span, span, after]);
    default:
      return copy.subarray(0, random.integer(20) === 0 ? at : copy.length);
  }
}

describe(`${CASES} mutated checkpoints`, () => {
  it('each open with tensors inside the file or give one clear error, and nothing outside is read', async () => {
    const random = randomStream(20260202);
    const files = ([2, 4] as const).flatMap((protocol) =>
      [false, true].map((zip64) => soundFile({ protocol, zip64, byteorder: 'little' })),
    );
    files.push(readFileSync(new URL('fixtures/before-1.6.pth', import.meta.url)));
    const path = join(folder, 'mutated.pth');
    writeFileSync(path, files[0] as Buffer);
    const reads = await watchReads(path);
    let refused = 0;
    for (let index = 0; index < CASES; index++) {
      const own = random.fork(index);
      let bytes = files[index % files.length] as Buffer;
      for (let change = own.integer(3); change >= 0; change--) bytes = mutated(own, bytes);
      writeFileSync(path, bytes);
      const isRefused = await reads.isRefused(`case ${index}`, bytes.length, async () => {
        const file = await openTorchCheckpoint(path);
        for (const { name, byteLength } of file.tensors.values()) {
          expect((await readTensor(file, name)).byteLength).toBe(byteLength);
        }
      });
      if (isRefused) refused++;
    }
    expect(reads.count).toBeGreaterThan(CASES);
    // Some changes are harmless (a renamed tensor, a date); most are not. Both kinds must have come up.
    expect(refused).toBeGreaterThan(CASES / 3);
    expect(refused).toBeLessThan(CASES);
  });
});
