import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  openSafetensors,
  readTensor,
  readTensorAsFloat32,
  type SafetensorsDtype,
  type TensorToWrite,
  writeSafetensors,
} from '../../../src/formats/safetensors/index.ts';
import { ARRAY_TYPES } from '../../../src/formats/tensors/dtypes.ts';
import { InputError } from '../../../src/ground/errors.ts';
import { temporaryFolder } from './crafted.ts';

const folder = temporaryFolder();
const golden = process.env.SWARD_GOLDEN ?? join(process.env.SWARD_SHARED ?? '../shared', 'golden');
const DTYPES = Object.keys(ARRAY_TYPES) as SafetensorsDtype[];

function tensorOf(name: string, dtype: SafetensorsDtype, shape: readonly number[], bytes: Uint8Array) {
  const data = new ARRAY_TYPES[dtype](Uint8Array.from(bytes).buffer);
  return { name, dtype, shape, data } as TensorToWrite;
}

const anyTensor = fc
  .record({
    name: fc.string({ unit: 'binary', maxLength: 12 }).filter((name) => name !== '__metadata__'),
    dtype: fc.constantFrom(...DTYPES),
    shape: fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 3 }),
  })
  .chain(({ name, dtype, shape }) => {
    const length = shape.reduce((a, b) => a * b, ARRAY_TYPES[dtype].BYTES_PER_ELEMENT);
    return fc
      .uint8Array({ minLength: length, maxLength: length })
      .map((bytes) => tensorOf(name, dtype, shape, bytes));
  });
const anyTensors = fc.uniqueArray(anyTensor, { selector: ({ name }) => name, maxLength: 6 });
const anyMetadata = fc.dictionary(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), {
  maxKeys: 4,
});

function bytesIn(array: ArrayBufferView): Buffer {
  return Buffer.from(array.buffer, array.byteOffset, array.byteLength);
}

describe('writing and reading back', () => {
  it('gives every dtype, name, shape, byte and metadata text as written', async () => {
    const path = join(folder, 'any.safetensors');
    await fc.assert(
      fc.asyncProperty(anyTensors, anyMetadata, async (tensors, metadata) => {
        await writeSafetensors(path, tensors, metadata);
        const file = await openSafetensors(path);
        expect(file.byteLength).toBe(statSync(path).size);
        expect(Object.entries(file.metadata)).toEqual(Object.entries(metadata));
        expect([...file.tensors.keys()]).toEqual(tensors.map(({ name }) => name));
        for (const { name, dtype, shape, data } of tensors) {
          expect(file.tensors.get(name)).toMatchObject({ name, dtype, shape, byteLength: data.byteLength });
          const read = await readTensor(file, name);
          expect(read.constructor).toBe(data.constructor);
          expect(bytesIn(read).equals(bytesIn(data))).toBe(true);
        }
      }),
      { numRuns: 150, seed: 7 },
    );
  });

  it('keeps the given order of names that look like numbers', async () => {
    const path = join(folder, 'order.safetensors');
    const names = ['b', '10', '2', 'a', '__proto__'];
    await writeSafetensors(
      path,
      names.map((name) => ({ name, dtype: 'F32', shape: [], data: Float32Array.of(1) })),
    );
    const file = await openSafetensors(path);
    expect([...file.tensors.keys()]).toEqual(names);
    const offsets = [...file.tensors.values()].map(({ byteOffset }) => byteOffset);
    expect(offsets).toEqual([...offsets].sort((a, b) => a - b));
  });

  it('writes the same bytes for the same input, with data at a multiple of 8', async () => {
    const tensors: TensorToWrite[] = [{ name: 'w', dtype: 'F64', shape: [2], data: Float64Array.of(1, -2) }];
    for (const name of ['one', 'two']) await writeSafetensors(join(folder, name), tensors, { made: 'here' });
    const [one, two] = ['one', 'two'].map((name) => readFileSync(join(folder, name)));
    expect(one).toEqual(two);
    const file = await openSafetensors(join(folder, 'one'));
    expect((file.tensors.get('w')?.byteOffset ?? 1) % 8).toBe(0);
  });

  it('writes a view into the middle of a buffer, and reads a tensor at an odd offset', async () => {
    const path = join(folder, 'view.safetensors');
    await writeSafetensors(path, [
      { name: 'byte', dtype: 'U8', shape: [1], data: Uint8Array.of(9) },
      { name: 'view', dtype: 'F32', shape: [2], data: Float32Array.of(1, 2, 3, 4).subarray(1, 3) },
    ]);
    const file = await openSafetensors(path);
    expect((file.tensors.get('view')?.byteOffset ?? 0) % 4).toBe(1);
    expect(await readTensor(file, 'view')).toEqual(Float32Array.of(2, 3));
  });

  it('converts every float dtype to binary32', async () => {
    const path = join(folder, 'floats.safetensors');
    await writeSafetensors(path, [
      { name: 'f64', dtype: 'F64', shape: [2], data: Float64Array.of(0.1, -2) },
      { name: 'f32', dtype: 'F32', shape: [2], data: Float32Array.of(0.1, -2) },
      { name: 'f16', dtype: 'F16', shape: [2], data: Uint16Array.of(0x3c00, 0xc000) },
      { name: 'bf16', dtype: 'BF16', shape: [2], data: Uint16Array.of(0x3f80, 0xc000) },
      { name: 'i64', dtype: 'I64', shape: [1], data: BigInt64Array.of(-5n) },
    ]);
    const file = await openSafetensors(path);
    expect(await readTensorAsFloat32(file, 'f64')).toEqual(Float32Array.of(0.1, -2));
    expect(await readTensorAsFloat32(file, 'f32')).toEqual(Float32Array.of(0.1, -2));
    expect(await readTensorAsFloat32(file, 'f16')).toEqual(Float32Array.of(1, -2));
    expect(await readTensorAsFloat32(file, 'bf16')).toEqual(Float32Array.of(1, -2));
    await expect(readTensorAsFloat32(file, 'i64')).rejects.toThrow(/tensor "i64": is I64, not a float/);
  });
});

