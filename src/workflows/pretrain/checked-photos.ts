import { availableParallelism } from 'node:os';
import { InputError } from '../../ground/errors.ts';
import type { Progress } from '../../ground/progress.ts';
import { inspectPhoto, photoHash } from '../../vision/photos/index.ts';

/** Photos that cannot be used, named beside the first one. */
const NAMED = 5;

/**
 * Decodes every photo before hours are spent on them.
 *
 * @returns the files' SHA-256, one a photo
 * @throws InputError for the first that cannot be used, with the names of others
 */
export async function checkedPhotos(paths: readonly string[], progress: Progress): Promise<string[]> {
  const hashes = paths.map(() => '');
  const failures = new Map<number, InputError>();
  const rest = paths.entries();
  progress.stage('Checking photos', paths.length, 'photos');
  const lane = async (): Promise<void> => {
    for (const [index, path] of rest) {
      try {
        await inspectPhoto(path);
        hashes[index] = await photoHash(path);
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
        failures.set(index, error);
      }
      progress.advance();
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, lane));
  progress.done();
  const [first, ...others] = [...failures].sort(([a], [b]) => a - b).map(([, error]) => error);
  if (first === undefined) return hashes;
  const named = others.slice(0, NAMED).map(({ where }) => where);
  const further = others.length - named.length;
  const more = further > 0 ? `${named.join(', ')} and ${further} more` : named.join(', ');
  throw new InputError(
    first.where,
    first.what,
    others.length === 0 ? first.remedy : `${first.remedy} (nor can these be used: ${more})`,
  );
}
