import { appendFileSync, readdirSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { openSafetensors, readTensor, writeSafetensors } from '../../../src/formats/safetensors/index.ts';
import { InputError } from '../../../src/ground/errors.ts';
import { temporaryFolder } from './crafted.ts';

const folder = temporaryFolder();
const path = join(folder, 'model.safetensors');
const data = Float32Array.of(1, 2, 3, 4, 5);

afterEach(() => vi.restoreAllMocks());

type Read = (
  into: Uint8Array,
  offset: number,
  length: number,
  position: number,
) => Promise<{ bytesRead: number }>;
type Write = (from: Uint8Array, offset: number, length: number) => Promise<{ bytesWritten: number }>;

/** What all file handles share, to stand in for a slow or failing disk. */
async function handles(): Promise<{ read: Read; write: Write }> {
  const probe: FileHandle = await open(import.meta.filename);
  await probe.close();
  return Object.getPrototypeOf(probe);
}

async function written(): Promise<void> {
  await writeSafetensors(path, [{ name: 'w', dtype: 'F32', shape: [5], data }]);
}

describe('a disk that moves a few bytes at a time', () => {
  it('is asked again until all is read', async () => {
    await written();
    const shared = await handles();
    const read = shared.read;
    vi.spyOn(shared, 'read').mockImplementation(function (this: FileHandle, into, offset, length, position) {
      return read.call(this as never, into, offset, Math.min(3, length), position);
    });
    expect(await readTensor(await openSafetensors(path), 'w')).toEqual(data);
  });

  it('is asked again until all is written', async () => {
    const shared = await handles();
    const write = shared.write;
    vi.spyOn(shared, 'write').mockImplementation(function (this: FileHandle, from, offset, length) {
      return write.call(this as never, from, offset, Math.min(3, length));
    });
    await written();
    expect(await readTensor(await openSafetensors(path), 'w')).toEqual(data);
  });
});

describe('a disk that fails', () => {
  it('that ends early while reading gives one clear error', async () => {
    await written();
    const file = await openSafetensors(path);
    vi.spyOn(await handles(), 'read').mockResolvedValue({ bytesRead: 0 });
    await expect(readTensor(file, 'w')).rejects.toThrow(/model\.safetensors: ends 20 bytes early; /);
  });

  it('that cannot be read gives one clear error', async () => {
    await written();
    const file = await openSafetensors(path);
    vi.spyOn(await handles(), 'read').mockRejectedValue(Object.assign(new Error('i/o'), { code: 'EIO' }));
    const reading = readTensor(file, 'w');
    await expect(reading).rejects.toThrow(InputError);
    await expect(reading).rejects.toThrow(/cannot be read \(EIO\); check its permissions/);
  });

  it('that is full keeps the old file and leaves nothing else behind', async () => {
    await written();
    const before = readdirSync(folder);
    const full = vi.spyOn(await handles(), 'write').mockRejectedValue(new Error('ENOSPC: no space left'));
    await expect(writeSafetensors(path, [])).rejects.toThrow(/no space left/);
    full.mockRestore();
    expect(readdirSync(folder)).toEqual(before);
    expect(await readTensor(await openSafetensors(path), 'w')).toEqual(data);
  });
});

describe('a file written to while it is read', () => {
  it('is refused, since the bytes may be a mixture', async () => {
    await written();
    const file = await openSafetensors(path);
    const shared = await handles();
    const read = shared.read;
    vi.spyOn(shared, 'read').mockImplementation(function (this: FileHandle, ...given) {
      appendFileSync(path, 'x');
      return read.apply(this as never, given);
    });
    await expect(readTensor(file, 'w')).rejects.toThrow(
      /tensor "w": the file has changed since it was opened/,
    );
  });
});
