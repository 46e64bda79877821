import type { BigIntStats } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { InputError } from './errors.ts';
import { writeAtomically } from './files.ts';
import { requireFile, unreadable } from './whole-file.ts';

/** One system call moves at most 2 GiB; less keeps the thread pool free for others. */
const CHUNK_BYTES = 2 ** 26;

/** A file open for reading, with its size and identity at that moment. */
export interface OpenFile {
  readonly handle: FileHandle;
  readonly byteLength: number;
  /** Changes when the file is replaced or written to; see {@link fileVersion}. */
  readonly version: string;
}

/**
 * Opens a regular file for the time of `use`, and closes it whatever happens.
 *
 * @throws InputError when there is no such file, it may not be read, or it is a folder, pipe or device (whose
 * opening could block for ever)
 */
export async function withOpenFile<T>(path: string, use: (file: OpenFile) => Promise<T>): Promise<T> {
  await requireFile(path);
  let handle: FileHandle;
  try {
    handle = await open(path, 'r');
  } catch (error) {
    throw await unreadable(path, error);
  }
  try {
    const stats = await handle.stat({ bigint: true });
    return await use({ handle, byteLength: Number(stats.size), version: fileVersion(stats) });
  } finally {
    await handle.close();
  }
}

/** Names a file's content without reading it: device, inode, size and time of change in nanoseconds. */
export function fileVersion(stats: BigIntStats): string {
  return [stats.dev, stats.ino, stats.size, stats.mtimeNs].join(':');
}

/**
 * Reads `byteLength` bytes from `position` into memory of their own. The caller has checked that they lie
 * inside the file.
 *
 * @throws InputError when the file ends early or the bytes do not fit into memory
 */
export async function readBytes(
  path: string,
  handle: FileHandle,
  position: number,
  byteLength: number,
): Promise<ArrayBuffer> {
  const bytes = allocated(path, byteLength);
  let filled = 0;
  while (filled < byteLength) {
    const length = Math.min(CHUNK_BYTES, byteLength - filled);
    const { bytesRead } = await readChunk(
      path,
      handle,
      bytes.subarray(filled, filled + length),
      position + filled,
    );
    if (bytesRead === 0) {
      const missing = byteLength - filled;
      throw new InputError(
        path,
        `ends ${missing} bytes early`,
        'it was cut while being read: write it again',
      );
    }
    filled += bytesRead;
  }
  return bytes.buffer;
}

/**
 * Writes the bytes of all `parts`, one after another and without copying them, under a temporary name that is
 * renamed at the end ({@link writeAtomically}). The parts must not be changed meanwhile.
 */
export async function writePartsAtomically(path: string, parts: Iterable<ArrayBufferView>): Promise<void> {
  await writeAtomically(path, async (temporary) => {
    const handle = await open(temporary, 'wx');
    try {
      for (const part of parts) await append(handle, part);
    } finally {
      await handle.close();
    }
  });
}

async function append(handle: FileHandle, part: ArrayBufferView): Promise<void> {
  const bytes = new Uint8Array(part.buffer, part.byteOffset, part.byteLength);
  let written = 0;
  while (written < bytes.byteLength) {
    const length = Math.min(CHUNK_BYTES, bytes.byteLength - written);
    written += (await handle.write(bytes, written, length)).bytesWritten;
  }
}

function allocated(path: string, byteLength: number): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(byteLength);
  } catch {
    throw new InputError(
      path,
      `${byteLength} bytes do not fit into memory`,
      'split the array or use a machine with more memory',
    );
  }
}

async function readChunk(path: string, handle: FileHandle, into: Uint8Array, position: number) {
  try {
    return await handle.read(into, 0, into.byteLength, position);
  } catch (error) {
    throw await unreadable(path, error);
  }
}
