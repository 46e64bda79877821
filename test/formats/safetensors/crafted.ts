import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

/** A folder of its own for a test file, removed at the end. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sward-safetensors-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The bytes of a safetensors file with any header text, true or not, and any length stated for it. */
export function craftedBytes(header: string | Uint8Array, dataBytes = 0, statedLength?: bigint): Buffer {
  const text = Buffer.from(header);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(statedLength ?? BigInt(text.length));
  return Buffer.concat([length, text, Buffer.alloc(dataBytes, 7)]);
}

/** Writes {@link craftedBytes} to a file. */
export function crafted(
  path: string,
  header: string | Uint8Array,
  dataBytes = 0,
  statedLength?: bigint,
): string {
  writeFileSync(path, craftedBytes(header, dataBytes, statedLength));
  return path;
}