describe('writing what does not fit together', () => {
  const one = Float32Array.of(1);
  const cases: [string, unknown[], Record<string, string>, RegExp][] = [
    [
      'a name twice',
      ['w', 'w'].map((name) => ({ name, dtype: 'F32', shape: [1], data: one })),
      {},
      /"w": is given twice/,
    ],
    ['too few elements', [{ name: 'w', dtype: 'F32', shape: [2, 3], data: one }], {}, /1 elements.*\[2, 3\]/],
    [
      'a negative axis',
      [{ name: 'w', dtype: 'F32', shape: [-1, -1], data: one }],
      {},
      /do not fit \[-1, -1\]/,
    ],
    [
      'an array of another type',
      [{ name: 'w', dtype: 'F16', shape: [1], data: one }],
      {},
      /Float32Array.*F16/,
    ],
    ['the reserved name', [{ name: '__metadata__', dtype: 'F32', shape: [1], data: one }], {}, /reserved/],
    [
      'half a character as name',
      [{ name: '\ud800', dtype: 'F32', shape: [1], data: one }],
      {},
      /not Unicode/,
    ],
    ['half a character as metadata', [], { k: '\udfff' }, /metadata "k" is not Unicode/],
  ];
  it.each(cases)('refuses %s and leaves the old file alone', async (_, tensors, metadata, message) => {
    const path = join(folder, 'kept.safetensors');
    await writeSafetensors(path, [{ name: 'old', dtype: 'F32', shape: [1], data: one }]);
    const before = readFileSync(path);
    const files = readdirSync(folder).length;
    const writing = writeSafetensors(path, tensors as TensorToWrite[], metadata);
    await expect(writing).rejects.toThrow(InputError);
    await expect(writing).rejects.toThrow(message);
    expect(readFileSync(path)).toEqual(before);
    expect(readdirSync(folder)).toHaveLength(files);
  });
});

describe('the golden files', () => {
  const files = existsSync(golden)
    ? readdirSync(golden, { recursive: true, encoding: 'utf8' }).filter((name) =>
        name.endsWith('.safetensors'),
      )
    : [];
  it.skipIf(files.length === 0)('all open, and every tensor reads', async () => {
    for (const name of files) {
      const file = await openSafetensors(join(golden, name));
      expect(file.tensors.size, name).toBeGreaterThan(0);
      for (const entry of file.tensors.values()) {
        const data = await readTensor(file, entry.name);
        expect(data.length, `${name} ${entry.name}`).toBe(entry.shape.reduce((a, b) => a * b, 1));
        if (data instanceof Float32Array) expect(data.every(Number.isFinite), entry.name).toBe(true);
      }
    }
  });
});
