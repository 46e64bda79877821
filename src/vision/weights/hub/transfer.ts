import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { HubSettings } from '../../../ground/environment.ts';
import { makeFolder } from '../../../ground/files.ts';
import { freeBytes } from '../../../ground/free-bytes.ts';
import { isSha256 } from './cache.ts';
import { diskError, fullDisk, HubError, type HubFile, shownBytes, shownFile } from './errors.ts';
import type { FileMetadata } from './metadata.ts';
import { type Answer, fileUrl, refusal, request } from './request.ts';

/** A file being brought. */
export interface Transfer {
  readonly wanted: HubFile;
  readonly metadata: FileMetadata;
  /** Where the bytes go; what is there already is taken for the file's beginning. */
  readonly incompletePath: string;
  readonly settings: HubSettings;
  /** Hears how many bytes more are there. */
  readonly came: (bytes: number) => void;
}

/**
 * Brings what is missing of a file, in as many requests as cut connections make necessary. Gives up when the
 * last of the attempts in a row brought nothing new.
 *
 * @returns whether the file was pieced together: of what was there before, or of several requests
 * @throws HubError naming file, cause and remedy; what has arrived stays for the next pull
 */
export async function bringMissingBytes(transfer: Transfer): Promise<boolean> {
  const { metadata, incompletePath } = transfer;
  const folder = dirname(incompletePath);
  let handle: FileHandle | undefined;
  try {
    await makeFolder(folder);
    handle = await open(incompletePath, 'a');
    const resumedFrom = await usableBytes(handle, metadata.bytes);
    await requireRoom(folder, metadata.bytes - resumedFrom);
    const requests = await bring(transfer, handle, resumedFrom);
    await handle.sync();
    return resumedFrom > 0 || requests > 1;
  } catch (error) {
    throw diskError(error, folder, metadata.bytes) ?? error;
  } finally {
    await handle?.close();
  }
}

/** @returns how many requests it took */
async function bring(transfer: Transfer, handle: FileHandle, resumedFrom: number): Promise<number> {
  const { metadata, settings } = transfer;
  let requests = 0;
  let position = resumedFrom;
  let furthest = resumedFrom;
  let attemptsLeft = settings.retryMilliseconds.length;
  while (position < metadata.bytes) {
    requests++;
    try {
      position = await attempt(transfer, handle, position, (reached) => {
        if (reached <= furthest) return;
        transfer.came(reached - furthest);
        furthest = reached;
        attemptsLeft = settings.retryMilliseconds.length;
      });
    } catch (error) {
      if (!(error instanceof HubError && error.passing) || attemptsLeft === 0) throw error;
      const milliseconds = settings.retryMilliseconds[settings.retryMilliseconds.length - attemptsLeft] ?? 0;
      attemptsLeft--;
      await pause(milliseconds);
      position = await usableBytes(handle, metadata.bytes);
    }
  }
  return requests;
}

/**
 * One request from `position` to the end.
 *
 * @param onProgress told where the next byte goes, as it moves
 * @returns that place at the end: the file's length
 */
async function attempt(
  { wanted, metadata, settings }: Transfer,
  handle: FileHandle,
  position: number,
  onProgress: (position: number) => void,
): Promise<number> {
  const stall = new AbortController();
  const timer = setTimeout(() => stall.abort(stalled(wanted, settings)), settings.stallMilliseconds);
  try {
    // Compressed on the way, ranges and lengths would count other bytes.
    const headers = { 'accept-encoding': 'identity', ...(position > 0 && { range: `bytes=${position}-` }) };
    const url = fileUrl(wanted, metadata.commit, settings);
    const answer = await request(url, { headers, signal: stall.signal }, wanted, settings);
    const start = await startOf(answer, wanted, metadata, position, settings);
    if (start === 0 && position > 0) await handle.truncate(0);
    let at = start;
    for await (const chunk of bodyOf(
      answer,
      () => stall.signal.reason ?? cutShort(wanted, at, metadata.bytes),
    )) {
      timer.refresh();
      if (at + chunk.byteLength > metadata.bytes) throw lyingLength(wanted, metadata.bytes, 'sends more');
      await handle.appendFile(chunk);
      at += chunk.byteLength;
      onProgress(at);
    }
    if (at < metadata.bytes) throw cutShort(wanted, at, metadata.bytes);
    return at;
  } finally {
    clearTimeout(timer);
  }
}

