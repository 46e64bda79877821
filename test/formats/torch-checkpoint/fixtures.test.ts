import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import {
  openTorchCheckpoint,
  readTensor,
  readTensorAsFloat32,
} from '../../../src/formats/torch-checkpoint/index.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const fixture = (name: string): string => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));

async function valuesIn(name: string): Promise<Record<string, (number | bigint)[]>> {
  const file = await openTorchCheckpoint(fixture(name));
  const values: Record<string, (number | bigint)[]> = {};
  for (const tensor of file.tensors.keys()) values[tensor] = [...(await readTensor(file, tensor))];
  return values;
}

const counting = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, i) => from + i);

describe('files PyTorch 1.13 wrote', () => {
  it('give views of shared storages row by row', async () => {
    const { tensors } = await openTorchCheckpoint(fixture('views.pth'));
    expect(Object.fromEntries([...tensors.values()].map(({ name, shape }) => [name, shape]))).toEqual({
      whole: [4, 6],
      transposed: [6, 4],
      slice: [2, 6],
      column: [4],
      stepped: [2, 3],
      expanded: [2, 3],
      scalar: [],
      empty: [0, 4],
      permuted: [4, 2, 3],
    });
    expect(await valuesIn('views.pth')).toEqual({
      whole: counting(0, 24),
      transposed: counting(0, 6).flatMap((column) => [column, column + 6, column + 12, column + 18]),
      slice: counting(6, 18),
      column: [2, 8, 14, 20],
      stepped: [1, 3, 5, 13, 15, 17],
      expanded: [7, 7, 7, 8, 8, 8],
      scalar: [3.5],
      empty: [],
      permuted: counting(0, 4).flatMap((last) => counting(0, 6).map((first) => 4 * first + last)),
    });
  });

  it('give every element type as stored, floats also as binary32', async () => {
    expect(await valuesIn('dtypes.pth')).toEqual({
      f64: [1.5, -2.25],
      f16: [0x3e00, 0xc080],
      bf16: [0x3fc0, 0xc010],
      i64: [1n, -(2n ** 53n)],
      i32: [1, -2],
      i16: [1, -2],
      i8: [1, -2],
      u8: [1, 255],
      bool: [1, 0],
    });
    const file = await openTorchCheckpoint(fixture('dtypes.pth'));
    for (const name of ['f64', 'f16', 'bf16']) {
      expect([...(await readTensorAsFloat32(file, name))]).toEqual([1.5, -2.25]);
    }
    await expect(readTensorAsFloat32(file, 'i64')).rejects.toThrow(/tensor "i64": is I64, not a float/);
  });

  it('give the state dict inside a training checkpoint, whatever lies beside it', async () => {
    const file = await openTorchCheckpoint(fixture('training.pth'));
    expect(file.within).toEqual(['model_state_dict']);
    expect([...file.tensors.keys()]).toEqual([
      'module.fc.weight',
      'module.fc.bias',
      'module.bn.weight',
      'module.bn.bias',
      'module.bn.running_mean',
      'module.bn.running_var',
      'module.bn.num_batches_tracked',
    ]);
    expect([...(await readTensor(file, 'module.fc.weight'))]).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('are read in pickle protocol 4, and with parameters in place of tensors', async () => {
    expect((await valuesIn('protocol4.pth'))['fc.bias']).toEqual([0.5, -0.5]);
    expect(await valuesIn('parameter.pth')).toEqual({ a: [1, 2] });
  });

  it('are read beside tensors of kinds that are not, which are named when asked for', async () => {
    const file = await openTorchCheckpoint(fixture('sparse.pth'));
    expect([...(await readTensor(file, 'a'))]).toEqual([1, 2]);
    await expect(readTensor(file, 'sparse')).rejects.toThrow(
      /tensor "sparse": is an object of torch\._utils\._rebuild_sparse_tensor, which is not read; store it as/,
    );
  });

  it('are read without running what they name', async () => {
    expect(await valuesIn('trap.pth')).toEqual({ 'fc.weight': [1, 1, 1, 1] });
    expect(existsSync('executed-by-sward')).toBe(false);
  });

  it('may be in the form before 1.6', async () => {
    expect(await valuesIn('before-1.6.pth')).toMatchObject({
      'fc.weight': [1, 2, 3, 4, 5, 6],
      'fc.bias': [0.5, -0.5],
      'bn.num_batches_tracked': [1n],
    });
  });

  it('are refused in that form where they are cut or go on', async () => {
    const whole = readFileSync(fixture('before-1.6.pth'));
    const path = join(temporaryFolder('old-form'), 'old.pth');
    for (const bytes of [whole.subarray(0, -1), Buffer.concat([whole, Buffer.of(0)])]) {
      writeFileSync(path, bytes);
      await expect(openTorchCheckpoint(path)).rejects.toThrow(
        /not lie inside the file|1 bytes after its last/,
      );
    }
  });

  it.each([
    ['scripted.pt', /is a TorchScript archive, which holds a program; save its state dict/],
    ['module.pth', /holds an object of torch\.nn\.modules\.linear\.Linear, not a state dict; save its state/],
  ])('are refused with the remedy where there is no state dict: %s', async (name, message) => {
    await expect(openTorchCheckpoint(fixture(name))).rejects.toThrow(message);
  });
});
