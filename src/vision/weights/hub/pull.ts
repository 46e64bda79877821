import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { environment, type HubSettings } from '../../../ground/environment.ts';
import { withLock } from '../../../ground/file-lock.ts';
import { fileFingerprint } from '../../../ground/fingerprint.ts';
import { type Progress, SILENT } from '../../../ground/progress.ts';
import { blobPath, type CachedFile, findCached, isCommit, linkIntoSnapshot } from './cache.ts';
import { diskError, HubError, type HubFile, shownFile } from './errors.ts';
import { type FileMetadata, fetchMetadata } from './metadata.ts';
import { bringMissingBytes, type Transfer } from './transfer.ts';

/** A file to pull, with what is known of it beforehand. */
export interface WantedFile extends HubFile {
  /** Checksum and size it must have; null or left out where unknown. */
  readonly sha256?: string | null;
  readonly bytes?: number | null;
}

export interface PullOptions {
  readonly settings?: HubSettings;
  readonly progress?: Progress;
}

const MEGABYTE = 1_000_000;

/** After how long without a sign one who pulls on another machine counts as gone. */
const STALE_MS = 30_000;

/** Git names small files by this. */
const GIT_OBJECT_ID = /^[0-9a-f]{40}$/;

/**
 * Brings a file of a hub repository into the cache all of Hugging Face's tools share, and makes sure of its
 * checksum. One that is there is only checked; one that was interrupted goes on where it stopped; callers and
 * processes that want the same file at once take turns. It appears whole or not at all.
 *
 * @throws HubError when it cannot be had, or is not what it should be
 */
export async function pullFile(wanted: WantedFile, options: PullOptions = {}): Promise<CachedFile> {
  const settings = options.settings ?? environment().hub;
  const progress = options.progress ?? SILENT;
  const cached = await findCached(settings.cacheFolder, wanted);
  if (cached !== undefined && (await intact(cached, wanted, progress))) return cached;
  if (settings.offline) {
    const state = cached === undefined ? 'is not in the cache' : 'is damaged in the cache';
    throw new HubError(
      `${shownFile(wanted)}: ${state} (${settings.cacheFolder}) and HF_HUB_OFFLINE forbids the network; unset it and pull, or copy the file there`,
    );
  }
  const { metadata, ...found } = await located(wanted, settings);
  requireExpected(wanted, metadata);
  const blob = blobPath(settings.cacheFolder, wanted.repository, metadata.etag);
  const lock = join(
    settings.cacheFolder,
    '.locks',
    `models--${wanted.repository.replaceAll('/', '--')}`,
    `${metadata.etag}.sward`,
  );
  try {
    await withLock(
      lock,
      async () => {
        if (!(await holds(blob, metadata))) await bringBlob(found, metadata, blob, settings, progress);
      },
      { staleMs: STALE_MS },
    );
    const path = await linkIntoSnapshot(settings.cacheFolder, found, metadata.commit, metadata.etag);
    return { path, commit: metadata.commit, sha256: metadata.sha256 ?? wanted.sha256 ?? undefined };
  } catch (error) {
    throw diskError(error, settings.cacheFolder, metadata.bytes) ?? error;
  }
}

/** Where the hub has the file: at the commit wanted, else, where a checksum will tell, on the main branch. */
async function located(
  wanted: WantedFile,
  settings: HubSettings,
): Promise<WantedFile & { readonly metadata: FileMetadata }> {
  try {
    return { ...wanted, metadata: await fetchMetadata(wanted, settings) };
  } catch (error) {
    const mayBeElsewhere = isCommit(wanted.revision) && Boolean(wanted.sha256);
    if (!(error instanceof HubError && error.absent && mayBeElsewhere)) throw error;
    const onMain = { ...wanted, revision: 'main' };
    return { ...onMain, metadata: await fetchMetadata(onMain, settings) };
  }
}

