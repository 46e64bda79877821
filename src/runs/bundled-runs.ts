import { fileURLToPath } from 'node:url';

/** The run that answers where none is named. */
export const STARTER = 'starter';

/** Names of the runs that come with sward; each is a folder of `runs/` in the package. */
export const BUNDLED_RUNS: readonly string[] = [STARTER];

/** `runs/` is as far from the sources as from what is built of them. */
const FOLDER = new URL('../../runs/', import.meta.url);

/** The folder of a run that comes with sward. */
export function bundledRunFolder(name: string): string {
  return fileURLToPath(new URL(`${name}/`, FOLDER)).replace(/[/\\]$/, '');
}

/** The folder that a run's name or path stands for; `./starter` is a folder of that name, `starter` the bundled run. */
export function runFolderOf(nameOrFolder: string): string {
  return BUNDLED_RUNS.includes(nameOrFolder) ? bundledRunFolder(nameOrFolder) : nameOrFolder;
}
