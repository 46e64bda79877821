import { readdir } from 'node:fs/promises';
import { join, normalize } from 'node:path';
import { manifestFile, readCompleteManifest } from '../../runs/manifest.ts';
import { isResult } from '../../runs/run-files.ts';

/** What goes with a run that is passed on. */
const LICENCE = 'LICENSE';

/**
 * Paths of the files that a run folder has by its manifest, those of its members in it included, and of its results.
 * Whatever else lies there is no part of it.
 *
 * @throws InputError for a folder that is no finished run
 */
export async function ownFiles(folder: string): Promise<string[]> {
  const manifest = await readCompleteManifest(folder);
  const results = (await readdir(folder)).filter((name) => isResult(name) || name === LICENCE);
  const named =
    manifest.kind === 'ensemble'
      ? await Promise.all(
          manifest.members.map(async ({ run }) =>
            (await ownFiles(join(folder, run))).map((name) => normalize(join(run, name))),
          ),
        )
      : manifest.data.sets.map(({ weights }) => (weights?.file ? [normalize(weights.file)] : []));
  const all = [manifestFile('trained'), ...Object.keys(manifest.files), ...results, ...named.flat()];
  return [...new Set(all)];
}
