import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Unzip, type UnzipFile, UnzipInflate } from 'fflate';
import { InputError } from '../../ground/errors.ts';
import { storageFailure } from '../storage/disk.ts';

/** A run has a few files a fold; an archive of more is none. */
const MOST_FILES = 5000;

/** Names of an archive are paths of ASCII letters, none that leads out of it, is hidden or means something elsewhere. */
const SAFE_NAME = /^(?:[\w][\w.+@ -]*\/)*[\w][\w.+@ -]*$/;
const LONGEST_NAME = 240;

/** What archivers of systems leave in archives. */
const LITTER = /(^|\/)(__MACOSX\/|\.DS_Store$)/;

/**
 * Unpacks a zip into a folder that is made for it. Sizes are counted as bytes come out, whatever the archive says of
 * them, and nothing is written outside the folder.
 *
 * @param mostBytes of all files together
 * @returns paths of the files in the folder
 * @throws InputError for what is no zip, names that lead elsewhere, too many files or bytes
 */
export async function unpackArchive(archive: string, into: string, mostBytes: number): Promise<string[]> {
  const refuse = (what: string, remedy: string): InputError => new InputError('the archive', what, remedy);
  const names: string[] = [];
  const seen = new Set<string>();
  const folders = new Set<string>();
  /** Writes in order, since chunks come faster than files can be made. */
  const writes: (() => Promise<void>)[] = [];
  let bytes = 0;
  let failure: Error | null = null;
  const onFile = (file: UnzipFile): void => {
    const { name } = file;
    if (failure || LITTER.test(name) || name.endsWith('/')) return;
    const key = name.toLowerCase();
    if (!SAFE_NAME.test(name) || name.length > LONGEST_NAME) {
      failure = refuse(
        `holds a file of the name ${JSON.stringify(name.slice(0, 60))}`,
        'zip the run folder itself',
      );
      return;
    }
    const parts = key.split('/');
    const within = parts.slice(1).map((_, at) => parts.slice(0, at + 1).join('/'));
    if (seen.has(key)) failure = refuse(`holds ${name} twice`, 'zip the run folder again');
    if (folders.has(key) || within.some((folder) => seen.has(folder)))
      failure = refuse(`holds ${name} as a file and as a folder`, 'zip the run folder again');
    if (seen.size >= MOST_FILES)
      failure = refuse(`holds more than ${MOST_FILES} files`, 'zip one run folder alone');
    if (failure) return;
    seen.add(key);
    for (const folder of within) folders.add(folder);
    names.push(name);
    const path = join(into, name);
    let handle: FileHandle | null = null;
    writes.push(async () => {
      await mkdir(dirname(path), { recursive: true });
      handle = await open(path, 'wx');
    });
    file.ondata = (error, chunk, final) => {
      if (error) failure ??= refuse(`is damaged (${error.message})`, 'zip the run folder again');
      if (failure) return;
      bytes += chunk.length;
      if (bytes > mostBytes) {
        failure = refuse(`unpacks to more than ${Math.round(mostBytes / 2 ** 20)} MiB`, 'add a smaller run');
        return;
      }
      writes.push(async () => {
        await handle?.writeFile(chunk);
        if (final) await handle?.close();
      });
    };
    file.start();
  };
  const unzip = new Unzip(onFile);
  unzip.register(UnzipInflate);
  const drain = async (): Promise<void> => {
    for (const write of writes.splice(0))
      await write().catch((error: unknown) => {
        throw storageFailure(error);
      });
    if (failure) throw failure;
  };
  // Small pieces: a bomb of one piece may become a thousand times as large before it is counted.
  for await (const piece of createReadStream(archive, { highWaterMark: 16 * 1024 })) {
    try {
      unzip.push(piece as Uint8Array);
    } catch (error) {
      failure ??= refuse(
        `is no zip that can be read (${(error as Error).message})`,
        'zip the run folder again',
      );
    }
    await drain();
  }
  try {
    unzip.push(new Uint8Array(0), true);
  } catch {
    failure ??= refuse('ends too early', 'send it again');
  }
  await drain();
  if (names.length === 0) throw refuse('is no zip, or an empty one', 'zip the run folder');
  return names;
}
