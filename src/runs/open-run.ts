import { readdir } from 'node:fs/promises';
import { InputError } from '../ground/errors.ts';
import { BUNDLED_MANIFESTS, runFolderOf } from './bundled-runs.ts';
import { EnsembleRun } from './ensemble-run.ts';
import { manifestFile, readCompleteManifest, readManifest } from './manifest.ts';
import { PretrainedRun } from './pretrained-run.ts';
import type { KeepLoaded, Run } from './run.ts';
import { requireUnchanged } from './run-folder.ts';
import { runHere } from './stored-run.ts';
import { TrainedRun } from './trained-run.ts';

/** How a run is kept open. */
export interface OpenOptions {
  /** What of a prediction stays in memory until the run is disposed of; default all of it. */
  readonly keepLoaded?: KeepLoaded;
}

/**
 * Opens a finished run, whatever its kind, after checking that its files are those that were written.
 *
 * @param nameOrFolder a run folder, `s3://…` of one in a bucket, or the name of a run that comes with sward (`starter`)
 * @throws InputError when the folder is no run, unfinished, damaged, or of another format
 */
export async function openRun(nameOrFolder: string, { keepLoaded = true }: OpenOptions = {}): Promise<Run> {
  const place = runFolderOf(nameOrFolder);
  const folder = await runHere(place);
  const pretraining = manifestFile('pretraining');
  const names = await readdir(folder).catch((): string[] => []);
  if (names.includes(pretraining) && !names.includes(manifestFile('trained'))) {
    const manifest = await readManifest(folder, pretraining);
    if (manifest.kind !== 'pretraining' || manifest.status !== 'complete') {
      throw new InputError(folder, 'is an unfinished pretraining', 'finish it with --resume');
    }
    await requireUnchanged(folder, manifest);
    return new PretrainedRun(folder, manifest);
  }
  const known = BUNDLED_MANIFESTS[nameOrFolder];
  if (known !== undefined) await requireUnchanged(folder, { files: { [manifestFile('trained')]: known } });
  const manifest = await readCompleteManifest(folder);
  await requireUnchanged(folder, manifest);
  return manifest.kind === 'ensemble'
    ? new EnsembleRun(folder, manifest, keepLoaded, place)
    : new TrainedRun(folder, manifest, keepLoaded);
}
