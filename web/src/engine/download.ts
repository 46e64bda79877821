import { InputError, messageOf, SwardError } from '../../../src/ground/errors.ts';
import {
  type PortableModel,
  parsePortableModel,
  type StoredFile,
  storedFiles,
} from '../../../src/portable/model.ts';
import type { PieceStore } from './piece-store.ts';

/** How much of what is needed is here, bytes. */
export interface LoadProgress {
  readonly loaded: number;
  readonly total: number;
}

type Piece = StoredFile['pieces'][number];

/** A file, the folder that its pieces are fetched from, and where they stay. */
export interface RemoteFile {
  readonly file: StoredFile;
  readonly folder: URL;
  readonly store: PieceStore;
}

/** A phone that sees a network which answers nothing waits so long for what it has already, milliseconds. */
const PATIENCE = { known: 4_000, unknown: 30_000 } as const;

/**
 * Makes a model ready: the newest, or, where the network does not give it whole, the one that is here.
 *
 * @param folder of the model
 * @param besides files that are needed whatever the model
 * @throws SwardError where neither can be had, or it cannot be read
 */
export async function loadModel(
  folder: URL,
  store: PieceStore,
  besides: readonly RemoteFile[],
  onProgress: (progress: LoadProgress) => void,
): Promise<PortableModel> {
  const stored = await store.readModel();
  const known = stored === null ? null : parsePortableModel(stored);
  try {
    return await fetchWhole(await newestModel(folder, known ? PATIENCE.known : PATIENCE.unknown));
  } catch (error) {
    if (known) return fetchWhole(known);
    throw error;
  }

  async function fetchWhole(model: PortableModel): Promise<PortableModel> {
    const files = storedFiles(model);
    await fetchPieces([...besides, ...files.map((file) => ({ file, folder, store }))], onProgress);
    await store.writeModel(model);
    await store.keepOnly(hashesOf(files));
    return model;
  }
}

async function newestModel(folder: URL, patience: number): Promise<PortableModel> {
  const address = new URL('model.json', folder);
  const response = await fetch(address, { cache: 'no-cache', signal: AbortSignal.timeout(patience) }).catch(
    (error: unknown) => {
      throw new SwardError(
        `the model cannot be fetched (${messageOf(error)}); open the app once with a network`,
      );
    },
  );
  if (response.ok) return parsePortableModel(await response.json());
  throw new SwardError(`${address.pathname}: the server answers ${response.status}; try again`);
}

/**
 * Fetches the pieces that are not here yet, one after another: what is interrupted goes on at the piece it stopped in.
 *
 * @param onProgress told of the whole alone where all are here
 * @param signal ends it
 * @throws InputError for a piece that is not what the model says, after a second try past every cache
 */
export async function fetchPieces(
  files: readonly RemoteFile[],
  onProgress: (progress: LoadProgress) => void,
  signal: AbortSignal | null = null,
): Promise<void> {
  const wanted = files.flatMap(({ file, ...from }) => file.pieces.map((piece) => ({ piece, ...from })));
  const total = wanted.reduce((sum, { piece }) => sum + piece.bytes, 0);
  let loaded = 0;
  // What is here already is not being fetched.
  let isFetching = false;
  for (const { piece, folder, store } of wanted) {
    if (!(await store.has(piece.sha256))) {
      const before = loaded;
      isFetching = true;
      const onBytes = (here: number): void => onProgress({ loaded: before + here, total });
      const bytes = await fetchPiece(piece, folder, onBytes, signal);
      await store.write(piece.sha256, bytes);
    }
    loaded += piece.bytes;
    if (isFetching || loaded === total) onProgress({ loaded, total });
  }
}

/**
 * A file, whole, in a buffer of its own. Pieces that are damaged or gone are fetched again.
 *
 * @throws as {@link fetchPieces}
 */
export async function readFile({ file, folder, store }: RemoteFile): Promise<Uint8Array<ArrayBuffer>> {
  const whole = new Uint8Array(file.bytes);
  let at = 0;
  for (const piece of file.pieces) {
    const kept = await store.read(piece.sha256);
    const isWhole = kept !== null && (await isPiece(piece, kept));
    const bytes = isWhole ? kept : await fetchPiece(piece, folder, () => {}, null);
    if (!isWhole) {
      await store.forget(piece.sha256);
      await store.write(piece.sha256, bytes);
    }
    whole.set(bytes, at);
    at += piece.bytes;
  }
  return whole;
}

/** The hashes of all pieces of some files. */
export const hashesOf = (files: readonly StoredFile[]): Set<string> =>
  new Set(files.flatMap(({ pieces }) => pieces.map(({ sha256 }) => sha256)));

async function fetchPiece(
  piece: Piece,
  folder: URL,
  onBytes: (bytes: number) => void,
  signal: AbortSignal | null,
): Promise<Uint8Array<ArrayBuffer>> {
  const address = new URL(piece.file, folder);
  // A copy on the way may be damaged: the second time every cache is passed by.
  for (const cache of ['default', 'reload'] as const) {
    const bytes = await fetchBytes(address, piece, { cache, signal }, onBytes);
    if (await isPiece(piece, bytes)) return bytes;
  }
  throw new InputError(
    address.pathname,
    'is damaged (its SHA-256 is another)',
    'try again; if it stays so, tell the server’s owner',
  );
}

async function fetchBytes(
  address: URL,
  { bytes: expected }: Piece,
  how: Pick<RequestInit, 'cache' | 'signal'>,
  onBytes: (bytes: number) => void,
): Promise<Uint8Array<ArrayBuffer>> {
  const response = await fetch(address, how);
  if (response.status === 404) throw new SwardError(`this server does not have ${address.pathname}`);
  if (!response.ok || !response.body) {
    throw new SwardError(`${address.pathname}: the server answers ${response.status}; try again`);
  }
  const bytes = new Uint8Array(expected);
  let at = 0;
  for (const reader = response.body.getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) break;
    // What is longer than it should be is no piece of the model, and is not one by its hash either.
    bytes.set(value.subarray(0, Math.max(0, expected - at)), Math.min(at, expected));
    at += value.length;
    onBytes(Math.min(at, expected));
  }
  return at === expected ? bytes : bytes.subarray(0, 0);
}

async function isPiece({ sha256, bytes: expected }: Piece, bytes: Uint8Array<ArrayBuffer>): Promise<boolean> {
  if (bytes.length !== expected) return false;
  return (await sha256Of(bytes)) === sha256;
}

/** SHA-256, hexadecimal. @throws SwardError where the page was not opened by HTTPS */
export async function sha256Of(bytes: BufferSource): Promise<string> {
  if (!globalThis.isSecureContext) {
    throw new SwardError(
      'the browser checks nothing on pages without HTTPS; open the app by its https address',
    );
  }
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