/** Where in the file the answer's first byte belongs, once everything the headers say fits together. */
async function startOf(
  answer: Answer,
  wanted: HubFile,
  metadata: FileMetadata,
  position: number,
  settings: HubSettings,
): Promise<number> {
  const { response, first } = answer;
  const refuse = async (error: HubError): Promise<never> => {
    await response.body?.cancel();
    throw error;
  };
  if (response.status === 416) return refuse(lyingLength(wanted, metadata.bytes, 'has fewer'));
  if (response.status !== 200 && response.status !== 206) {
    throw await refusal(answer, wanted, settings);
  }
  const etag = (first.get('x-linked-etag') ?? first.get('etag') ?? '').replaceAll('"', '');
  if (metadata.sha256 !== undefined && isSha256(etag) && etag !== metadata.sha256) {
    return refuse(changed(wanted, metadata.sha256, etag));
  }
  if (response.status === 200) {
    const length = response.headers.get('content-length');
    const whole = length === null || Number(length) === metadata.bytes;
    return whole ? 0 : refuse(lyingLength(wanted, metadata.bytes, `offers ${length}`));
  }
  const range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(response.headers.get('content-range') ?? '');
  if (range === null || Number(range[1]) !== position) {
    return refuse(
      new HubError(`${shownFile(wanted)}: the server sends another part than asked for; pull again`),
    );
  }
  const whole = range[2] === '*' || Number(range[2]) === metadata.bytes;
  return whole ? position : refuse(lyingLength(wanted, metadata.bytes, `offers ${range[2]}`));
}

/** The chunks of an answer's body. @param failure the error to throw where the connection is cut */
async function* bodyOf({ response }: Answer, failure: () => unknown): AsyncGenerator<Uint8Array> {
  if (response.body === null) return;
  const reader = response.body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read().catch(() => {
        throw failure();
      });
      if (done) return;
      yield value;
    }
  } finally {
    // Cancelling what has failed already fails again, which says nothing new.
    await reader.cancel().catch(() => {});
  }
}

/** Bytes that are there; more than the file has are not its own, and are dropped. */
async function usableBytes(handle: FileHandle, bytes: number): Promise<number> {
  const { size } = await handle.stat();
  if (size <= bytes) return size;
  await handle.truncate(0);
  return 0;
}

async function requireRoom(folder: string, missingBytes: number): Promise<void> {
  if ((await freeBytes(folder)) < missingBytes) throw fullDisk(folder, missingBytes);
}

function stalled(wanted: HubFile, { stallMilliseconds }: HubSettings): HubError {
  return new HubError(
    `${shownFile(wanted)}: nothing came for ${stallMilliseconds / 1000} s; check the network and pull again, which goes on from there`,
    { passing: true },
  );
}

function cutShort(wanted: HubFile, at: number, bytes: number): HubError {
  return new HubError(
    `${shownFile(wanted)}: the connection ended at ${at} of ${bytes} bytes (${shownBytes(bytes)}); pull again, which goes on from there`,
    { passing: true },
  );
}

function lyingLength(wanted: HubFile, bytes: number, what: string): HubError {
  return new HubError(
    `${shownFile(wanted)}: the hub announces ${bytes} bytes but the server ${what}; pull again later, or set HF_ENDPOINT to another mirror`,
  );
}

function changed(wanted: HubFile, expected: string, found: string): HubError {
  return new HubError(
    `${shownFile(wanted)}: the file changed on the hub while it was pulled (sha256 ${expected.slice(0, 12)}… became ${found.slice(0, 12)}…); pull again`,
  );
}
