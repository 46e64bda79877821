import { createReadStream, createWriteStream } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { InputError } from '../../ground/errors.ts';

/** Unit of a tar file (POSIX.1-1988 ustar). */
const BLOCK = 512;
/** Octal digits of a size are eleven: 8 GiB. */
const MOST_BYTES = 8 * 2 ** 30;
/** Bytes of a name in a header. A longer one goes before it, as GNU's tar writes it and all archivers read it. */
const NAME_BYTES = 100;
const LONG_NAME = '././@LongLink';
const [FILE, LONG] = ['\0', 'L'] as const;

/** A file to be put into an archive. */
export interface TarEntry {
  readonly name: string;
  readonly path: string;
}

/** Writes files into a tar file, which any archiver opens. @throws InputError for a file of 8 GiB or more */
export async function writeTar(path: string, entries: AsyncIterable<TarEntry>): Promise<void> {
  await pipeline(tarBytes(entries), createWriteStream(path, { flags: 'wx', mode: 0o600 }));
}

async function* tarBytes(entries: AsyncIterable<TarEntry>): AsyncGenerator<Uint8Array> {
  for await (const { name, path } of entries) {
    const { size } = await stat(path);
    if (size >= MOST_BYTES)
      throw new InputError(path, 'has 8 GiB or more, which this archive cannot hold', 'copy it apart');
    const long = Buffer.from(`${name}\0`);
    if (long.length > NAME_BYTES) {
      yield header(LONG_NAME, long.length, LONG);
      yield long;
      yield padding(long.length);
    }
    yield header(name, size, FILE);
    let written = 0;
    for await (const chunk of createReadStream(path, { end: Math.max(0, size - 1) })) {
      written += (chunk as Uint8Array).length;
      yield chunk as Uint8Array;
    }
    if (written !== size) throw new InputError(path, 'changed while it was read', 'start again');
    yield padding(size);
  }
  yield Buffer.alloc(2 * BLOCK);
}

/** What fills the last unit of so many bytes. */
const padding = (bytes: number): Uint8Array => Buffer.alloc((BLOCK - (bytes % BLOCK)) % BLOCK);

function header(name: string, size: number, kind: typeof FILE | typeof LONG): Uint8Array {
  const block = Buffer.alloc(BLOCK);
  const octal = (value: number, at: number, digits: number): void => {
    block.write(`${value.toString(8).padStart(digits, '0')}\0`, at, 'latin1');
  };
  block.write(name, 0, NAME_BYTES);
  octal(0o600, 100, 7);
  octal(0, 108, 7);
  octal(0, 116, 7);
  octal(size, 124, 11);
  octal(Math.floor(Date.now() / 1000), 136, 11);
  block.write('        0', 148, 'latin1');
  block.write(kind, 156, 'latin1');
  block.write('ustar\x0000', 257, 'latin1');
  octal(
    block.reduce((sum, byte) => sum + byte, 0),
    148,
    6,
  );
  block.write(' ', 155, 'latin1');
  return block;
}

/** A file as it lies in an archive. */
export interface TarredFile {
  readonly name: string;
  readonly size: number;
  /** Its content, to be read before the next file is asked for. */
  content(): AsyncGenerator<Uint8Array>;
}

/** The files of a tar file, as {@link writeTar} writes it. @throws InputError for what is none, or is cut short */
export async function* readTar(path: string): AsyncGenerator<TarredFile> {
  const file = await open(path, 'r').catch((error: Error) => {
    throw new InputError(path, `cannot be read (${error.message})`, 'check the path');
  });
  try {
    let position = 0;
    let longName: string | null = null;
    for (;;) {
      const block = await exactly(file, path, position, BLOCK);
      if (block.every((byte) => byte === 0)) return;
      const short = block.toString('utf8', 0, NAME_BYTES).replace(/\0.*$/s, '');
      const kind = block.toString('latin1', 156, 157);
      const size = Number.parseInt(block.toString('latin1', 124, 135), 8);
      const sum = Number.parseInt(block.toString('latin1', 148, 154), 8);
      const own = block.fill(' ', 148, 156).reduce((total, byte) => total + byte, 0);
      if (sum !== own || !Number.isSafeInteger(size)) {
        throw new InputError(
          path,
          'is no backup, or is damaged',
          'give a file that sward serve backup wrote',
        );
      }
      const start = position + BLOCK;
      position = start + Math.ceil(size / BLOCK) * BLOCK;
      if (kind === LONG && size <= 2 * BLOCK) {
        longName = (await exactly(file, path, start, size)).toString('utf8').replace(/\0.*$/s, '');
        continue;
      }
      yield { name: longName ?? short, size, content: () => range(file, path, start, size) };
      longName = null;
    }
  } finally {
    await file.close();
  }
}

const CHUNK = 2 ** 20;

async function* range(
  file: FileHandle,
  path: string,
  start: number,
  size: number,
): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < size; at += CHUNK) yield exactly(file, path, start + at, Math.min(CHUNK, size - at));
}

async function exactly(file: FileHandle, path: string, position: number, bytes: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(bytes), 0, bytes, position);
  if (bytesRead === bytes) return buffer;
  throw new InputError(path, 'ends too early', 'take another backup; this one was cut short');
}
