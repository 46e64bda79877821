import { createHash } from 'node:crypto';
import type { Stats } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Readable } from 'node:stream';
import { InputError, messageOf, UsageError } from '../../ground/errors.ts';
import { valueFingerprint } from '../../ground/fingerprint.ts';
import { otherKindOf, unreadable } from '../../ground/whole-file.ts';
import type { Quadrilateral } from './quadrilateral.ts';

/** Files larger than this are refused before they are read into memory: 512 MiB. */
const MAX_PHOTO_BYTES = 512 * 1024 * 1024;

/** Hashes of files that are remembered at most; a hundred bytes each. */
const MOST_HASHES = 200_000;

/** A photo file that is not on a disk: an upload, or an entry of an archive. */
export interface PhotoContent {
  /** What errors and results call the photo. */
  readonly name: string;
  /** The whole file, the same every time. */
  bytes(): Promise<Uint8Array>;
}

/** A photo as it was taken: the path of its file, or the file's content. */
export type WholePhoto = string | PhotoContent;

/** A part of a photo, of which all that is made of it is made: the inside of a quadrat's frame. */
export interface FramedPhoto {
  readonly of: WholePhoto;
  /** In pixels of the upright photo. */
  readonly corners: Quadrilateral;
  /** Whether a person gave it, or its frame was found. */
  readonly framing: 'given' | 'frame';
}

/** A photo to read, or a part of one. */
export type Photo = WholePhoto | FramedPhoto;

export const isFramed = (photo: Photo): photo is FramedPhoto => typeof photo === 'object' && 'of' in photo;

/** The whole of a photo. */
export const wholePhoto = (photo: Photo): WholePhoto => (isFramed(photo) ? photo.of : photo);

/** The path or name of a photo. */
export function photoName(photo: Photo): string {
  const whole = wholePhoto(photo);
  return typeof whole === 'string' ? whole : whole.name;
}

/**
 * A photo of bytes, which are copied, or of a stream, which is read once, when the photo is first needed.
 *
 * @param name what errors and results call it
 * @param content a whole photo file, of any format that is read from disk
 * @throws UsageError when the content is neither
 */
export function photoFrom(
  name: string,
  content: Uint8Array | ArrayBuffer | AsyncIterable<Uint8Array>,
): PhotoContent {
  if (content instanceof Uint8Array || content instanceof ArrayBuffer) {
    const copy = new Uint8Array(content.slice(0));
    return { name, bytes: async () => copy };
  }
  if (typeof content !== 'object' || content === null || !(Symbol.asyncIterator in content)) {
    throw new UsageError(`photo ${name}: give the bytes of its file, or a stream of them`);
  }
  // A stream that fails before its turn would else end the process; who reads it then is told.
  if (content instanceof Readable) content.on('error', () => {});
  let coming: Promise<Uint8Array> | undefined;
  return {
    name,
    bytes() {
      coming ??= collected(name, content);
      return coming;
    },
  };
}

async function collected(name: string, stream: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of stream) {
      if (!(chunk instanceof Uint8Array)) {
        throw new InputError(
          name,
          'the stream gives something else than bytes',
          'read it without an encoding',
        );
      }
      chunks.push(chunk);
      size += chunk.byteLength;
      requireSize(name, size);
    }
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(name, `the photo cannot be read (${messageOf(error)})`, 'send it again');
  }
  return Buffer.concat(chunks);
}

/**
 * The bytes of a photo's file.
 *
 * @throws InputError when it is missing, no file, empty, larger than 512 MiB, or cannot be read
 */
export async function readPhoto(photo: Photo): Promise<Uint8Array> {
  const [name, whole] = [photoName(photo), wholePhoto(photo)];
  const bytes = typeof whole === 'string' ? await readPhotoFile(whole) : await whole.bytes();
  requireSize(name, bytes.byteLength);
  if (bytes.byteLength > 0) return bytes;
  throw new InputError(name, 'the file is empty (0 bytes)', 'copy the photo again');
}

async function readPhotoFile(path: string): Promise<Buffer> {
  try {
    const facts = await stat(path);
    requireFile(path, facts);
    requireSize(path, facts.size);
    // Files of the system say that they are empty and may never end.
    return facts.size === 0 ? Buffer.alloc(0) : await readFile(path);
  } catch (error) {
    if (error instanceof InputError) throw error;
    const failure = await unreadable(path, error);
    throw failure.isAbsent ? new InputError(path, 'there is no such photo', 'check the path') : failure;
  }
}

/** @throws InputError for what is no file and may never end: a pipe, a socket, a device, or for a folder */
export function requireFile(path: string, facts: Stats): void {
  const kind = otherKindOf(facts);
  if (kind === null) return;
  if (kind === 'folder') throw new InputError(path, 'is a folder, not a photo', 'name a photo in it');
  throw new InputError(path, `is a ${kind}, not a file`, 'copy the photo into a file and name that');
}

function requireSize(name: string, bytes: number): void {
  if (bytes <= MAX_PHOTO_BYTES) return;
  const [size, limit] = [Math.round(bytes / 2 ** 20), MAX_PHOTO_BYTES / 2 ** 20];
  throw new InputError(name, `the file has ${size} MiB, the limit is ${limit}`, 'shrink the photo first');
}

/** Rises whenever the same corners would give other pixels. */
const CUT_VERSION = 1;

/** What all that is made of a photo is remembered by. @param hash of its file, as {@link photoHash} */
export const photoKey = (photo: Photo, hash: string): string =>
  isFramed(photo) ? valueFingerprint([hash, photo.corners, CUT_VERSION]) : hash;

const fileHashes = new Map<string, string>();
const contentHashes = new WeakMap<PhotoContent, string>();

/**
 * SHA-256 of a photo's file, hexadecimal. It is computed once, as long as the file's place, size and times stay.
 *
 * @throws InputError as {@link readPhoto}
 */
export async function photoHash(photo: Photo): Promise<string> {
  return (await knownHash(photo)) ?? (await hashPhoto(photo)).hash;
}

/** The hash of a photo that was hashed before; undefined where it must be read. */
export async function knownHash(photo: Photo): Promise<string | undefined> {
  const whole = wholePhoto(photo);
  if (typeof whole !== 'string') return contentHashes.get(whole);
  const identity = await identityOf(whole);
  return identity === undefined ? undefined : fileHashes.get(identity);
}

/** Reads and hashes a photo. @throws InputError as {@link readPhoto} */
export async function hashPhoto(
  photo: Photo,
): Promise<{ readonly bytes: Uint8Array; readonly hash: string }> {
  // Looked at before it is read: a file that changes meanwhile is then another one the next time.
  const whole = wholePhoto(photo);
  const identity = typeof whole === 'string' ? await identityOf(whole) : undefined;
  const bytes = await readPhoto(whole);
  const hash = createHash('sha256').update(bytes).digest('hex');
  if (typeof whole !== 'string') contentHashes.set(whole, hash);
  else if (identity !== undefined) remember(identity, hash);
  return { bytes, hash };
}

function remember(identity: string, hash: string): void {
  if (fileHashes.size >= MOST_HASHES) fileHashes.clear();
  fileHashes.set(identity, hash);
}

/** What changes when a file does; undefined where there is none. */
async function identityOf(path: string): Promise<string | undefined> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
    return `${resolve(path)} ${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs}`;
  } catch {
    return undefined;
  }
}
