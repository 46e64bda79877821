import { InputError } from './errors.ts';
import { writeFileAtomically } from './files.ts';

/** Name of the warnings that sward gives through `process.emitWarning`. */
export const WARNING = 'SwardWarning';

let isTold = false;

/**
 * Writes what can be computed again into the cache. Where that is impossible (a full or read-only disk, no permission)
 * work goes on without, and a warning is given once.
 */
export async function writeToCache(path: string, content: string | Uint8Array): Promise<void> {
  try {
    await writeFileAtomically(path, content);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    if (isTold) return;
    isTold = true;
    process.emitWarning(
      `nothing is remembered, and the next command computes all again: ${error.where} ${error.what}; set SWARD_CACHE to a folder that can be written`,
      WARNING,
    );
  }
}
