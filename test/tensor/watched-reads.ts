import { type FileHandle, open } from 'node:fs/promises';
import { expect, vi } from 'vitest';
import { InputError } from '../../src/ground/errors.ts';

/** Holds readers of hostile files to their word. */
export interface WatchedReads {
  /** Reads seen so far. */
  readonly count: number;
  /**
   * Lets a reader at a file: it must end well, or with one clear error, and read nothing outside of the file.
   *
   * @returns whether it ended with an error
   */
  isRefused(what: string, fileBytes: number, read: () => Promise<void>): Promise<boolean>;
}

/** Watches all positioned reads from now on, until mocks are restored. @param path any file that is there */
export async function watchReads(path: string): Promise<WatchedReads> {
  const probe = await open(path);
  const reads = vi.spyOn(Object.getPrototypeOf(probe) as FileHandle, 'read');
  await probe.close();
  let count = 0;
  return {
    get count() {
      return count;
    },
    async isRefused(what, fileBytes, read) {
      reads.mockClear();
      const error: unknown = await read().then(
        () => undefined,
        (thrown: unknown) => thrown ?? new Error('nothing was thrown'),
      );
      if (error !== undefined) {
        expect(error, what).toBeInstanceOf(InputError);
        expect((error as InputError).message, what).not.toMatch(/[\p{Cc}\u2028\u2029]/u);
      }
      const calls = reads.mock.calls as unknown as [unknown, number, number, number][];
      count += calls.length;
      for (const [, , length, position] of calls) {
        expect(position + length, what).toBeLessThanOrEqual(fileBytes);
      }
      return error !== undefined;
    },
  };
}
