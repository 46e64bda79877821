import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { type LocalHub, localHub, sha256 } from './local-hub.ts';

export const root = temporaryFolder('pull');
export const WANTED = { repository: 'timm/small', revision: 'main', file: 'model.safetensors' };
export const KEY = 'timm/small/model.safetensors';
export const SIZE = 300_000;
/** Some megabytes, as progress counts them. */
export const LARGE = 3_500_000;
let made = 0;

/** A hub with one file of random bytes, and an empty cache. */
export async function aHub(size = SIZE): Promise<{ hub: LocalHub; cache: string; bytes: Buffer }> {
  const bytes = randomBytes(size);
  return { hub: await localHub({ [KEY]: bytes }), cache: join(root, `cache-${made++}`), bytes };
}

export const blobsOf = (cache: string): string => join(cache, 'models--timm--small', 'blobs');

export function filesIn(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).sort() : [];
}

/** Checksum of a file: comparing arrays of its size one by one would take the runner seconds. */
export const contentOf = (path: string): string => sha256(readFileSync(path));

/** Leaves the first `length` bytes as an interrupted pull does. */
export function leaveBeginning(cache: string, bytes: Buffer, length: number): void {
  mkdirSync(blobsOf(cache), { recursive: true });
  writeFileSync(join(blobsOf(cache), `${sha256(bytes)}.incomplete`), bytes.subarray(0, length));
}
