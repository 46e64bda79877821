import { writeFileSync } from 'node:fs';
import { type FileHandle, open, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { openTorchCheckpoint, readTensor } from '../../../src/formats/torch-checkpoint/index.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { Call, Global, Mapping, type Picklable, Tuple } from './pickle-writer.ts';
import { floats, saveStateDict, type TensorToSave, torchBytes } from './torch-writer.ts';

const root = temporaryFolder('torch-forms');
let made = 0;
const fresh = (): string => join(root, `${made++}.pth`);

async function numbers(path: string, name: string): Promise<number[]> {
  return Array.from(await readTensor(await openTorchCheckpoint(path), name), Number);
}

describe('forms of torch.save', () => {
  const weight = floats([1, 2, 3, 4, 5, 6], [2, 3]);

  it.each([
    ['typed storages', { ...weight, form: 'typed' }],
    ['untyped storages with the type beside them, as PyTorch 2 has', { ...weight, form: 'untyped' }],
    ['parameters', { ...weight, isParameter: true }],
  ] as const)('are read alike: %s', async (_, tensor) => {
    for (const protocol of [2, 4] as const) {
      const path = saveStateDict(fresh(), { 'fc.weight': tensor }, (stateDict) => stateDict, { protocol });
      expect(await numbers(path, 'fc.weight')).toEqual([1, 2, 3, 4, 5, 6]);
    }
  });

  it('give bytes where an untyped storage is viewed without a type', async () => {
    const bytes: TensorToSave = { storage: { bytes: Uint8Array.of(7, 8, 9) }, shape: [3], form: 'bytes' };
    const file = await openTorchCheckpoint(saveStateDict(fresh(), { bytes }));
    expect(file.tensors.get('bytes')).toMatchObject({ dtype: 'U8', shape: [3] });
    expect([...(await readTensor(file, 'bytes'))]).toEqual([7, 8, 9]);
  });

  it('may have any folder, a byte order, a comment and sizes of 64 bits', async () => {
    const options = { folder: 'fold 0', byteorder: 'little', comment: 'PK\x05\x06 not the end', zip64: true };
    const path = saveStateDict(fresh(), { weight }, (stateDict) => stateDict, options);
    expect(await numbers(path, 'weight')).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('are read where the file is larger than 4 GiB, only as far as is needed', async () => {
    // A sparse file: the directory and a tensor lie behind 5 GB of nothing.
    const path = fresh();
    const gap = 5 * 2 ** 30;
    const shifted = torchBytes((save) => new Mapping([['weight', save(weight)]]), { zip64: true });
    // Every offset in the directory and its end grows by the gap.
    for (let at = shifted.indexOf('PK\x01\x02', 0, 'latin1'); at >= 0; ) {
      const extra = at + 46 + shifted.readUInt16LE(at + 28);
      shifted.writeBigUInt64LE(shifted.readBigUInt64LE(extra + 20) + BigInt(gap), extra + 20);
      at = shifted.indexOf('PK\x01\x02', at + 4, 'latin1');
    }
    const end = shifted.indexOf('PK\x06\x06', 0, 'latin1');
    shifted.writeBigUInt64LE(shifted.readBigUInt64LE(end + 48) + BigInt(gap), end + 48);
    const locator = shifted.indexOf('PK\x06\x07', 0, 'latin1');
    shifted.writeBigUInt64LE(BigInt(end + gap), locator + 8);
    writeFileSync(path, 'PK\x03\x04', 'latin1');
    await truncate(path, gap);
    const handle = await open(path, 'r+');
    await handle.write(shifted, 0, shifted.length, gap);
    const reads = vi.spyOn(Object.getPrototypeOf(handle) as FileHandle, 'read');
    await handle.close();
    expect(await numbers(path, 'weight')).toEqual([1, 2, 3, 4, 5, 6]);
    const calls = reads.mock.calls as unknown as [unknown, number, number, number][];
    expect(calls.reduce((sum, [, , length]) => sum + length, 0)).toBeLessThan(2 ** 18);
    reads.mockRestore();
  });

  it('read of a strided tensor only what lies near its elements', async () => {
    const rows = 20;
    const rowLength = 2 ** 18;
    const values = new Float32Array(rows * rowLength);
    for (let row = 0; row < rows; row++) values[row * rowLength + 5] = row;
    const storage = { bytes: new Uint8Array(values.buffer) };
    const column = { storage, shape: [rows], strides: [rowLength], offset: 5 };
    const path = saveStateDict(fresh(), { column });
    const handle = await open(path);
    const reads = vi.spyOn(Object.getPrototypeOf(handle) as FileHandle, 'read');
    await handle.close();
    expect(await numbers(path, 'column')).toEqual(Array.from({ length: rows }, (_, row) => row));
    const calls = reads.mock.calls as unknown as [unknown, number, number, number][];
    expect(calls.reduce((sum, [, , length]) => sum + length, 0)).toBeLessThan(2 ** 18);
    reads.mockRestore();
  });
});

describe('where the state dict is', () => {
  const one = floats([1], [1]);
  const inside = (...keys: readonly string[]) => {
    return (stateDict: Picklable) =>
      keys.reduceRight<Picklable>((inner, key) => Mapping.of({ epoch: 3, [key]: inner }), stateDict);
  };

  it.each([
    ['state_dict'],
    ['model'],
    ['model_state_dict'],
    ['ema_state_dict'],
    ['module'],
    ['teacher'],
    ['model', 'state_dict'],
  ])('it is found: under %s %s', async (...keys) => {
    const file = await openTorchCheckpoint(saveStateDict(fresh(), { 'fc.weight': one }, inside(...keys)));
    expect(file.within).toEqual(keys);
    expect([...file.tensors.keys()]).toEqual(['fc.weight']);
  });

  it('averaged weights are preferred to others, and the teacher to the student', async () => {
    const path = fresh();
    for (const [preferred, other] of [
      ['ema_state_dict', 'state_dict'],
      ['teacher', 'student'],
    ] as const) {
      const bytes = torchBytes((save) =>
        Mapping.of({
          [other]: Mapping.of({ w: save(floats([1], [1])) }),
          [preferred]: Mapping.of({ w: save(floats([2], [1])) }),
        }),
      );
      writeFileSync(path, bytes);
      expect(await numbers(path, 'w')).toEqual([2]);
    }
  });

  it('parts of a network that lie side by side are taken together', async () => {
    const { storage, shape } = one;
    const bytes = torchBytes((save) => {
      const own = (name: string) => Mapping.of({ [name]: save({ storage, shape }) });
      return Mapping.of({
        epoch: 3,
        backbone: own('a'),
        head: own('b'),
        optimizer: Mapping.of({ state: own('exp_avg') }),
        hyper_parameters: Mapping.of({ mean: save(one) }),
      });
    });
    const path = fresh();
    writeFileSync(path, bytes);
    const file = await openTorchCheckpoint(path);
    expect([...file.tensors.keys()]).toEqual(['backbone.a', 'head.b']);
    expect(file.within).toEqual([]);
  });

  it('a head beside the model is taken with it', async () => {
    const path = fresh();
    writeFileSync(
      path,
      torchBytes((save) =>
        Mapping.of({ model: Mapping.of({ a: save(one) }), head: Mapping.of({ b: save(one) }) }),
      ),
    );
    expect([...(await openTorchCheckpoint(path)).tensors.keys()]).toEqual(['model.a', 'head.b']);
  });

  it('values that are no tensors are passed over', async () => {
    const path = saveStateDict(fresh(), { w: one }, (stateDict) =>
      Mapping.of({
        state_dict: stateDict,
        history: [1, 2.5, -70_000, 2n ** 40n, 2n ** 70n, true, null, new Tuple(1, 'a', 2.5, null)],
        args: new Call(new Global('argparse', 'Namespace'), new Tuple(), Mapping.of({ lr: 1e-3 })),
        scalar: new Call(new Global('numpy.core.multiarray', 'scalar'), new Tuple(Uint8Array.of(1, 2))),
        size: new Call(new Global('torch', 'Size'), new Tuple(new Tuple(2, 3))),
        device: new Call(new Global('torch', 'device'), new Tuple('cuda', 0)),
        dtype: new Global('torch', 'float16'),
      }),
    );
    expect(await numbers(path, 'w')).toEqual([1]);
  });
});
