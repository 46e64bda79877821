import { mkdir, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { flush, moveDurably } from './disk.ts';

/** Photo files by the SHA-256 of their content: the same photo sent twice is kept once. */
export interface PhotoStore {
  /** Where a photo lies, whether it is there or not. */
  pathOf(sha256: string): string;
  /**
   * Moves a file that nobody writes into any more, and whose hash is known: on return it is on the disk under its hash,
   * in place of what is there of that name, which a disk may have damaged.
   */
  keep(file: string, sha256: string): Promise<void>;
  /** Forgets a photo that no row names any more. */
  remove(sha256: string): Promise<void>;
  /**
   * Does what keeps or removes files together with their rows while nothing else does: a file that one finds there
   * another could be about to remove.
   */
  alone<Result>(work: () => Promise<Result>): Promise<Result>;
}

/** The photos in a folder. */
export function photoStore(folder: string): PhotoStore {
  let last: Promise<unknown> = Promise.resolve();
  const pathOf = (sha256: string): string => join(folder, sha256.slice(0, 2), sha256);
  return {
    pathOf,
    async keep(file, sha256) {
      const path = pathOf(sha256);
      const isNew = await stat(dirname(path)).then(
        () => false,
        () => true,
      );
      if (isNew) {
        await mkdir(dirname(path), { recursive: true, mode: 0o700 });
        await flush(folder);
      }
      await moveDurably(file, path);
    },
    remove: (sha256) => rm(pathOf(sha256), { force: true }),
    alone(work) {
      const outcome = last.then(work);
      last = outcome.catch(() => {});
      return outcome;
    },
  };
}
