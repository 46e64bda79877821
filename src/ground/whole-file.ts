import type { Dirent, Stats } from 'node:fs';
import { lstat, readdir, readFile, stat } from 'node:fs/promises';
import { z } from 'zod';
import { InputError, messageOf } from './errors.ts';

/** Files larger than this are refused before they are read whole: 512 MiB. */
const MOST_BYTES = 2 ** 29;

/** A path that cannot be read: nothing is there, it is not a file, or the disk refuses. */
export class UnreadableFile extends InputError {
  override name = 'UnreadableFile';
  /** Whether nothing is there, as opposed to something that cannot be read. */
  readonly isAbsent: boolean;

  constructor(path: string, what: string, remedy: string, isAbsent = false) {
    super(path, what, remedy);
    this.isAbsent = isAbsent;
  }
}

/**
 * A file of text or JSON, read whole.
 *
 * @throws UnreadableFile also for what may never end: a pipe, a socket or a device
 */
export async function readText(path: string): Promise<string> {
  return (await readWhole(path)).toString('utf8');
}

/** As {@link readText}; null where nothing is there. @throws UnreadableFile */
export async function readTextIfThere(path: string): Promise<string | null> {
  try {
    return await readText(path);
  } catch (error) {
    if (error instanceof UnreadableFile && error.isAbsent) return null;
    throw error;
  }
}

/** As {@link readText}, as bytes. @throws UnreadableFile */
export async function readWhole(path: string): Promise<Buffer> {
  const facts = await requireFile(path);
  if (facts.size > MOST_BYTES) {
    const [size, limit] = [Math.ceil(facts.size / 2 ** 20), MOST_BYTES / 2 ** 20];
    throw new UnreadableFile(path, `has ${size} MiB, the limit is ${limit}`, 'give a smaller file');
  }
  // Files of the system say that they are empty and may never end.
  if (facts.size === 0) return Buffer.alloc(0);
  try {
    return await readFile(path);
  } catch (error) {
    throw await unreadable(path, error);
  }
}

/** What lies in a folder. @throws UnreadableFile when it cannot be listed */
export async function entriesOf(folder: string): Promise<Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    throw await unreadable(folder, error);
  }
}

/**
 * Makes sure that a path is that of a file, before it is opened: opening a pipe waits for who writes it.
 *
 * @throws UnreadableFile
 */
export async function requireFile(path: string): Promise<Stats> {
  let facts: Stats;
  try {
    facts = await stat(path);
  } catch (error) {
    throw await unreadable(path, error);
  }
  const kind = otherKindOf(facts);
  if (kind === null) return facts;
  throw new UnreadableFile(path, `is not a file but a ${kind}`, 'give the path of a file');
}

/** What something is that is not a file; null of a file. */
export function otherKindOf(facts: Stats): 'folder' | 'named pipe' | 'socket' | 'device' | null {
  if (facts.isFile()) return null;
  if (facts.isDirectory()) return 'folder';
  if (facts.isFIFO()) return 'named pipe';
  return facts.isSocket() ? 'socket' : 'device';
}

/** What a disk may have against reading, and what helps. */
const FAULTS: Readonly<Record<string, readonly [what: string, remedy: string]>> = {
  ENOENT: ['there is no such file', 'check the path'],
  ENOTDIR: ['there is nothing, for a part of its path is a file', 'check the path'],
  ELOOP: ['is a link that leads in a circle', 'make the link anew, or name the file itself'],
  EACCES: ['you are not allowed to read it', 'have it opened to you'],
  EPERM: ['you are not allowed to read it', 'have it opened to you'],
  ENAMETOOLONG: ['its name is too long', 'check the path'],
  EMFILE: ['too many files are open', 'raise the limit (ulimit -n)'],
  ENFILE: ['too many files are open on this machine', 'close other programs'],
  ERR_INVALID_ARG_VALUE: ['no file can have this name', 'check the path'],
};

const ABSENT = ['ENOENT', 'ENOTDIR'];

/** What is to be thrown for a path that could not be read. */
export async function unreadable(path: string, error: unknown): Promise<UnreadableFile> {
  const code = error instanceof Error && 'code' in error ? String(error.code) : messageOf(error);
  if (code === 'ENOENT' && (await lstat(path).catch(() => null))?.isSymbolicLink()) {
    return new UnreadableFile(path, 'is a link to what is not there', 'copy the file itself');
  }
  if (code === 'ENOENT' && path.includes('\ufffd')) {
    return new UnreadableFile(path, 'its name is not UTF-8', 'rename it');
  }
  const [what, remedy] = FAULTS[code] ?? [
    `the file cannot be read (${code})`,
    'check its permissions and the disk',
  ];
  return new UnreadableFile(path, what, remedy, ABSENT.includes(code));
}

/** Why reading or parsing failed, for a message that names the file itself. */
export function reasonOf(error: unknown): string {
  if (error instanceof InputError) return error.what;
  const [issue] = error instanceof z.ZodError ? error.issues : [];
  if (issue) return `${issue.path.map(String).join('.') || 'the whole'}: ${issue.message}`;
  return messageOf(error).split('\n')[0] ?? '';
}
