import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { InputError } from '../ground/errors.ts';
import { writeAtomically } from '../ground/files.ts';
import type { Store } from './store.ts';

/** Objects are read in pieces of so many bytes, so that what fails costs one piece. */
const PIECE_BYTES = 2 ** 24;

/** Pieces that are on their way at once. */
const AT_ONCE = 4;

/** What an object must be. */
export interface Expected {
  /** By the store's own count. */
  readonly version?: string;
  readonly sha256?: string;
}

/**
 * Copies an object into a file, in pieces, each tried again by itself; all are of one version.
 *
 * @throws InputError when it is not there, has changed, or is not what was expected
 */
export async function download(
  store: Store,
  key: string,
  path: string,
  expected: Expected = {},
): Promise<void> {
  const where = `${store.location}/${key}`;
  const facts = await store.facts(key);
  if (!facts) throw new InputError(where, 'there is no such object', 'check its name');
  const { byteLength } = facts;
  const version = expected.version ?? facts.version;
  const starts = Array.from(
    { length: Math.ceil(byteLength / PIECE_BYTES) },
    (_, piece) => piece * PIECE_BYTES,
  );
  const piece = async (start: number): Promise<Uint8Array> => {
    const end = Math.min(start + PIECE_BYTES, byteLength);
    const read = await store.read(key, { range: { start, end }, version });
    if (read) return read;
    throw new InputError(where, 'has changed since it was listed', 'start again');
  };
  if (version !== facts.version) {
    throw new InputError(where, 'has changed since it was listed', 'start again');
  }
  await writeAtomically(path, async (aside) => {
    const hash = createHash('sha256');
    const file = await open(aside, 'wx');
    try {
      for (let first = 0; first < starts.length; first += AT_ONCE) {
        for (const bytes of await Promise.all(starts.slice(first, first + AT_ONCE).map(piece))) {
          hash.update(bytes);
          await file.writeFile(bytes);
        }
      }
    } finally {
      await file.close();
    }
    if (expected.sha256 === undefined || hash.digest('hex') === expected.sha256) return;
    throw new InputError(where, 'is not what was stored (its SHA-256 is another)', 'make it again');
  });
}