async function bringBlob(
  wanted: WantedFile,
  metadata: FileMetadata,
  blob: string,
  settings: HubSettings,
  progress: Progress,
): Promise<void> {
  const incompletePath = `${blob}.incomplete`;
  // Pieces of different times may not belong together; once more from the start decides.
  for (let fresh = false; ; fresh = true) {
    const came = byteStage(progress, `pulling ${wanted.repository}`, metadata.bytes);
    const alreadyThere = await sizeOf(incompletePath);
    if (alreadyThere > 0 && alreadyThere <= metadata.bytes) came(alreadyThere);
    const transfer: Transfer = { wanted, metadata, incompletePath, settings, came };
    const isPieced = await bringMissingBytes(transfer);
    progress.done();
    const mismatch = await checksumMismatch(incompletePath, metadata, wanted.sha256 ?? undefined);
    if (mismatch === undefined) {
      await rename(incompletePath, blob);
      return;
    }
    await rm(incompletePath, { force: true });
    if (fresh || !isPieced) throw damaged(wanted, mismatch);
  }
}

/** Starts a stage of so many bytes, told in whole megabytes; the returned function is told of bytes that came. */
function byteStage(progress: Progress, title: string, bytes: number): (came: number) => void {
  const total = Math.max(1, Math.ceil(bytes / MEGABYTE));
  progress.stage(title, total, 'MB');
  let done = 0;
  let told = 0;
  return (came) => {
    done += came;
    const reached = done >= bytes ? total : Math.floor(done / MEGABYTE);
    if (reached > told) progress.advance(reached - told);
    told = Math.max(told, reached);
  };
}

/** Whether a cached file is what it is filed as; one that is not is brought again in its place. */
async function intact(cached: CachedFile, wanted: WantedFile, progress: Progress): Promise<boolean> {
  const expected = wanted.sha256 ?? cached.sha256;
  if (expected === undefined) return true;
  progress.stage(`checking ${wanted.repository}`, 1, 'file');
  const found = await fileFingerprint(cached.path);
  progress.advance();
  progress.done();
  if (found === expected) return true;
  // What the blob's own name says decides whether it is damaged, or whole but another than the catalogue's.
  if (found === cached.sha256) throw notAsPinned(wanted, expected, found);
  return false;
}

/** What the hub offers must be what the catalogue knows. */
function requireExpected(wanted: WantedFile, { sha256, bytes }: FileMetadata): void {
  if (wanted.sha256 && sha256 !== undefined && sha256 !== wanted.sha256) {
    throw notAsPinned(wanted, wanted.sha256, sha256);
  }
  if (wanted.bytes && bytes !== wanted.bytes) {
    throw new HubError(
      `${shownFile(wanted)}: has ${bytes} bytes on the hub where ${wanted.bytes} are expected: the file changed; pull the commit you want, or update sward`,
    );
  }
}

async function holds(blob: string, metadata: FileMetadata): Promise<boolean> {
  if ((await sizeOf(blob)) !== metadata.bytes) return false;
  return (await checksumMismatch(blob, metadata, undefined)) === undefined;
}

/** Compares content and checksum; undefined when they agree or none is known. */
async function checksumMismatch(
  path: string,
  { sha256, etag, bytes }: FileMetadata,
  pinned: string | undefined,
): Promise<{ readonly expected: string; readonly found: string } | undefined> {
  const expected = sha256 ?? pinned;
  if (expected !== undefined) {
    const found = await fileFingerprint(path);
    return found === expected ? undefined : { expected, found };
  }
  if (!GIT_OBJECT_ID.test(etag)) return undefined;
  const hash = createHash('sha1').update(`blob ${bytes}\0`);
  await pipeline(createReadStream(path), hash);
  const found = hash.digest('hex');
  return found === etag ? undefined : { expected: etag, found };
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch {
    // Not there yet.
    return -1;
  }
}

function damaged(wanted: HubFile, mismatch: { readonly expected: string; readonly found: string }): HubError {
  return new HubError(
    `${shownFile(wanted)}: what arrived is damaged (checksum ${mismatch.found.slice(0, 12)}… in place of ${mismatch.expected.slice(0, 12)}…) and was removed; pull again, or set HF_ENDPOINT to another mirror`,
  );
}

function notAsPinned(wanted: HubFile, expected: string, found: string): HubError {
  return new HubError(
    `${shownFile(wanted)}: the file changed: sha256 ${found.slice(0, 12)}… where ${expected.slice(0, 12)}… is expected; update sward, or pull the commit that has it`,
  );
}
