import { randomBytes } from 'node:crypto';
import { copyFile, realpath, rename, rm, stat, symlink } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { makeFolder, writeAtomically, writeFileAtomically } from '../../../ground/files.ts';
import { readText } from '../../../ground/whole-file.ts';
import type { HubFile } from './errors.ts';

/** A file that lies in the hub's cache. */
export interface CachedFile {
  /** `…/snapshots/<commit>/<file>`. */
  readonly path: string;
  readonly commit: string;
  /** SHA-256 the cache files it under; undefined for small files, which git names otherwise. */
  readonly sha256: string | undefined;
}

const COMMIT = /^[0-9a-f]{40}$/;
const SHA256 = /^[0-9a-f]{64}$/;

export const isCommit = (revision: string): boolean => COMMIT.test(revision);
export const isSha256 = (text: string): boolean => SHA256.test(text);

/** `models--organisation--name` in the cache: the layout all of Hugging Face's tools share. */
function repositoryFolder(cacheFolder: string, repository: string): string {
  return join(cacheFolder, `models--${repository.replaceAll('/', '--')}`);
}

/** Where the content named by its etag (SHA-256 for large files) lies. */
export function blobPath(cacheFolder: string, repository: string, etag: string): string {
  return join(repositoryFolder(cacheFolder, repository), 'blobs', etag);
}

/**
 * The file, where it lies in the cache whole; nothing goes over the network. One that is known by its checksum is
 * also found where another tool pulled it as part of `main`.
 */
export async function findCached(
  cacheFolder: string,
  wanted: HubFile & { readonly sha256?: string | null },
): Promise<CachedFile | undefined> {
  const cached = await findAt(cacheFolder, wanted);
  if (cached !== undefined || !wanted.sha256) return cached;
  const current = await findAt(cacheFolder, { ...wanted, revision: 'main' });
  return current?.sha256 === wanted.sha256 ? current : undefined;
}

async function findAt(cacheFolder: string, wanted: HubFile): Promise<CachedFile | undefined> {
  const folder = repositoryFolder(cacheFolder, wanted.repository);
  const commit = await commitOf(folder, wanted.revision);
  if (commit === undefined) return undefined;
  const path = join(folder, 'snapshots', commit, wanted.file);
  try {
    if (!(await stat(path)).isFile()) return undefined;
    const etag = basename(await realpath(path));
    return { path, commit, sha256: isSha256(etag) ? etag : undefined };
  } catch {
    // A link whose blob was deleted counts as absent.
    return undefined;
  }
}

/**
 * Makes a blob appear as the file of a commit, and notes which commit a branch stands at. Where the system
 * allows no links the blob is copied.
 */
export async function linkIntoSnapshot(
  cacheFolder: string,
  wanted: HubFile,
  commit: string,
  etag: string,
): Promise<string> {
  const folder = repositoryFolder(cacheFolder, wanted.repository);
  const blob = join(folder, 'blobs', etag);
  const path = join(folder, 'snapshots', commit, wanted.file);
  await makeFolder(dirname(path));
  const temporary = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`;
  try {
    await symlink(relative(dirname(path), blob), temporary);
    await rename(temporary, path);
  } catch {
    await rm(temporary, { force: true });
    await writeAtomically(path, (aside) => copyFile(blob, aside));
  }
  if (!isCommit(wanted.revision)) await writeFileAtomically(join(folder, 'refs', wanted.revision), commit);
  return path;
}

async function commitOf(folder: string, revision: string): Promise<string | undefined> {
  if (isCommit(revision)) return revision;
  try {
    const commit = (await readText(join(folder, 'refs', revision))).trim();
    return isCommit(commit) ? commit : undefined;
  } catch {
    // Never pulled.
    return undefined;
  }
}
