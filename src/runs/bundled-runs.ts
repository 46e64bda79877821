import { packageFile } from '../ground/package-file.ts';

/** The run that answers where none is named. */
export const STARTER = 'starter';

/** Names of the runs that come with sward; each is a folder of `runs/` in the package. */
export const BUNDLED_RUNS: readonly string[] = [STARTER];

/** The folder of a run that comes with sward. */
export const bundledRunFolder = (name: string): string => packageFile(`runs/${name}`);

/** The folder that a run's name or path stands for; `./starter` is a folder of that name, `starter` the bundled run. */
export function runFolderOf(nameOrFolder: string): string {
  return BUNDLED_RUNS.includes(nameOrFolder) ? bundledRunFolder(nameOrFolder) : nameOrFolder;
}

/** SHA-256 of each one's `run.json`, which has those of its other files; `scripts/build-starter.ts` writes it. */
export const BUNDLED_MANIFESTS: Readonly<Record<string, string>> = {
  [STARTER]: 'ed695d742b36b551fc0d66c3bf0bb2b69ef04254132685855a5eaa15ed9f5eed',
};
