import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { readCompleteManifest } from '../../runs/manifest.ts';
import { isBesideAnswers } from '../../runs/run-files.ts';
import { isObjectLocation } from '../../storage/index.ts';
import { weightFilesOf } from '../../vision/weights/index.ts';

/**
 * The files of a run folder that predictions may need: all but what people read, those of its members in folders, and
 * weights that have no name by which another machine could find them.
 */
export async function runFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const own = entries
    .filter((entry) => entry.isFile() && !isBesideAnswers(entry.name))
    .map((entry) => join(entry.parentPath, entry.name));
  const manifest = await readCompleteManifest(folder);
  const further =
    manifest.kind === 'ensemble'
      ? manifest.members.map(({ run }) => (isObjectLocation(run) ? [] : runFiles(resolve(folder, run))))
      : manifest.data.sets.flatMap(({ weights }) =>
          weights?.file ? [weightFilesOf(resolve(folder, weights.file))] : [],
        );
  return [...own, ...(await Promise.all(further)).flat()];
}
